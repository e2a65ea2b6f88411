"""What is announced of configuration: that settings have changed, never to what; that a report has ended."""

from collections.abc import Sequence
from datetime import datetime

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.firmware.configuration.domain.reports import Report
from voltbus.v1.events_pb2 import ConfigurationChanged, ConfigurationReported, SettingChange

# Names in one event: a new firmware may change them all.
NAMES_PER_EVENT = 500


def settings_changed(
    events: Events,
    station_id: str,
    changes: Sequence[tuple[str, str]],
    cause: str,
    command_id: str | None,
    at: datetime,
) -> list[Record]:
    """changes: name and status. None where nothing has changed."""
    records = []
    for start in range(0, len(changes), NAMES_PER_EVENT):
        part = changes[start : start + NAMES_PER_EVENT]
        named = [SettingChange(name=name, status=f"SETTING_STATUS_{status.upper()}") for name, status in part]
        event = ConfigurationChanged(station_id=station_id, settings=named, command_id=command_id or "", at=at)
        records.append(events.record(event, station_id, f"{cause}/{start}", at))
    return records


def report_ended(events: Events, report: Report) -> Record:
    """The end of a report."""
    assert report.changed_at is not None, "what has ended has changed"
    event = ConfigurationReported(
        station_id=report.station_id,
        request_id=report.request_id,
        base=report.base or "",
        status=f"REPORT_STATUS_{report.progress.name}",
        missing_seq_nos=report.missing,
        command_id=report.command_id or "",
        at=report.changed_at,
    )
    cause = f"{report.request_id}/{report.base}/{report.begun_at}/{report.progress}"
    return events.record(event, report.station_id, cause, report.changed_at)
