"""The batch shell of all services: results told apart from calls, calls read or refused, answers settled.

One rule for what cannot be read: a station that waits is told with a CALLERROR; what the gateway has acknowledged
already, and what is no CALL at all, is put aside as a dead letter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import structlog

from services.common.calls.call import Answer, Call, Later, Refused
from services.common.calls.dialects import Dialects
from services.common.calls.replies import Replies
from services.common.kafka import traced
from services.common.kafka.bus import Record
from services.common.kafka.dead_letters import dead_letter
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import InvalidContent, Unprocessable
from services.ocpp.errors import OcppError
from services.ocpp.topics import Topics

C = TypeVar("C")
T = TypeVar("T")

log = structlog.get_logger()


class Results(Protocol):
    """Who takes in what became of commands: the CommandService."""

    async def conclude(self, db: Connection, records: Sequence[Record]) -> Sequence[Any]:
        """Within the caller's transaction; the commands that changed."""

    def notify_changed(self) -> None:
        """After the commit: commands have changed, or the outbox has rows."""


@dataclass(slots=True)
class Batch(Generic[C]):
    """What was read.

    calls: in order, with their commands, or why they are refused. results: records of commands. others: records of the
    service's further topics. items: calls, and what was read of others, in the order in which they came. dead: letters.
    """

    now: datetime
    calls: list[tuple[Call, C | Refused]] = field(default_factory=list)
    results: list[Record] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    items: list[tuple[Call | None, Any]] = field(default_factory=list)
    dead: list[Record] = field(default_factory=list)

    @property
    def deviating(self) -> list[tuple[Call, str | None]]:
        """Calls that are read in other words than they came in, and those that are refused, with why."""
        return [
            (call, f"{command.code}: {command.description}" if isinstance(command, Refused) else None)
            for call, command in self.calls
            if call.normalised or isinstance(command, Refused)
        ]


class BatchShell(Generic[C]):
    """What handlers do alike, before and after what they decide.

    dialects: of the service. topics: its own. results: takes in what became of commands.
    """

    def __init__(self, *, dialects: Dialects[C], topics: Topics, results: Results, clock: Clock) -> None:
        self._dialects, self._topics, self._results, self._clock = dialects, topics, results, clock
        self._replies = Replies(topics.outbound)

    def read(self, records: Sequence[Record], other: Callable[[Record], Any] | None = None) -> Batch[C]:
        """Sorts records by their topics, and reads the calls among them.

        other: reads those of further topics, where their order among the calls matters; raises Unprocessable.
        """
        batch, topics = Batch[C](self._clock()), self._topics
        for record in records:
            if record.topic == topics.calls:
                self._read_call(batch, record)
            elif record.topic == topics.results:
                batch.results.append(record)
            elif other:
                self._read_other(batch, record, other)
            else:
                batch.others.append(record)
        return batch

    async def conclude(self, db: Connection, batch: Batch[C]) -> bool:
        """Takes in the results of commands, within the caller's transaction; whether any command changed."""
        return bool(batch.results and await self._results.conclude(db, batch.results))

    def notify_changed(self) -> None:
        """After the commit, where commands have changed or events were written."""
        self._results.notify_changed()

    def settle(self, batch: Batch[C], replies: Iterable[object | Refused]) -> list[Record]:
        """The records to publish: dead letters, and for each call of the batch, in order, its reply where one waits."""
        answers = [
            (call, self._answer(call, reply))
            for (call, _), reply in zip(batch.calls, replies, strict=True)
            if not isinstance(reply, Later)
        ]
        return [*batch.dead, *self._replies.settle(answers, self._clock())]

    def answer_later(self, call: Call, reply: object | Refused) -> list[Record]:
        """The record to publish for a call whose answer was left for later."""
        return self._replies.settle([(call, self._answer(call, reply))], self._clock())

    def command_of(self, call: Call) -> C | Refused:
        """What was read of a call when it came."""
        return self._command(call)

    def read_others(self, batch: Batch[C], read: Callable[[Record], T | None]) -> list[T]:
        """What the records of further topics say, where it is anything. read: raises Unprocessable."""
        found: list[T] = []
        for record in batch.others:
            try:
                if said := read(record):
                    found.append(said)
            except Unprocessable as reason:
                self.put_aside(batch, record, reason)
        return found

    def put_aside(self, batch: Batch[C], record: Record, reason: Unprocessable) -> None:
        """A record of the batch cannot be used: it becomes a dead letter, and the others go on."""
        traced.fail(record, reason)
        batch.dead.append(dead_letter(record, self._topics.dead, reason, batch.now))

    def _read_call(self, batch: Batch[C], record: Record) -> None:
        try:
            call = Call.read(record)
            if record.headers:
                _trace(record, call)
            command = self._command(call)
        except Unprocessable as reason:
            self.put_aside(batch, record, reason)
            return
        batch.calls.append((call, command))
        batch.items.append((call, command))
        if isinstance(command, Refused):
            log.warning("call refused", station_id=call.station_id, message_id=call.message_id, reason=command.code)
            if call.answered:
                self.put_aside(batch, record, InvalidContent(f"{command.code}: {command.description}"))

    def _read_other(self, batch: Batch[C], record: Record, read: Callable[[Record], Any]) -> None:
        try:
            batch.items.append((None, read(record)))
        except Unprocessable as reason:
            self.put_aside(batch, record, reason)

    def _command(self, call: Call) -> C | Refused:
        try:
            return self._dialects.read(call)
        except OcppError as error:
            return Refused(error.code.value, error.description)

    def _answer(self, call: Call, reply: object | Refused) -> Answer:
        return reply if isinstance(reply, Refused) else self._dialects.write(call, reply)


def _trace(record: Record, call: Call) -> None:
    told = {
        "voltbus.station.id": call.station_id,
        "voltbus.message.id": call.message_id,
        "voltbus.ocpp.action": call.action,
        "voltbus.ocpp.version": call.version,
    }
    traced.describe(record, call.id, f"decide {call.action}", told, ("message", call.station_id, call.message_id))
