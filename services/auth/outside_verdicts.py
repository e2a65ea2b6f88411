"""What an outside authorizer says of idTokens: asked for, kept until it lapses, and forgotten."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.auth.domain.outside import taken
from services.auth.domain.requests import Authorize, verdict
from services.auth.handlers import authorization_decided
from services.auth.outside_authorizer import NoVerdict, OutsideAuthorizer
from services.auth.store import Store, UnitOfWork
from services.common.authorization.judge import place_of
from services.common.calls.call import Call, Refused
from services.common.calls.slow_answers import Conclude
from services.common.calls.stations import Stations
from services.common.kafka.bus import Record
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.ocpp.errors import ErrorCode

# As with any outage there is no verdict: the station decides by its own rules for idTokens that it does not know.
NO_VERDICT = Refused(ErrorCode.INTERNAL_ERROR, "nobody who may know the idToken answers")
# Those that have lapsed are shown for a while. Seconds between looks.
SHOWN, EVERY_SECONDS, AT_ONCE = timedelta(hours=1), 60.0, 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OutsideVerdicts:
    """Many processes may run it."""

    store: Store
    stations: Stations
    authorizer: OutsideAuthorizer | None
    clock: Clock

    async def ask(self, call: Call, request: Authorize) -> Conclude:
        """See slow_answers."""
        registration = self.stations.registration(call.station_id)
        if self.authorizer is None:
            # There was one when it was kept.
            return no_verdict
        try:
            said = await self.authorizer.ask(call.id, request.token, call.station_id, registration)
        except NoVerdict:
            return no_verdict

        async def conclude(db: Connection) -> tuple[object, Sequence[Record]]:
            work, now = UnitOfWork(db, self.store.publication), self.clock()
            decision = taken(await work.token(request.token.key), request.token, said, now)
            if decision:
                await work.save_outside(decision)
            tokens = await work.find_tokens(request.token.keys)
            # By what it was told, also where that has lapsed at once.
            reply = verdict(request, tokens, call.received_at, place_of(call.station_id, registration))
            await work.record([], [authorization_decided(call, reply, now)])
            return reply, ()

        return conclude

    async def run(self) -> None:
        """Forgets verdicts that have lapsed, until cancelled."""
        while True:
            try:
                while await self.forget() == AT_ONCE:
                    pass
            except Unavailable as error:
                log.warning("verdicts that have lapsed stay", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def forget(self) -> int:
        """Those that lapsed long enough ago; how many there were."""
        before = self.clock() - SHOWN
        lapsed = await self.store.lapsed(before, AT_ONCE)
        if lapsed:
            async with self.store.unit_of_work() as work:
                for one in sorted(lapsed, key=lambda one: one.key):
                    current = await work.token(one.key)
                    if current and current.token.outside_until and current.token.outside_until < before:
                        await work.remove_outside(current)
        return len(lapsed)


async def no_verdict(_: Connection) -> tuple[object, Sequence[Record]]:
    """Nobody has answered, in time."""
    return NO_VERDICT, ()
