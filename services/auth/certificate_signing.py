"""Certificates for stations: asked for by them, signed by a signer, sent, and what they say to it (A02, A03)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from prometheus_client import Counter

from services.auth import certificate_requests_store as requests_store
from services.auth.domain import certificate_requests as domain
from services.auth.domain.certificate_requests import UNSIGNED, CertificateRequest, RefusedBy, RequestState
from services.auth.domain.chains import Issued, UnfitChain, issued, require_room
from services.auth.remote import INSTALL_SIGNED
from services.auth.signers.signer import Asked, Declined, Said, Signed, Signer, Waiting
from services.auth.store import Store, UnitOfWork
from services.common.commands.command import Command, End
from services.common.commands.service import CommandRequest, CommandService
from services.common.postgres import outbox
from services.common.postgres.database import Connection
from services.common.postgres.measures import Measure
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable, VoltbusError
from services.common.process.leader_gauge import Labels, LeaderGauge
from services.common.process.wakeup import Wakeup

# Requests that are looked at in one turn, and of those at once; seconds between turns.
AT_ONCE, TOGETHER, EVERY_SECONDS = 50, 8, 1.0
# Who has taken one to a signer and was not heard of again has died: longer than any signer may take.
CLAIM = timedelta(seconds=120)
# A station that is away gets its certificate when it is back; later it asks for another (A02.FR.17).
KEPT = timedelta(days=7)

ENDED = Counter(
    "voltbus_signing_requests_ended_total",
    "requests of stations for certificates that have come to an end: installed, failed, or refused by csms (what is "
    "asked for is at fault), operator, authority or station",
    ["outcome"],
)
for _outcome in (*RefusedBy, RequestState.INSTALLED, RequestState.FAILED):
    ENDED.labels(_outcome.value)
WAITING = LeaderGauge(
    "voltbus_signing_requests_waiting_seconds",
    "age of the oldest request of a station for a certificate that nobody has signed yet; 0: there is none",
)
OLDEST = """
select coalesce(extract(epoch from $1::timestamptz - min(asked_at)), 0)
from certificate_request where state in ('asked', 'waiting')"""

log = structlog.get_logger()


class NoSuchRequest(VoltbusError):
    """A signing request that there is not."""


class RequestClosed(VoltbusError):
    """A signing request of which nothing more is to be decided."""


@dataclass(frozen=True, slots=True)
class CertificateSigning:
    """Does what is due for requests. Many processes may run it."""

    store: Store
    command_service: CommandService
    signer: Signer
    clock: Clock
    wake: Wakeup

    async def run(self) -> None:
        """Until cancelled."""
        await self.command_service.stations.wait()
        while True:
            try:
                await self.settle()
            except Unavailable as error:
                log.warning("certificates of stations wait", reason=str(error))
            await self.wake.wait(EVERY_SECONDS)

    async def settle(self) -> None:
        """All that is due now. Raises Unavailable."""
        async with self.store.database.connection() as db:
            ids = await requests_store.due(db, self.clock(), AT_ONCE)
        together = asyncio.Semaphore(TOGETHER)

        async def take(id_: str) -> None:
            async with together:
                try:
                    await self._take(id_)
                except Unavailable as error:
                    log.warning("a signing request waits", request=id_, reason=str(error))
                except Exception:
                    # A mistake of ours with one takes neither the others nor the process with it: it is tried again.
                    log.exception("a signing request could not be handled", request=id_)

        async with asyncio.TaskGroup() as group:
            for id_ in ids:
                group.create_task(take(id_))

    async def _take(self, id_: str) -> None:
        now = self.clock()
        async with self.store.unit_of_work() as work:
            request = await requests_store.take(work.db, id_, now)
            if request is None:
                return
            # What was sent before is taken back; where that is under way already, nothing is lost by it.
            before = request.command_id if request.state in (RequestState.SIGNED, RequestState.SUPERSEDED) else None
            if request.state in UNSIGNED:
                await requests_store.save(work.db, [replace(request, due_at=now + CLAIM)])
            elif request.state is RequestState.SIGNED:
                await self._send_again(work, request)
            elif request.state is not RequestState.SUPERSEDED:
                await self._announce(work, request)
        if before:
            await self.command_service.cancel(before)
        if request.state is RequestState.SUPERSEDED:
            await self._forget_due(id_)
        elif request.state is RequestState.SIGNED:
            self._nudge()
        elif request.state in UNSIGNED:
            await self._sign(request)

    async def _forget_due(self, id_: str) -> None:
        """Its command was taken back; unless it was told anew meanwhile."""
        async with self.store.unit_of_work() as work:
            request = await requests_store.lock(work.db, id_)
            if request and request.state is RequestState.SUPERSEDED:
                await requests_store.save(work.db, [replace(request, due_at=None)])

    async def _sign(self, request: CertificateRequest) -> None:
        said: Said | Unavailable
        try:
            said = await self.signer.sign(await self._asked(request))
        except Unavailable as error:
            said = error
            log.warning("a certificate cannot be signed now", station_id=request.station_id, reason=str(error))
        async with self.store.unit_of_work() as work:
            current = await requests_store.lock(work.db, request.id)
            if current is None or current.state not in UNSIGNED:
                return
            after = await self._said(work, current, said)
        if after.state is RequestState.SIGNED:
            self._nudge()

    async def _asked(self, request: CertificateRequest) -> Asked:
        async with self.store.database.connection() as db:
            renews = await requests_store.renews(db, request, self.clock())
        assert request.csr, "it was checked"
        assert request.subject, "it was checked"
        return Asked(request.id, request.station_id, request.purpose, request.subject, request.csr, renews)

    async def _said(
        self, work: UnitOfWork, request: CertificateRequest, said: Said | Unavailable
    ) -> CertificateRequest:
        now = self.clock()
        match said:
            case Signed():
                try:
                    return await self._take_chain(work, request, said, None)
                except UnfitChain as error:
                    after = domain.failed(request, f"what was signed does not fit: {error}", now)
            case Waiting():
                again_at = None if said.seconds is None else now + timedelta(seconds=said.seconds)
                after = domain.waiting(request, again_at, now)
            case Declined():
                after = domain.refused(request, RefusedBy.AUTHORITY, said.reason, now)
            case _:
                after = domain.delayed(request, str(said), now)
        await requests_store.save(work.db, [after])
        return after

    async def upload(self, id_: str, chain: str, author: str | None) -> None:
        """An operator has had it signed. Raises NoSuchRequest, RequestClosed, UnfitChain."""
        async with self.store.unit_of_work() as work:
            request = await self._of_operator(work, id_)
            if request.state in UNSIGNED:
                await self._take_chain(work, request, Signed(chain), author)
            elif request.issued is None or not self._is_same(request, chain):
                raise RequestClosed(f"the signing request is {request.state.value}")
        self._nudge()

    async def refuse(self, id_: str, reason: str, author: str | None) -> None:
        """An operator will not have it signed. Raises NoSuchRequest, RequestClosed."""
        async with self.store.unit_of_work() as work:
            request = await self._of_operator(work, id_)
            if request.state in UNSIGNED:
                after = domain.refused(request, RefusedBy.OPERATOR, reason, self.clock(), author)
                await requests_store.save(work.db, [after])
            elif (request.refused_by, request.reason) != (RefusedBy.OPERATOR, reason):
                raise RequestClosed(f"the signing request is {request.state.value}")
        self.wake()

    async def _of_operator(self, work: UnitOfWork, id_: str) -> CertificateRequest:
        if (request := await requests_store.lock(work.db, id_)) is None:
            raise NoSuchRequest(id_)
        return request

    def _is_same(self, request: CertificateRequest, chain: str) -> bool:
        return self._issued(request, Signed(chain)) == request.issued

    def _issued(self, request: CertificateRequest, said: Signed) -> Issued:
        """Raises UnfitChain."""
        assert request.csr, "it was checked"
        assert request.subject, "it was checked"
        return issued(said.chain, request.csr, request.subject, request.purpose, self.clock(), said.known)

    async def _take_chain(
        self, work: UnitOfWork, request: CertificateRequest, said: Signed, author: str | None
    ) -> CertificateRequest:
        """It is told, and on its way. Raises UnfitChain."""
        chain = self._issued(request, said)
        require_room(chain, self._room(request))
        after = domain.signed(request, chain, self.clock(), author)
        await outbox.add(work.db, [self.store.publication.certificate_issued(after)])
        return await self._send(work, after)

    async def _send_again(self, work: UnitOfWork, request: CertificateRequest) -> None:
        """What was signed before: the station may have said since that it takes less."""
        assert request.issued is not None, "it was signed"
        try:
            require_room(request.issued, self._room(request))
        except UnfitChain as error:
            await requests_store.save(work.db, [domain.failed(request, str(error), self.clock())])
        else:
            await self._send(work, request)

    def _room(self, request: CertificateRequest) -> int | None:
        """How long a chain the station takes, as far as it has said."""
        return self.command_service.stations.capabilities(request.station_id).certificate_chain_size

    async def _send(self, work: UnitOfWork, request: CertificateRequest) -> CertificateRequest:
        assert request.issued is not None, "it was signed"
        left = min(KEPT, request.issued.ends_at - self.clock())
        payload = {"chain": request.issued.chain, "purpose": request.purpose.value, "request_id": request.request_id}
        asked = CommandRequest(
            request.station_id, INSTALL_SIGNED, payload, max(left.total_seconds(), 1.0), author=request.author
        )
        [command] = await self.command_service.add(work.db, [asked])
        after = replace(request, command_id=command.id, due_at=None)
        await requests_store.save(work.db, [after])
        return after

    async def _announce(self, work: UnitOfWork, request: CertificateRequest) -> None:
        await requests_store.save(work.db, [replace(request, due_at=None)])
        installed = request.state is RequestState.INSTALLED
        publication = self.store.publication
        told = publication.certificate_installed if installed else publication.certificate_rejected
        await outbox.add(work.db, [told(request)])
        ENDED.labels((request.refused_by or request.state).value).inc()
        if not installed:
            log.warning(
                "a station has no new certificate",
                station_id=request.station_id,
                request=request.id,
                by=request.refused_by and request.refused_by.value,
                reason=request.reason,
            )

    def _nudge(self) -> None:
        self.command_service.notify_changed()
        self.command_service.nudge()


async def _waiting(db: Connection, now: datetime) -> Mapping[Labels, float]:
    return {(): float(await db.fetchval(OLDEST, now))}


OLDEST_WAITING = Measure(WAITING, _waiting)


async def on_ended(db: Connection, commands: Sequence[Command]) -> None:
    """Takes what stations said to their certificates, within the transaction that says so."""
    ended = {command.id: command for command in commands if command.action == INSTALL_SIGNED}
    known = await requests_store.lock_commands(db, ended)
    await requests_store.save(db, [_answered(one, ended[one.command_id or ""]) for one in known])


def _answered(request: CertificateRequest, command: Command) -> CertificateRequest:
    assert command.ended_at is not None, "it has ended"
    status, why = _word(command)
    refused = command.outcome is End.REFUSED or (status is not None and status != "Accepted")
    return domain.answered(request, status, why, command.ended_at, refused_by_station=refused)


def _word(command: Command) -> tuple[str | None, str]:
    """The station's status, and why."""
    answer: Any = command.answer
    if command.outcome in (End.ANSWERED, End.LATE) and command.error_code is None and isinstance(answer, Mapping):
        info = answer.get("statusInfo") or {}
        said = [str(one) for one in (info.get("reasonCode"), info.get("additionalInfo")) if one]
        status = str(answer.get("status"))
        return status, ": ".join([status, *said])
    return None, ": ".join(filter(None, (command.error_code, command.error_description))) or str(command.outcome)
