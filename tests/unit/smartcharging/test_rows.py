"""Rows in the order of their columns."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.smartcharging import rows
from services.smartcharging.domain.applied_limit import AppliedLimit
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.sessions import TrackedSession
from services.smartcharging.domain.site import Limit, Member, Site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def columns(names: tuple[str, ...], row: rows.Row) -> Any:
    return dict(zip(names, row, strict=True))


def test_an_applied_limit_and_its_monitor_are_read_as_they_were_written() -> None:
    applied = AppliedLimit(1, 2, 3, "c", NOW, NOW, 4, True, NOW, NOW, NOW)
    monitor = DrawMonitor(5, 6, 7, 8, 9)
    row = columns(rows.LIMIT_COLUMNS, rows.applied_limit_row(("CP1", 2, 3), applied, monitor))
    assert (row["station_id"], row["evse_id"], row["session_id"], row["held"], row["seen"]) == ("CP1", 2, 3, 1, 9)
    assert rows.read_applied_limit(row) == (applied, monitor)


def test_stations_and_sessions_are_read_as_they_were_written() -> None:
    station = Presence("CP1", True, "a", NOW, "1.6", (1, 2))
    row = columns(rows.STATION_COLUMNS, rows.presence_row(station))
    assert row["evse_ids"] == "{1,2}"
    assert rows.read_presence(row | {"evse_ids": [1, 2]}) == station
    session = TrackedSession(1, "CP1", 2, "tx", NOW, NOW, None, "A", (1.5, 2.0), 2, NOW)
    row = columns(rows.TRACKED_COLUMNS, rows.tracked_row(session))
    assert row["draws"] == "{1.5,2.0}"
    assert rows.read_tracked(row | {"draws": [1.5, 2.0]}) == session


def test_members_are_read_as_they_were_written() -> None:
    member = Member("CP1", (1, 2), ("L2", "L3"), minimum=60, maximum=160, priority=3, unit="W")
    site = Site("garage", Limit(32), (member,))
    row = columns(rows.MEMBER_COLUMNS, rows.member_row(site, 5, member))
    assert (row["site_id"], row["place"], row["phases"], row["evse_ids"]) == ("garage", 5, "{L2,L3}", "{1,2}")
    assert rows.read_member(row | {"evse_ids": [1, 2], "phases": ["L2", "L3"]}) == member
    assert columns(rows.MEMBER_COLUMNS, rows.member_row(site, 0, replace(member, evse_ids=None)))["evse_ids"] is None


def test_the_limit_of_a_session_in_watts_is_of_all_its_phases() -> None:
    row: Any = {"held": 100, "voltage": 230, "phases": 2}
    limit = rows.read_session_limit(row)
    assert (limit.amperes, limit.watts) == (10, 4600)
