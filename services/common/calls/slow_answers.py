"""Answers that take time: asked outside of the order of a partition, and given on the connection that the call came by.

A handler says Later, and keeps the call in the transaction of its batch; the station's other messages go on. Any
process of the service asks, and writes the answer with what was decided in one transaction; what a process that died
has asked is taken up again. A call that is read again is not asked again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import asyncpg
import structlog

from services.common.calls.batch import BatchShell
from services.common.calls.call import Call, Refused, call_record
from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.common.postgres.retention import PlainTable
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.wakeup import Wakeup
from services.ocpp.errors import ErrorCode
from voltbus.v1.bus_pb2 import Call as CallRecord

C = TypeVar("C")
# Calls that a process asks about at once. Seconds between turns.
AT_ONCE, EVERY_SECONDS = 100, 1.0
# Gateways wait 30 s by default; so long anybody else is asked.
WITHIN = timedelta(seconds=20)
# Whose process was not heard of for so long is taken by another.
CLAIM = timedelta(seconds=5)
# Answered calls are known again for longer than Kafka keeps them.
KEPT = PlainTable(table="slow_answer", setting="command_days", time="asked_at", needed="due_at is not null")
KEEP = """
insert into slow_answer (call_id, station_id, call, asked_at, due_at)
select call_id, station_id, call, asked_at, $5
from unnest($1::text[], $2::text[], $3::bytea[], $4::timestamptz[]) as one (call_id, station_id, call, asked_at)
on conflict (call_id) do nothing"""
TAKE = """
update slow_answer set due_at = $2 where call_id = any(array(
    select call_id from slow_answer where due_at <= $1 order by due_at limit $3 for update skip locked))
returning call"""
RENEW = "update slow_answer set due_at = $2 where call_id = any($1::text[]) and due_at is not null"
# The call itself may have a certificate in it, and is needed no more.
ANSWERED = """
update slow_answer set due_at = null, answered_at = $2, call = '' where call_id = $1 and due_at is not null
returning call_id"""

# Neither a server of ours that was away nor a mistake of ours is a verdict.
TOO_LATE = Refused(ErrorCode.INTERNAL_ERROR, "it could not be asked about in time")
MISTAKE = Refused(ErrorCode.INTERNAL_ERROR, "internal error")

log = structlog.get_logger()

Conclude = Callable[[Connection], Awaitable[tuple[object, Sequence[Record]]]]
"""Within the transaction of the answer: the reply, and what else is to be published."""
Ask = Callable[[Call, C], Awaitable[Conclude]]
"""Takes its time, and is cancelled when that is over."""
GiveUp = Callable[[Call, C], Conclude]
"""What is concluded where those who were asked have not answered in time."""


async def keep(db: Connection, calls: Sequence[Call], now: datetime) -> None:
    """Within the transaction of the batch; calls that were kept before stay as they are."""
    if calls:
        rows = ((call.id, call.station_id, call_record(call), call.received_at) for call in calls)
        await db.execute(KEEP, *(list(column) for column in zip(*rows, strict=True)), now)


@dataclass(slots=True)
class SlowAnswers(Generic[C]):
    """Gives the answers of a service. Many processes may run it. wake_outbox: after something was written there.

    asks: by the class of what was read of a call.
    """

    database: Database
    shell: BatchShell[C]
    asks: Mapping[type, Ask[C]]
    give_up: GiveUp[C]
    clock: Clock
    wake_outbox: Callable[[], None]
    wake: Wakeup = field(default_factory=Wakeup)
    _asking: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    for call in await self._take():
                        self._asking.add(call.id)
                        group.create_task(self._answer(call))
                except Unavailable as error:
                    log.warning("slow answers wait", reason=str(error))
                await self.wake.wait(EVERY_SECONDS)

    async def _take(self) -> list[Call]:
        """Those that nobody asks about; they and those that are asked about here are ours for a while."""
        now = self.clock()
        async with self.database.transaction() as db:
            if self._asking:
                await db.execute(RENEW, list(self._asking), now + CLAIM)
            room = AT_ONCE - len(self._asking)
            taken: list[asyncpg.Record] = await db.fetch(TAKE, now, now + CLAIM, room) if room > 0 else []
        return [Call.of(CallRecord.FromString(row["call"])) for row in taken]

    async def _answer(self, call: Call) -> None:
        try:
            await self._asked_and_concluded(call)
        except Unavailable as error:
            # It is taken again when its claim ends.
            log.warning("a slow answer waits", station_id=call.station_id, action=call.action, reason=str(error))
        finally:
            self._asking.discard(call.id)
            self.wake()

    async def _asked_and_concluded(self, call: Call) -> None:
        """Raises Unavailable."""
        try:
            await self._conclude(call, await self._asked(call))
        except Unavailable:
            raise
        except Exception:
            # A mistake of ours with one does not take the others with it, and is not made again and again.
            log.exception("a slow answer could not be given", station_id=call.station_id, action=call.action)
            await self._conclude(call, _refusing(MISTAKE))

    async def _asked(self, call: Call) -> Conclude:
        """Raises Unavailable."""
        request = self.shell.command_of(call)
        if isinstance(request, Refused):
            return _refusing(request)
        left = (call.received_at + WITHIN - self.clock()).total_seconds()
        if left <= 0:
            return _refusing(TOO_LATE)
        try:
            async with asyncio.timeout(left):
                return await self.asks[type(request)](call, request)
        except TimeoutError:
            log.warning("nobody has answered in time", station_id=call.station_id, action=call.action)
        return self.give_up(call, request)

    async def _conclude(self, call: Call, conclude: Conclude) -> None:
        async with self.database.transaction() as db:
            if await db.fetchval(ANSWERED, call.id, self.clock()):
                reply, records = await conclude(db)
                await outbox.add(db, [*records, *self.shell.answer_later(call, reply)])
        self.wake_outbox()


def _refusing(reply: Refused) -> Conclude:
    async def conclude(_: Connection) -> tuple[object, Sequence[Record]]:
        return reply, ()

    return conclude
