"""A batch of ocpp.calls.smartcharging: read, decide, keep, answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.common import outbox, recorded
from services.common.bus import Record
from services.common.calls import Answer, Call, Refused, Replies
from services.common.clock import Clock
from services.common.commands_desk import Desk
from services.common.database import Database
from services.common.events import Events
from services.smartcharging.dialects import DIALECTS
from services.smartcharging.domain.reports import decide


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches. results: the topic of what became of commands."""

    database: Database
    desk: Desk
    events: Events
    replies: Replies
    results: str
    clock: Clock

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Keeps the calls, announces them, and gives the replies that stations wait for."""
        results = [record for record in records if record.topic == self.results]
        calls = [Call.read(record) for record in records if record.topic != self.results]
        answers = [answer(call) for call in calls]
        async with self.database.transaction() as db:
            events = await recorded.keep(db, self.events, calls)
            await outbox.add(db, events)
            concluded = await self.desk.conclude(db, results)
        if events or concluded:
            self.desk.tell()
        return self.replies.settle(zip(calls, answers, strict=True), self.clock())


def answer(call: Call) -> Answer:
    """What a station is told."""
    report = DIALECTS.read(call)
    return report if isinstance(report, Refused) else DIALECTS.write(call, decide(report))
