"""Projects what stations say of their settings onto what is known of them: parts of reports, and answers to commands.

Everything of a batch is loaded, projected in order and saved in a statement each, within the caller's transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.common.commands.command import Command
from services.common.desired import progress
from services.common.desired.progress import BOOT_SETTLES, undelivered
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.firmware.configuration import (
    announcements,
    capabilities,
    connectors_store,
    reports_store,
    settings_store,
    stations_store,
)
from services.firmware.configuration.answers import ACTIONS, SettingsAnswer, answer
from services.firmware.configuration.domain import reports, settings
from services.firmware.configuration.domain.denials import NUMBER_OF_CONNECTORS, number_of_connectors
from services.firmware.configuration.domain.reports import Part, Report, ReportProgress
from services.firmware.configuration.domain.settings import Attempt
from services.firmware.configuration.settings_state import SettingsState
from services.firmware.configuration.stores import PROGRESS
from services.firmware.domain.messages import Envelope, Event, StationBooted, StationConnected
from services.firmware.domain.station import BootStatus


@dataclass(frozen=True, slots=True)
class SettingsProjection:
    """Keeps what is known of settings. inventory: the topic of what stations are, and can."""

    events: Events
    inventory: str
    clock: Clock

    async def apply_events(self, db: Connection, events: Iterable[Event]) -> None:
        """A station that was never read is due, and so is one that is let in (B07.FR.14)."""
        now, events = self.clock(), list(events)
        boots = {event.station.station_id: event.station for event in events if isinstance(event, StationBooted)}
        accepted = {
            id_: station.identity.firmware_version
            for id_, station in boots.items()
            if station.registration.status is BootStatus.ACCEPTED
        }
        connected = {event.station_id for event in events if isinstance(event, StationConnected)}
        await PROGRESS.connected(db, connected - accepted.keys(), now)
        await PROGRESS.booted(db, accepted, now + BOOT_SETTLES)

    async def apply_reports(self, db: Connection, parts: Sequence[tuple[Envelope, Part]]) -> list[Record]:
        """Takes parts of reports; what is to be announced. Parts that are read again change nothing."""
        if not parts:
            return []
        keys = {(source.station_id, settings.key(one.name)) for source, part in parts for one in part.settings}
        numbers = {(source.station_id, part.request_id) for source, part in parts}
        state = await self._load(db, keys, numbers, {source.station_id for source, _ in parts})
        for source, part in parts:
            station_id, at = source.station_id, source.at
            changes = [change for one in part.settings for change in state.observe(station_id, one, at)]
            state.records += announcements.settings_changed(self.events, station_id, changes, source.id, None, at)
            self._progress(state, reports.received(state.reports[station_id, part.request_id], part, at))
        await self._save(db, state)
        return state.records

    async def apply_commands(self, db: Connection, commands: Sequence[Command]) -> None:
        """Takes commands that came to their end; announces what came of it."""
        answers = [answer(command) for command in commands if command.action in ACTIONS]
        if not answers:
            return
        keys = {(one.command.station_id, settings.key(name)) for one in answers for name in _names(one)}
        numbers = {(one.command.station_id, one.report.request_id) for one in answers if one.report}
        state = await self._load(db, keys, numbers, {one.command.station_id for one in answers})
        for one in answers:
            self._apply(state, one)
        await self._save(db, state)
        await outbox.add(db, state.records)

    async def expire_reports(self, db: Connection, overdue: Collection[reports_store.Key], since: datetime) -> None:
        """Reports of which nothing more has come are incomplete."""
        state = await self._load(db, (), overdue, {station_id for station_id, _ in overdue})
        for report in list(state.reports.values()):
            # It may have gone on before it was locked.
            if report.progress is ReportProgress.RECEIVING and report.changed_at and report.changed_at < since:
                self._progress(state, reports.expired(report))
        await self._save(db, state)
        await outbox.add(db, state.records)

    def _apply(self, state: SettingsState, one: SettingsAnswer) -> None:
        command, at = one.command, one.command.ended_at or self.clock()
        station_id = command.station_id
        changes = [change for seen in one.reading.settings for change in state.observe(station_id, seen, at)]
        for result in one.results:
            attempt = Attempt(
                wanted=result.wanted,
                result=result.result,
                reason=result.reason,
                asked_at=command.created_at,
                at=at,
                command_id=command.id,
            )
            changes.append(state.attempt(station_id, result.name, attempt))
        cause = (
            f"{command.id}/{command.outcome}"
            if command.part is None
            else f"{command.id}/{command.part}/{command.outcome}"
        )
        state.records += announcements.settings_changed(self.events, station_id, changes, cause, command.id, at)
        if one.report:
            self._progress(state, _replied(state.reports[station_id, one.report.request_id], one, at))
        if one.reading.everything:
            state.read_at[station_id] = at
        if command.part is None:
            self._done(state, station_id, command.id, lost=undelivered(command))

    def _progress(self, state: SettingsState, after: Report) -> None:
        """Takes what a report has come to, and what follows from its end."""
        station_id, place = after.station_id, (after.station_id, after.request_id)
        before, state.reports[place] = state.reports[place], after
        # What was asked for may be known only after the last part has come.
        if after.progress is ReportProgress.RECEIVING or (after.progress, after.base) == (before.progress, before.base):
            return
        state.records.append(announcements.report_ended(self.events, after))
        if after.progress is ReportProgress.COMPLETE and after.base == reports.FULL_INVENTORY and after.begun_at:
            state.read_at[station_id] = state.complete_at[station_id] = after.begun_at
        self._done(state, station_id, reports.waiting_id(after.request_id))

    def _done(self, state: SettingsState, station_id: str, id_: str, lost: bool = False) -> None:
        """What the station's progress may have waited for has come to its end. lost: it never reached the station."""
        ended, never = [id_], [id_] if lost else []
        state.progress[station_id] = progress.done(state.progress[station_id], ended, never, self.clock())

    async def _load(
        self,
        db: Connection,
        keys: Collection[settings_store.Key],
        numbers: Collection[reports_store.Key],
        station_ids: Collection[str],
    ) -> SettingsState:
        """Locks first, so that two who change one station's settings do it one after the other."""
        locked = await PROGRESS.lock(db, station_ids, self.clock())
        known = await settings_store.load(db, keys)
        return SettingsState(known, await reports_store.load(db, numbers), locked)

    async def _save(self, db: Connection, state: SettingsState) -> None:
        await settings_store.save(db, state.changed)
        await reports_store.save(db, (report for report in state.reports.values() if report.changed_at))
        versions = await stations_store.firmware_versions(db, list(state.read_at))
        for station_id, at in state.read_at.items():
            state.progress[station_id] = progress.read(state.progress[station_id], versions.get(station_id), at)
        await PROGRESS.save(db, state.progress.values())
        differing = state.differing | await settings_store.forget(db, state.complete_at)
        state.records += await capabilities.told_anew(db, self.inventory, differing, self.clock())
        await connectors_store.drop_unnamed(db, state.complete_at)
        await connectors_store.drop_beyond(db, _counts(state))


def _counts(state: SettingsState) -> dict[str, tuple[int, datetime]]:
    """How many connectors stations of 1.6 have said that they have, and when."""
    return {
        station_id: (count, one.known_at)
        for (station_id, key), one in state.changed.items()
        if key == NUMBER_OF_CONNECTORS and one.known_at and (count := number_of_connectors(one.value))
    }


def _replied(report: Report, one: SettingsAnswer, at: datetime) -> Report:
    reply, command = one.report, one.command
    assert reply is not None, "only where a report was asked for"
    source = (reply.base, command.id)
    if reply.accepted:
        return reports.accepted(report, *source, command.sent_at or at, at)
    if reply.reason == "EmptyResultSet":
        return reports.empty(report, *source, command.sent_at or at, at)
    return reports.refused(report, *source, reply.reason or "", at)


def _names(one: SettingsAnswer) -> list[str]:
    return [seen.name for seen in one.reading.settings] + [result.name for result in one.results]
