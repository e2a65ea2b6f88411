"""What auth asks others about before it answers, and what it makes of what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from services.auth.contracts import Contracts
from services.auth.domain.ocsp import NoStatus
from services.auth.domain.requests import (
    Authorize,
    CertificateStatus,
    ContractCertificate,
    ContractCheck,
    GetCertificateStatus,
    GetContractCertificate,
    NoCertificateStatus,
    NoContractCertificate,
    Reply,
    Request,
    contract_verdict,
    decide,
)
from services.auth.handlers import authorization_decided
from services.auth.outside_verdicts import OutsideVerdicts, no_verdict
from services.auth.pools.pool import NoContract, Pool, PoolAway
from services.auth.store import Store, UnitOfWork
from services.common.authorization.judge import Place, place_of
from services.common.calls.call import Call
from services.common.calls.slow_answers import Ask, Conclude
from services.common.calls.stations import Stations
from services.common.kafka.bus import Record
from services.common.postgres.database import Connection
from services.common.process.clock import Clock

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SlowRequests:
    """Of stations, about contracts and their certificates, and about idTokens that are not registered."""

    store: Store
    contracts: Contracts
    verdicts: OutsideVerdicts
    pool: Pool | None
    stations: Stations
    clock: Clock

    @property
    def asks(self) -> Mapping[type, Ask[Request]]:
        """By what is asked."""
        return {
            Authorize: self.authorize,
            GetCertificateStatus: self.certificate_status,
            GetContractCertificate: self.contract_certificate,
        }

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

    async def contract_certificate(self, call: Call, request: Request) -> Conclude:
        """M01, M02"""
        assert isinstance(request, GetContractCertificate)
        if self.pool is None:
            return self._contract(call, request, NoContractCertificate("no pool of contract certificates is set"))
        try:
            found = await self.pool.contracts(request.wanted)
        except (NoContract, PoolAway) as error:
            return self._contract(call, request, NoContractCertificate(str(error)))
        # Others than the first are not given yet, so a vehicle is not told to ask for them (M01.FR.06).
        remaining = None if request.wanted.most is None else 0
        return self._contract(call, request, ContractCertificate(found[0], remaining))

    def give_up(self, call: Call, request: Request) -> Conclude:
        """Nobody has answered in time."""
        if isinstance(request, Authorize) and request.contract is None:
            return no_verdict
        if isinstance(request, Authorize):
            return self._verdict(call, request, ContractCheck.UNVERIFIED)
        if isinstance(request, GetContractCertificate):
            return self._contract(call, request, NoContractCertificate("the pool has not answered in time"))
        return _plain(decide(request, {}, self.clock(), Place(call.station_id)))

    def _contract(
        self, call: Call, request: GetContractCertificate, reply: ContractCertificate | NoContractCertificate
    ) -> Conclude:
        """The reply, and its event: what the pool has said is nobody else's business."""

        async def conclude(_: Connection) -> tuple[object, Sequence[Record]]:
            reason = reply.reason if isinstance(reply, NoContractCertificate) else None
            if reason:
                log.warning("a vehicle gets no contract certificate", station_id=call.station_id, reason=reason)
            return reply, [self.store.publication.contract_asked(call, request.wanted.action, reason, self.clock())]

        return conclude

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
