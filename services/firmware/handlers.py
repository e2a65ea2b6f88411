"""A batch of calls and connection changes: read, load, decide in order, save, announce, answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import structlog
from msgspec import Struct
from msgspec.structs import replace

from services.common.calls import message_log
from services.common.calls.call import Answer, Call, Refused
from services.common.calls.replies import Replies
from services.common.commands.service import CommandService
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.firmware import connections, store
from services.firmware.announcements import announce, inventory, what
from services.firmware.configuration.fold import Fold
from services.firmware.dialects import DIALECTS
from services.firmware.domain.decide import decide, repeat
from services.firmware.domain.messages import (
    KEPT,
    Boot,
    Change,
    Command,
    Decision,
    Heard,
    ReportSettings,
    ReportStatus,
    SecurityReported,
    Verdict,
)
from services.firmware.domain.presence import seen
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import Station

log = structlog.get_logger()

Work: TypeAlias = Command | Change | Refused


class Item(Struct, frozen=True):
    """One record of a batch. call: None for the word of a gateway."""

    heard: Heard
    work: Work
    call: Call | None = None


@dataclass(slots=True)
class Known:
    """What a batch stands on. before: stations that were known. after: all, as they are decided about.

    verdicts: on boots that are read again.
    """

    before: Mapping[str, Station]
    after: dict[str, Station]
    verdicts: dict[str, Verdict]


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches.

    connections, results: the topics that gateways speak on. inventory: the topic of what stations are.
    """

    database: Database
    command_service: CommandService
    fold: Fold
    events: Events
    replies: Replies
    rules: Rules
    connections: str
    results: str
    inventory: str
    clock: Clock

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Everything of a batch in one transaction; then the replies that stations wait for."""
        results = [record for record in records if record.topic == self.results]
        items = [self._read(record) for record in records if record.topic != self.results]
        now = self.clock()
        async with self.database.transaction() as db:
            known = await _load(db, items, now)
            decisions = [self._decide(known, item, now) for item in items]
            await _save(db, known, items, decisions)
            concluded = await self.command_service.conclude(db, results)
            changed = [*self._changed(known, now), *await self._fold(db, items, decisions)]
            announced = await self._announce(db, items, decisions, changed)
        if announced or concluded:
            self.command_service.tell()
        _log(items, decisions)
        answers = [_answer(item, decision) for item, decision in zip(items, decisions, strict=True)]
        return self.replies.settle((answer for answer in answers if answer), self.clock())

    def _read(self, record: Record) -> Item:
        if record.topic == self.connections:
            return Item(*connections.read(record))
        call = Call.read(record)
        heard = Heard(call.id, call.station_id, call.connection_id, call.version, call.received_at, call.quarantined)
        return Item(heard, DIALECTS.read(call), call)

    def _decide(self, known: Known, item: Item, now: datetime) -> Decision:
        station = known.after[item.heard.station_id]
        if told := known.verdicts.get(item.heard.id):
            decision = repeat(station, item.heard, told, self.rules, now)
        elif isinstance(item.work, Refused):
            decision = seen(station, item.heard, self.rules, now)
        else:
            decision = decide(station, item.heard, item.work, self.rules, now)
        known.after[station.station_id] = decision.station
        return decision

    def _changed(self, known: Known, now: datetime) -> list[Record]:
        """What stations are, where that is not what they were."""
        pairs = ((known.before.get(name) or Station(name), after) for name, after in known.after.items())
        return [inventory(self.inventory, after, now) for before, after in pairs if what(after) != what(before)]

    async def _fold(self, db: Connection, items: Sequence[Item], decisions: Sequence[Decision]) -> list[Record]:
        """What the batch says of configuration."""
        await self.fold.heard(db, [event for decision in decisions for event in decision.events])
        parts = [(item.heard, item.work.part) for item in items if isinstance(item.work, ReportSettings)]
        return await self.fold.reported(db, parts)

    async def _announce(
        self, db: Connection, items: Sequence[Item], decisions: Sequence[Decision], changed: Sequence[Record]
    ) -> bool:
        kept = [item.call for item in items if item.call and isinstance(item.work, KEPT)]
        new = await message_log.save(db, kept)
        told = {call.id for call in kept} - {call.id for call in new}
        events = [event for decision in decisions for event in decision.events]
        # What was kept before is read again: what it says was announced then.
        decided = [event for event in events if not (isinstance(event, SecurityReported) and event.cause in told)]
        records = [announce(self.events, event) for event in decided]
        records += [*changed, *(message_log.event(self.events, call) for call in new)]
        await outbox.add(db, records)
        return bool(records)


async def _load(db: Connection, items: Sequence[Item], now: datetime) -> Known:
    names = {item.heard.station_id for item in items}
    before = await store.load_stations(db, names)
    after = {name: before.get(name) or Station(name) for name in names}
    wanted = {(item.heard.station_id, item.work.place) for item in items if isinstance(item.work, ReportStatus)}
    for station_id, connectors in (await store.load_connectors(db, wanted)).items():
        after[station_id] = replace(after[station_id], connectors=connectors)
    boots = [item.heard.id for item in items if isinstance(item.work, Boot)]
    return Known(before, after, await store.load_verdicts(db, boots, now))


async def _save(db: Connection, known: Known, items: Sequence[Item], decisions: Sequence[Decision]) -> None:
    await store.save_stations(db, known.before, known.after.values())
    await store.save_connectors(db, known.after.values())
    pairs = zip(items, decisions, strict=True)
    boots = [(item.call, d.reply) for item, d in pairs if item.call and isinstance(d.reply, Verdict)]
    await store.save_boots(db, boots)


def _log(items: Sequence[Item], decisions: Sequence[Decision]) -> None:
    for item, decision in zip(items, decisions, strict=True):
        if item.call and isinstance(decision.reply, Verdict):
            who = {"station_id": item.call.station_id, "message_id": item.call.message_id}
            log.info("booted", status=decision.reply.status, quarantined=item.call.quarantined, **who)


def _answer(item: Item, decision: Decision) -> tuple[Call, Answer] | None:
    if item.call is None:
        return None
    answer = item.work if isinstance(item.work, Refused) else DIALECTS.write(item.call, decision.reply)
    return item.call, answer
