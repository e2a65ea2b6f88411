"""A batch of calls, results and events: keeps and answers what stations report, keeps sessions and connections."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.common.calls import message_log
from services.common.calls.batch import Batch, BatchShell
from services.common.calls.call import Call, Refused
from services.common.commands.service import CommandService
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.smartcharging import inbound_events, store
from services.smartcharging.domain import presence, sessions
from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.presence import StationChange
from services.smartcharging.domain.profile import Kind, Profile, amounts
from services.smartcharging.domain.reports import (
    ChosenSchedule,
    Reply,
    Report,
    ScheduleRejected,
    SessionLimit,
    UpdateWanted,
    decide,
)
from services.smartcharging.domain.sessions import SessionReport
from services.smartcharging.installed_profiles import installed_on
from services.smartcharging.resuming import send_again
from services.smartcharging.sharing import Sharing

# Samples come all the time, and are planned for together.
SAMPLES_DUE_AFTER = timedelta(seconds=5)

Reports = Sequence[tuple[Call, Report | Refused]]


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches. connections: the topic of what gateways say; what comes on no topic of its own is an event."""

    database: Database
    shell: BatchShell[Report]
    command_service: CommandService
    sharing: Sharing
    events: Events
    connections: str
    clock: Clock

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Everything of a batch in one transaction; then the replies that stations wait for."""
        batch = self.shell.read(records)
        changes = await self._changes(batch)
        # Most of what happens is of no use here.
        if not (batch.calls or batch.results or changes):
            return batch.dead
        async with self.database.transaction() as db:
            events = await message_log.keep(db, self.events, [call for call, _ in batch.calls])
            await message_log.save_deviating(db, batch.deviating)
            await outbox.add(db, events)
            concluded = await self.shell.conclude(db, batch)
            changed = await _save(db, changes, self.clock())
            resumed = [one for one in changes if isinstance(one, SessionReport) and one.resumed and not one.superseded]
            if resumed:
                concluded |= await send_again(db, self.command_service, resumed, self.clock())
            replies = await _decide(db, batch.calls)
            await store.mark_changed(db, await _renegotiate(db, batch.calls, replies), self.clock())
        if events or concluded:
            self.shell.notify_changed()
        if resumed:
            self.command_service.nudge()
        if changed or concluded or resumed:
            self.sharing.nudge()
        return self.shell.settle(batch, replies)

    async def _changes(self, batch: Batch[Report]) -> list[SessionReport | StationChange]:
        """What events and connections say, as far as it matters here."""
        stations = {
            inbound_events.station_of(record)
            for record in batch.others
            if inbound_events.kind_of_event(record) in inbound_events.TRANSACTIONS
        }
        in_sites = await self._in_sites(stations)
        return self.shell.read_others(batch, lambda record: self._change(record, in_sites))

    def _change(self, record: Record, in_sites: Collection[str]) -> SessionReport | StationChange | None:
        if record.topic == self.connections:
            return inbound_events.connection(record)
        kind = inbound_events.kind_of_event(record)
        return inbound_events.read(record, kind, inbound_events.station_of(record) in in_sites) if kind else None

    async def _in_sites(self, stations: Collection[str]) -> set[str]:
        """Those that are in sites."""
        if not stations:
            return set()
        async with self.database.connection() as db:
            return await store.stations_in_sites(db, stations)


async def _decide(db: Connection, reports: Reports) -> list[Reply | Refused]:
    """The reply to each report."""
    stations = {call.station_id for call, report in reports if isinstance(report, ChosenSchedule)}
    limits = await store.session_limits(db, stations)
    profiles = await _dynamic_profiles(db, {call.station_id for call, one in reports if isinstance(one, UpdateWanted)})
    return [
        report
        if isinstance(report, Refused)
        else decide(report, _session_limit(limits, call, report), _amounts(profiles, call, report))
        for call, report in reports
    ]


async def _dynamic_profiles(db: Connection, stations: Collection[str]) -> Mapping[tuple[str, int], Profile]:
    """Those that stations have confirmed, by station and id."""
    found = {}
    for station_id in stations:
        for one in await installed_on(db, station_id):
            if one.installed and one.installed.kind == Kind.DYNAMIC:
                found[station_id, one.profile_id] = one.installed
    return found


def _amounts(profiles: Mapping[tuple[str, int], Profile], call: Call, report: Report) -> Mapping[str, float] | None:
    """What a profile says now, for the station that asks for an update of it."""
    profile = profiles.get((call.station_id, report.profile_id)) if isinstance(report, UpdateWanted) else None
    return amounts(profile) if profile else None


def _session_limit(limits: Mapping[Key, SessionLimit], call: Call, report: Report) -> SessionLimit | None:
    return limits.get((call.station_id, report.evse_id)) if isinstance(report, ChosenSchedule) else None


async def _renegotiate(db: Connection, reports: Reports, replies: Sequence[Reply | Refused]) -> set[str]:
    """K15.FR.13, K16: where a vehicle wants more than its limit, that is sent again; the stations."""
    keys = [
        (call.station_id, report.evse_id)
        for (call, report), reply in zip(reports, replies, strict=True)
        if isinstance(reply, ScheduleRejected) and isinstance(report, ChosenSchedule)
    ]
    await store.unconfirm_sessions(db, keys)
    return {station_id for station_id, _ in keys}


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
    known = await store.load_sessions(db, {report.id for report in reports})
    before = {session.id: session for session in known}
    after = sessions.apply_all(known, reports, now)
    ended = {one.id: one for one in after if sessions.only_ended(before.get(one.id), one)}
    await store.end_sessions(db, [*ended.values()])
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
