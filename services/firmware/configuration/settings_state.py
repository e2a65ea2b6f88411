"""What a batch knows of settings, and what it changes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from services.common.desired.progress import Progress
from services.common.kafka.bus import Record
from services.firmware.configuration import reports_store, settings_store
from services.firmware.configuration.domain import settings
from services.firmware.configuration.domain.reports import Report
from services.firmware.configuration.domain.settings import Attempt, Observation, Setting

# Name and status.
SettingChange: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class SettingsState:
    """settings, reports, progress: as they were loaded, and then as they become.

    changed: settings to save. differing: those of them with another value, or another largest one. read_at: when
    everything was read, by station. complete_at: when that was all that the station has; 1.6 may keep keys to itself.
    records: to announce.
    """

    settings: dict[settings_store.Key, Setting]
    reports: dict[reports_store.Key, Report]
    progress: dict[str, Progress]
    changed: dict[settings_store.Key, Setting] = field(default_factory=dict)
    differing: set[settings_store.Key] = field(default_factory=set)
    read_at: dict[str, datetime] = field(default_factory=dict)
    complete_at: dict[str, datetime] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def observe(self, station_id: str, observation: Observation, at: datetime) -> list[SettingChange]:
        """Takes what a station says of a setting; what that changes, where it was known."""
        place = (station_id, settings.key(observation.name))
        before = self.settings.get(place)
        after = self.settings[place] = self.changed[place] = settings.observed(before, observation, at)
        if before is None or (before.value, _maximum(before)) != (after.value, _maximum(after)):
            self.differing.add(place)
        known = before is not None and before.known_at is not None
        differs = before and (before.value, before.unknown) != (after.value, after.unknown)
        return [(after.name, "observed")] if known and differs else []

    def attempt(self, station_id: str, name: str, attempt: Attempt) -> SettingChange:
        """Takes what an attempt came to."""
        place = (station_id, settings.key(name))
        after = self.settings[place] = self.changed[place] = settings.attempted(self.settings.get(place), name, attempt)
        last = after.attempt
        result = last.result if last and last.command_id == attempt.command_id else attempt.result
        return after.name, result.value


def _maximum(setting: Setting) -> float | None:
    return setting.characteristics.maximum if setting.characteristics else None
