"""SignCertificate: looked at and kept, within the transaction of the batch, before it is answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import uuid4

import structlog

from services.auth import certificate_requests_store as requests_store
from services.auth.domain import certificate_requests as domain
from services.auth.domain.certificate_requests import CertificateRequest, RequestState
from services.auth.domain.requests import SignCertificate, SigningAnswered
from services.auth.domain.signing_requests import MEANINGS, Applicant, Csr, Fault, Subject, key_of, read, subject
from services.auth.domain.stations import Station
from services.auth.store import UnitOfWork
from services.common.calls.call import Call

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SigningIntake:
    """organizations: of the CPO (VOLTBUS_CPO_NAMES). open: whether there is a signer."""

    organizations: Collection[str]
    open: bool

    async def take(self, work: UnitOfWork, calls: Sequence[tuple[Call, SignCertificate]]) -> dict[str, SigningAnswered]:
        """The answers, by the id of the call."""
        if not calls:
            return {}
        station_ids = {call.station_id for call, _ in calls}
        found = [(call, request, read(request.csr)) for call, request in calls]
        stations = await work.meant_stations(station_ids)
        names = {name for _, _, csr in found if isinstance(csr, Csr) for name in csr.names if "\0" not in name}
        proven = await work.proven_by(names)
        known = await requests_store.lock_stations(work.db, station_ids)
        answers, changed = dict[str, SigningAnswered](), dict[str, CertificateRequest]()
        for call, request, csr in found:
            own = known[call.station_id]
            applicant = _applicant(call, stations.get(call.station_id), proven)
            judged = self._judge(csr, request, applicant)
            if isinstance(judged, Subject) and domain.are_too_many(own, call.received_at):
                judged = Fault.TOO_MANY
            fault = judged if isinstance(judged, Fault) else None
            answers[call.id] = SigningAnswered(fault)
            for one in domain.told(own, _new(call, request, csr, judged)):
                changed[one.id] = one
                own = [other for other in own if other.id != one.id] + [one]
            known[call.station_id] = own
            if fault:
                log.warning("a signing request is refused", station_id=call.station_id, reason=fault.value)
        await requests_store.save(work.db, changed.values())
        if any(one.state is RequestState.REFUSED for one in changed.values()):
            await requests_store.forget(work.db, station_ids)
        return answers

    def _judge(self, csr: Csr | Fault, request: SignCertificate, applicant: Applicant) -> Subject | Fault:
        if not self.open:
            return Fault.NO_SIGNER
        return csr if isinstance(csr, Fault) else subject(csr, request.purpose, applicant, self.organizations)


def _new(call: Call, request: SignCertificate, csr: Csr | Fault, judged: Subject | Fault) -> CertificateRequest:
    new = CertificateRequest(
        id=uuid4().hex,
        station_id=call.station_id,
        purpose=request.purpose,
        csr_hash=key_of(request.csr),
        csr=csr.der if isinstance(csr, Csr) else None,
        request_id=request.request_id,
        asked_at=call.received_at,
        told_at=call.received_at,
        changed_at=call.received_at,
    )
    return domain.checked(new, judged, MEANINGS[judged] if isinstance(judged, Fault) else "", call.received_at)


def _applicant(call: Call, station: Station | None, proven: Sequence[tuple[str, str]]) -> Applicant:
    """proven: by which common names stations would be let in, each with one of these stations."""
    own = station.station_id if station else call.station_id
    return Applicant(
        station_id=own,
        serial_number=station.serial_number if station else None,
        others={name for name, station_id in proven if station_id != own},
        quarantined=call.quarantined,
    )
