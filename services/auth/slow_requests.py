"""What auth asks others about before it answers, and what it makes of what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.auth.contracts import Contracts
from services.auth.domain.ocsp import NoStatus
from services.auth.domain.requests import (
    Authorize,
    CertificateStatus,
    ContractCheck,
    GetCertificateStatus,
    NoCertificateStatus,
    Reply,
    Request,
    contract_verdict,
    decide,
)
from services.auth.handlers import authorization_decided
from services.auth.outside_verdicts import OutsideVerdicts, no_verdict
from services.auth.store import Store, UnitOfWork
from services.common.authorization.judge import Place, place_of
from services.common.calls.call import Call
from services.common.calls.slow_answers import Ask, Conclude
from services.common.calls.stations import Stations
from services.common.kafka.bus import Record
from services.common.postgres.database import Connection
from services.common.process.clock import Clock


@dataclass(frozen=True, slots=True)
class SlowRequests:
    """Of stations, about contracts and their certificates, and about idTokens that are not registered."""

    store: Store
    contracts: Contracts
    verdicts: OutsideVerdicts
    stations: Stations
    clock: Clock

    @property
    def asks(self) -> Mapping[type, Ask[Request]]:
        """By what is asked."""
        return {Authorize: self.authorize, GetCertificateStatus: self.certificate_status}

    async def authorize(self, call: Call, request: Request) -> Conclude:
        """C01, C07"""
        assert isinstance(request, Authorize)
        await self.stations.catch_up({call.station_id})
        if request.contract is None:
            return await self.verdicts.ask(call, request)
        check = await self.contracts.check(call.station_id, request.token, request.contract)
        return self._verdict(call, request, check)

    async def certificate_status(self, _: Call, request: Request) -> Conclude:
        """M06"""
        assert isinstance(request, GetCertificateStatus)
        try:
            told = await self.contracts.status(request.hash_data)
        except NoStatus as error:
            return _plain(NoCertificateStatus(str(error)))
        return _plain(CertificateStatus(told.der))

    def give_up(self, call: Call, request: Request) -> Conclude:
        """Nobody has answered in time."""
        if isinstance(request, Authorize) and request.contract is None:
            return no_verdict
        if isinstance(request, Authorize):
            return self._verdict(call, request, ContractCheck.UNVERIFIED)
        return _plain(decide(request, {}, self.clock(), Place(call.station_id)))

    def _verdict(self, call: Call, request: Authorize, check: ContractCheck) -> Conclude:
        async def conclude(db: Connection) -> tuple[object, Sequence[Record]]:
            work, now = UnitOfWork(db, self.store.publication), self.clock()
            tokens = await work.find_tokens(request.token.keys)
            place = place_of(call.station_id, self.stations.registration(call.station_id))
            verdict = contract_verdict(request, check, tokens, now, place)
            await work.record([], [authorization_decided(call, verdict, now)])
            return verdict, ()

        return conclude


def _plain(reply: Reply) -> Conclude:
    async def conclude(_: Connection) -> tuple[object, Sequence[Record]]:
        return reply, ()

    return conclude
