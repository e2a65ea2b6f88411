"""Folds what stations say of their settings into the picture: parts of reports, and answers to commands.

Everything of a batch is loaded, folded in order and saved in a statement each, within the caller's transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.common.commands.command import Command
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.firmware.configuration import announcements, reports_store, settings_store, steps_store
from services.firmware.configuration.answers import ACTIONS, SettingsAnswer, answer, never_delivered
from services.firmware.configuration.domain import reports, settings, steps
from services.firmware.configuration.domain.reports import Part, Report, ReportProgress
from services.firmware.configuration.domain.settings import Attempt, Observation, Setting
from services.firmware.domain.messages import Envelope, Event, StationBooted, StationConnected
from services.firmware.domain.station import BootStatus

SettingChange = tuple[str, str]


@dataclass(slots=True)
class SettingsState:
    """What a batch stands on, and what it changes.

    steps: by station. read: when everything was read. whole: when that was all that a station has; 1.6 may keep keys
    to itself.
    """

    settings: dict[settings_store.Key, Setting]
    reports: dict[reports_store.Key, Report]
    steps: dict[str, steps.Progress]
    changed: dict[settings_store.Key, Setting] = field(default_factory=dict)
    read: dict[str, datetime] = field(default_factory=dict)
    whole: dict[str, datetime] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def see(self, station_id: str, news: Observation, at: datetime) -> list[SettingChange]:
        """Takes what a station says of a setting; what that changes, where it was known."""
        where = (station_id, settings.key(news.name))
        before = self.settings.get(where)
        after = self.settings[where] = self.changed[where] = settings.observed(before, news, at)
        known = before is not None and before.known_at is not None
        otherwise = before and (before.value, before.unknown) != (after.value, after.unknown)
        return [(after.name, "observed")] if known and otherwise else []

    def attempt(self, station_id: str, name: str, attempt: Attempt) -> SettingChange:
        """Takes what an attempt came to."""
        where = (station_id, settings.key(name))
        after = self.settings[where] = self.changed[where] = settings.attempted(self.settings.get(where), name, attempt)
        last = after.attempt
        result = last.result if last and last.command_id == attempt.command_id else attempt.result
        return after.name, result.value


@dataclass(frozen=True, slots=True)
class SettingsProjection:
    """Keeps the picture."""

    events: Events
    clock: Clock

    async def apply_events(self, db: Connection, happened: Iterable[Event]) -> None:
        """A station that was never read is due, and so is one that is let in (B07.FR.14)."""
        now, happened = self.clock(), list(happened)
        boots = {e.station.station_id: e.station for e in happened if isinstance(e, StationBooted)}
        accepted = {id_ for id_, one in boots.items() if one.registration.status is BootStatus.ACCEPTED}
        await steps_store.begin(db, {e.station_id for e in happened if isinstance(e, StationConnected)} - accepted, now)
        await steps_store.booted(db, accepted, now + steps.HEARD)

    async def apply_reports(self, db: Connection, parts: Sequence[tuple[Envelope, Part]]) -> list[Record]:
        """Takes parts of reports; what is to be announced. Parts that are read again change nothing."""
        if not parts:
            return []
        keys = {(heard.station_id, settings.key(s.name)) for heard, part in parts for s in part.settings}
        numbers = {(heard.station_id, part.request_id) for heard, part in parts}
        picture = await self._load(db, keys, numbers, {heard.station_id for heard, _ in parts})
        for heard, part in parts:
            changes = [c for news in part.settings for c in picture.see(heard.station_id, news, heard.at)]
            picture.records += announcements.settings_changed(
                self.events, heard.station_id, changes, heard.id, None, heard.at
            )
            report = picture.reports[heard.station_id, part.request_id]
            self._progress(picture, reports.received(report, part, heard.at))
        await self._save(db, picture)
        return picture.records

    async def apply_commands(self, db: Connection, commands: Sequence[Command]) -> None:
        """Takes commands that came to their end; announces what came of it."""
        answers = [answer(command) for command in commands if command.action in ACTIONS]
        if not answers:
            return
        keys = {(a.command.station_id, settings.key(name)) for a in answers for name in _names(a)}
        numbers = {(a.command.station_id, a.promise.request_id) for a in answers if a.promise}
        picture = await self._load(db, keys, numbers, {a.command.station_id for a in answers})
        for one in answers:
            self._take(picture, one)
        await self._save(db, picture)
        await outbox.add(db, picture.records)

    async def expire_reports(self, db: Connection, overdue: Collection[reports_store.Key], since: datetime) -> None:
        """Reports of which nothing more was heard are incomplete."""
        picture = await self._load(db, (), overdue, {station_id for station_id, _ in overdue})
        for report in list(picture.reports.values()):
            # It may have gone on before it was locked.
            if report.progress is ReportProgress.RECEIVING and report.changed_at and report.changed_at < since:
                self._progress(picture, reports.expired(report))
        await self._save(db, picture)
        await outbox.add(db, picture.records)

    def _take(self, picture: SettingsState, one: SettingsAnswer) -> None:
        command, at = one.command, one.command.ended_at or self.clock()
        station_id = command.station_id
        changes = [c for news in one.reading.settings for c in picture.see(station_id, news, at)]
        for tried in one.tried:
            told = (tried.wanted, tried.result, tried.reason, command.created_at, at, command.id)
            changes.append(picture.attempt(station_id, tried.name, Attempt(*told)))
        cause = f"{command.id}/{command.outcome}"
        picture.records += announcements.settings_changed(self.events, station_id, changes, cause, command.id, at)
        if one.promise:
            self._progress(picture, _promised(picture.reports[station_id, one.promise.request_id], one, at))
        if one.reading.everything:
            picture.read[station_id] = at
        ended, lost = [command.id], [command.id] if never_delivered(command) else []
        picture.steps[station_id] = steps.done(picture.steps[station_id], ended, lost, self.clock())

    def _progress(self, picture: SettingsState, after: Report) -> None:
        """Takes what a report has come to, and what follows from its end."""
        station_id, where = after.station_id, (after.station_id, after.request_id)
        before, picture.reports[where] = picture.reports[where], after
        # What was asked for may be known only after the last part has come.
        if after.progress is ReportProgress.RECEIVING or (after.progress, after.base) == (before.progress, before.base):
            return
        picture.records.append(announcements.report_ended(self.events, after))
        if after.progress is ReportProgress.COMPLETE and after.base == reports.FULL_INVENTORY and after.begun_at:
            picture.read[station_id] = picture.whole[station_id] = after.begun_at
        id_ = steps.report_id(after.request_id)
        picture.steps[station_id] = steps.done(picture.steps[station_id], [id_], [], self.clock())

    async def _load(
        self,
        db: Connection,
        keys: Collection[settings_store.Key],
        numbers: Collection[reports_store.Key],
        station_ids: Collection[str],
    ) -> SettingsState:
        """Locks first, so that two who change one station's picture do it one after the other."""
        progress = await steps_store.lock(db, station_ids, self.clock())
        known = await settings_store.load(db, keys)
        return SettingsState(known, await reports_store.load(db, numbers), progress)

    async def _save(self, db: Connection, picture: SettingsState) -> None:
        await settings_store.save(db, picture.changed)
        await reports_store.save(db, (report for report in picture.reports.values() if report.changed_at))
        versions = await steps_store.firmware_versions(db, list(picture.read))
        for station_id, at in picture.read.items():
            picture.steps[station_id] = steps.read(picture.steps[station_id], versions.get(station_id), at)
        await steps_store.save(db, picture.steps.values())
        await settings_store.forget(db, picture.whole)


def _promised(report: Report, one: SettingsAnswer, at: datetime) -> Report:
    promise, command = one.promise, one.command
    assert promise is not None, "asked only for promises"
    told = (promise.base, command.id)
    if promise.accepted:
        return reports.accepted(report, *told, command.sent_at or at, at)
    if promise.reason == "EmptyResultSet":
        return reports.empty(report, *told, command.sent_at or at, at)
    return reports.refused(report, *told, promise.reason or "", at)


def _names(one: SettingsAnswer) -> list[str]:
    return [news.name for news in one.reading.settings] + [tried.name for tried in one.tried]
