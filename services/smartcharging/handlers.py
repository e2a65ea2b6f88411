"""A batch of calls, results and events: keeps and answers what stations report, keeps sessions and connections."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.common.calls import message_log
from services.common.calls.call import Answer, Call, Refused
from services.common.calls.replies import Replies
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
from services.smartcharging.domain.presence import StationChange
from services.smartcharging.domain.reports import ChosenSchedule, Reply, Report, ScheduleRejected, SessionLimit, decide
from services.smartcharging.domain.sessions import SessionReport
from services.smartcharging.sharing import Sharing

# Samples come all the time, and are planned for together.
SAMPLES_DUE_AFTER = timedelta(seconds=5)

Decision = tuple[Call, Report | Refused, Reply | Refused]


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
        changes = await self._changes(records)
        # Most of what happens is of no use here.
        if not (calls or results or changes):
            return []
        reports = [(call, DIALECTS.read(call)) for call in calls]
        async with self.database.transaction() as db:
            events = await message_log.keep(db, self.events, calls)
            await outbox.add(db, events)
            concluded = await self.command_service.conclude(db, results)
            changed = await _save(db, changes, self.clock())
            decided = await _decide(db, reports)
            await store.mark_changed(db, await _renegotiate(db, decided), self.clock())
        if events or concluded:
            self.command_service.tell()
        if changed or concluded:
            self.sharing.nudge()
        return self.replies.settle([(call, _answer(call, reply)) for call, _, reply in decided], self.clock())

    async def _changes(self, records: Sequence[Record]) -> list[SessionReport | StationChange]:
        """What events and connections say, as far as it matters here."""
        connections = [
            inbound_events.connection(record) for record in records if record.topic == self.topics.connections
        ]
        events = [
            (record, kind)
            for record in records
            if self._is_event(record) and (kind := inbound_events.kind_of_event(record))
        ]
        in_sites = await self._in_sites(
            {inbound_events.station_of(record) for record, kind in events if kind in inbound_events.TRANSACTIONS}
        )
        read = [
            inbound_events.read(record, kind, inbound_events.station_of(record) in in_sites) for record, kind in events
        ]
        return [change for change in (*connections, *read) if change]

    async def _in_sites(self, stations: Collection[str]) -> set[str]:
        """Those that are in sites."""
        if not stations:
            return set()
        async with self.database.connection() as db:
            return await store.stations_in_sites(db, stations)

    def _is_event(self, record: Record) -> bool:
        return record.topic not in (self.topics.calls, self.topics.results, self.topics.connections)


async def _decide(db: Connection, reports: Sequence[tuple[Call, Report | Refused]]) -> list[Decision]:
    """The reply to each report."""
    stations = {call.station_id for call, report in reports if isinstance(report, ChosenSchedule)}
    limits = await store.session_limits(db, stations)
    return [
        (call, report, report if isinstance(report, Refused) else decide(report, _session_limit(limits, call, report)))
        for call, report in reports
    ]


def _session_limit(limits: Mapping[Key, SessionLimit], call: Call, report: Report) -> SessionLimit | None:
    return limits.get((call.station_id, report.evse_id)) if isinstance(report, ChosenSchedule) else None


async def _renegotiate(db: Connection, decided: Sequence[Decision]) -> set[str]:
    """K15.FR.13, K16: where a vehicle wants more than its limit, that is sent again; the stations."""
    keys = [
        (call.station_id, report.evse_id)
        for call, report, reply in decided
        if isinstance(reply, ScheduleRejected) and isinstance(report, ChosenSchedule)
    ]
    await store.unconfirm_sessions(db, keys)
    return {station_id for station_id, _ in keys}


def _answer(call: Call, reply: Reply | Refused) -> Answer:
    return reply if isinstance(reply, Refused) else DIALECTS.write(call, reply)


async def _save(db: Connection, changes: Sequence[SessionReport | StationChange], now: datetime) -> bool:
    """Keeps what is new of stations and sessions; whether a site has to be planned at once."""
    reports = [change for change in changes if isinstance(change, SessionReport)]
    station_changes = [change for change in changes if not isinstance(change, SessionReport)]
    changed, sampled = await _save_sessions(db, reports, now)
    changed |= await _save_stations(db, station_changes)
    await store.mark_changed(db, changed, now)
    await store.mark_changed(db, sampled - changed, now + SAMPLES_DUE_AFTER)
    return bool(changed)


async def _save_sessions(db: Connection, reports: Sequence[SessionReport], now: datetime) -> tuple[set[str], set[str]]:
    """The stations whose sessions have changed, and those where only something was drawn."""
    if not reports:
        return set(), set()
    known = await store.load_sessions(db, {report.station_id for report in reports}, {report.id for report in reports})
    before = {session.id: session for session in known}
    after = sessions.apply_all(known, reports, now)
    ended = {session.id for session in after if sessions.only_ended(before.get(session.id), session)}
    await store.end_sessions(db, ended, now)
    await store.save_sessions(db, [session for session in after if session.id not in ended])
    sampled = {session.station_id for session in after if sessions.only_sampled(before.get(session.id), session)}
    return {session.station_id for session in after} - sampled, sampled


async def _save_stations(db: Connection, changes: Sequence[StationChange]) -> set[str]:
    if not changes:
        return set()
    known: Mapping[str, presence.Presence] = await store.load_stations(db, {change.station_id for change in changes})
    changed = presence.apply_all(known, changes)
    await store.save_stations(db, changed)
    return {station.station_id for station in changed}
