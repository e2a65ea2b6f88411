"""A batch of ocpp.calls.auth: read, decide, record, answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.auth import password_changing, securing
from services.auth.domain.outside import is_asked
from services.auth.domain.requests import (
    RECORDED,
    SLOW,
    AuthorizationDecided,
    Authorize,
    RegisteredTokens,
    Reply,
    Request,
    SignCertificate,
    Verdict,
    decide,
)
from services.auth.signing_requests_intake import SigningIntake
from services.auth.store import Store
from services.common.authorization.judge import Place, place_of
from services.common.calls import message_log, slow_answers
from services.common.calls.batch import BatchShell
from services.common.calls.call import Call, Later, Refused
from services.common.calls.stations import Stations
from services.common.kafka.bus import Record


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches."""

    store: Store
    stations: Stations
    shell: BatchShell[Request]
    intake: SigningIntake
    wake_signing: Callable[[], None]
    wake_slow: Callable[[], None]
    wake_lists: Callable[[], None]
    has_authorizer: bool = False

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """One query for all idTokens, one transaction for all that is recorded and announced; then the replies."""
        batch = self.shell.read(records)
        await self.stations.catch_up(
            {call.station_id for call, request in batch.calls if isinstance(request, Authorize)}
        )
        async with self.store.unit_of_work() as work:
            keys = {key for _, request in batch.calls if isinstance(request, Authorize) for key in request.token.keys}
            tokens = await work.find_tokens(keys)
            # Whoever else locks commands and signing requests does so in this order.
            concluded = await self.shell.conclude(work.db, batch)
            signing = [(call, request) for call, request in batch.calls if isinstance(request, SignCertificate)]
            answered = await self.intake.take(work, signing)
            replies = [
                answered.get(call.id) or self._reply(call, request, tokens, batch.now) for call, request in batch.calls
            ]
            later = [call for (call, _), reply in zip(batch.calls, replies, strict=True) if isinstance(reply, Later)]
            decided = [
                authorization_decided(call, reply, batch.now)
                for (call, _), reply in zip(batch.calls, replies, strict=True)
                if isinstance(reply, Verdict)
            ]
            await work.record([call for call, request in batch.calls if isinstance(request, RECORDED)], decided)
            await slow_answers.keep(work.db, later, batch.now)
            await message_log.save_deviating(work.db, batch.deviating)
            await password_changing.confirm(work.db, batch.results)
            await securing.keep(work.db, batch.results)
        if concluded:
            self.shell.notify_changed()
            self.wake_lists()
        if signing or concluded:
            self.wake_signing()
        if later:
            self.wake_slow()
        return self.shell.settle(batch, replies)

    def _reply(
        self, call: Call, request: Request | Refused, tokens: RegisteredTokens, now: datetime
    ) -> Reply | Refused | Later:
        if isinstance(request, Refused):
            return request
        if takes_time(call, request):
            return Later()
        reply = decide(request, tokens, now, self._place(call.station_id))
        return Later() if isinstance(reply, Verdict) and self._asks_outside(call, reply) else reply

    def _asks_outside(self, call: Call, reply: Verdict) -> bool:
        """Whether the outside authorizer may know what is not registered; for no station that is quarantined."""
        return self.has_authorizer and not call.quarantined and is_asked(reply.token, reply.info)

    def _place(self, station_id: str) -> Place:
        return place_of(station_id, self.stations.registration(station_id))


def takes_time(call: Call, request: Request | Refused) -> bool:
    """Whether somebody else is to be asked. Nobody is for a station that is quarantined."""
    if call.quarantined:
        return False
    return isinstance(request, SLOW) or (isinstance(request, Authorize) and request.contract is not None)


def authorization_decided(call: Call, reply: Verdict, now: datetime) -> AuthorizationDecided:
    """What is announced of a verdict."""
    return AuthorizationDecided(
        station_id=call.station_id,
        token=reply.token,
        info=reply.info,
        at=now,
        call_id=call.id,
        action=call.action,
        received_at=call.received_at,
    )
