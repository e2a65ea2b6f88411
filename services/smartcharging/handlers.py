"""A batch of calls, results and events: keep and answer what stations report, learn what sites are shared by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.common.calls import message_log
from services.common.calls.call import Answer, Call, Refused, Replies
from services.common.commands.service import CommandService
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.smartcharging import inbound_events, store
from services.smartcharging.dialects import DIALECTS
from services.smartcharging.domain import presence, sessions
from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.presence import Said
from services.smartcharging.domain.reports import Bound, ChosenSchedule, Reply, Report, ScheduleRefused, decide
from services.smartcharging.domain.sessions import Told
from services.smartcharging.sharing import Sharing

# Samples come all the time, and are looked at together.
UNHURRIED = timedelta(seconds=5)

Decided = tuple[Call, Report | Refused, Reply | Refused]


@dataclass(frozen=True, slots=True)
class Topics:
    """As they are called on this broker."""

    calls: str
    results: str
    connections: str


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches. What comes on none of the topics is an event."""

    database: Database
    command_service: CommandService
    sharing: Sharing
    events: Events
    replies: Replies
    topics: Topics
    clock: Clock

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Everything of a batch in one transaction; then the replies that stations wait for."""
        calls = [Call.read(record) for record in records if record.topic == self.topics.calls]
        results = [record for record in records if record.topic == self.topics.results]
        facts = await self._facts(records)
        # Most of what happens is of no use here.
        if not (calls or results or facts):
            return []
        reports = [(call, DIALECTS.read(call)) for call in calls]
        async with self.database.transaction() as db:
            events = await message_log.keep(db, self.events, calls)
            await outbox.add(db, events)
            concluded = await self.command_service.conclude(db, results)
            learned = await _learn(db, facts, self.clock())
            decided = await _decide(db, reports)
            await store.changed(db, await _renegotiate(db, decided), self.clock())
        if events or concluded:
            self.command_service.tell()
        if learned or concluded:
            self.sharing.nudge()
        return self.replies.settle([(call, _answer(call, reply)) for call, _, reply in decided], self.clock())

    async def _facts(self, records: Sequence[Record]) -> list[Told | Said]:
        """What others say, as far as it matters here."""
        said = [inbound_events.connection(record) for record in records if record.topic == self.topics.connections]
        events = [(record, kind) for record in records if self._event(record) and (kind := inbound_events.kind(record))]
        shared = await self._shared(
            {inbound_events.station(record) for record, kind in events if kind in inbound_events.TRANSACTIONS}
        )
        told = [inbound_events.read(record, kind, inbound_events.station(record) in shared) for record, kind in events]
        return [fact for fact in (*said, *told) if fact]

    async def _shared(self, stations: Collection[str]) -> set[str]:
        """Those that are in sites."""
        if not stations:
            return set()
        async with self.database.connection() as db:
            return await store.in_sites(db, stations)

    def _event(self, record: Record) -> bool:
        return record.topic not in (self.topics.calls, self.topics.results, self.topics.connections)


async def _decide(db: Connection, reports: Sequence[tuple[Call, Report | Refused]]) -> list[Decided]:
    """What stations are told about their reports."""
    chosen = {call.station_id for call, report in reports if isinstance(report, ChosenSchedule)}
    bounds = await store.bounds(db, chosen)
    return [
        (call, report, report if isinstance(report, Refused) else decide(report, _bound(bounds, call, report)))
        for call, report in reports
    ]


def _bound(bounds: Mapping[Key, Bound], call: Call, report: Report) -> Bound | None:
    return bounds.get((call.station_id, report.evse_id)) if isinstance(report, ChosenSchedule) else None


async def _renegotiate(db: Connection, decided: Sequence[Decided]) -> set[str]:
    """K15.FR.13, K16: where a vehicle wants more than its limit, that is sent again; the stations."""
    keys = [
        (call.station_id, report.evse_id)
        for call, report, reply in decided
        if isinstance(reply, ScheduleRefused) and isinstance(report, ChosenSchedule)
    ]
    await store.doubt(db, keys)
    return {station_id for station_id, _ in keys}


def _answer(call: Call, reply: Reply | Refused) -> Answer:
    return reply if isinstance(reply, Refused) else DIALECTS.write(call, reply)


async def _learn(db: Connection, facts: Sequence[Told | Said], now: datetime) -> bool:
    """Keeps what is new of stations and sessions; whether there is anything to look at at once."""
    told = [fact for fact in facts if isinstance(fact, Told)]
    said = [fact for fact in facts if not isinstance(fact, Told)]
    changed, sampled = await _learn_sessions(db, told, now)
    changed |= await _learn_stations(db, said)
    await store.changed(db, changed, now)
    await store.changed(db, sampled - changed, now + UNHURRIED)
    return bool(changed)


async def _learn_sessions(db: Connection, told: Sequence[Told], now: datetime) -> tuple[set[str], set[str]]:
    """The stations whose sessions have changed, and those where only something was drawn."""
    if not told:
        return set(), set()
    known = await store.load_sessions(db, {one.station_id for one in told}, {one.id for one in told})
    before = {session.id: session for session in known}
    after = sessions.fold(known, told, now)
    ended = {one.id for one in after if sessions.only_ended(before.get(one.id), one)}
    await store.end_sessions(db, ended, now)
    await store.save_sessions(db, [one for one in after if one.id not in ended])
    sampled = {one.station_id for one in after if sessions.only_sampled(before.get(one.id), one)}
    return {one.station_id for one in after} - sampled, sampled


async def _learn_stations(db: Connection, said: Sequence[Said]) -> set[str]:
    if not said:
        return set()
    known: Mapping[str, presence.Presence] = await store.load_stations(db, {one.station_id for one in said})
    changed = presence.fold(known, said)
    await store.save_stations(db, changed)
    return {station.station_id for station in changed}
