"""Between rows and what the domain knows: the columns of each table, and one function each way.

Rows that are written go by position, so each is asserted here to be in the order of its columns.
"""

from dataclasses import fields
from operator import attrgetter
from typing import Any

import asyncpg

from services.smartcharging.domain.applied_limit import AppliedLimit, LimitKey
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.loads import amperes
from services.smartcharging.domain.plan import DrawSamples
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.reports import SessionLimit
from services.smartcharging.domain.sessions import TrackedSession
from services.smartcharging.domain.site import Limit, Member, Site
from services.smartcharging.domain.site_state import Session

Row = tuple[Any, ...]


def _names(of: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(of))


APPLIED, MONITOR, SESSION = _names(AppliedLimit), _names(DrawMonitor), _names(Session)
LIMIT_COLUMNS = ("station_id", "evse_id", "session_id", *APPLIED, *MONITOR)
MEMBER_COLUMNS = ("station_id", "site_id", "place", "evse_ids", "phases", "minimum", "maximum", "priority", "unit")
STATION_COLUMNS = ("station_id", "connected", "connection_id", "connected_at", "version", "evse_ids")
TRACKED_COLUMNS = (
    *("id", "station_id", "evse_id", "transaction_id", "started_at", "heard_at", "ended_at"),
    *("unit", "draws", "samples", "sampled_at", "superseded", "revision", "draws_on_at"),
    *("metered_at", "metered_wh"),
)
assert Presence.__struct_fields__ == STATION_COLUMNS
assert TrackedSession.__struct_fields__ == TRACKED_COLUMNS

_member = attrgetter(*MEMBER_COLUMNS[5:])
_station = attrgetter(*STATION_COLUMNS[:-1])
_tracked = attrgetter(*TRACKED_COLUMNS)
_applied, _monitor = attrgetter(*APPLIED), attrgetter(*MONITOR)


def site_row(site: Site) -> Row:
    return (site.site_id, site.limit.value, site.limit.unit, site.phases, site.voltage, site.default, site.author)


def member_row(site: Site, place: int, member: Member) -> Row:
    evse_ids = None if member.evse_ids is None else _array(member.evse_ids)
    return (member.station_id, site.site_id, place, evse_ids, "{" + ",".join(member.phases) + "}", *_member(member))


def read_site(row: asyncpg.Record, members: list[asyncpg.Record]) -> Site:
    return Site(
        site_id=row["site_id"],
        limit=Limit(row["limit_value"], row["limit_unit"]),
        members=tuple(read_member(member) for member in members),
        phases=row["phases"],
        voltage=row["voltage"],
        default=row["default_current"],
    )


def read_member(row: asyncpg.Record) -> Member:
    return Member(
        station_id=row["station_id"],
        evse_ids=None if row["evse_ids"] is None else tuple(row["evse_ids"]),
        phases=tuple(row["phases"]),
        minimum=row["minimum"],
        maximum=row["maximum"],
        priority=row["priority"],
        unit=row["unit"],
    )


def presence_row(station: Presence) -> Row:
    return (*_station(station), _array(station.evse_ids))


def read_presence(row: asyncpg.Record) -> Presence:
    return Presence(**{**row, "evse_ids": tuple(row["evse_ids"])})


def tracked_row(session: TrackedSession) -> Row:
    return tuple(_array(value) if type(value) is tuple else value for value in _tracked(session))


def read_tracked(row: asyncpg.Record) -> TrackedSession:
    """Other columns may be beside its own."""
    return TrackedSession(**{name: row[name] for name in TRACKED_COLUMNS} | {"draws": tuple(row["draws"])})


def read_session(row: asyncpg.Record) -> Session:
    return Session(**{name: row[name] for name in SESSION})


def read_draw_samples(row: asyncpg.Record) -> DrawSamples | None:
    return DrawSamples(row["unit"], tuple(row["draws"]), row["samples"]) if row["unit"] else None


def applied_limit_row(key: LimitKey, applied: AppliedLimit, monitor: DrawMonitor) -> Row:
    return (*key, *_applied(applied), *_monitor(monitor))


def read_applied_limit(row: asyncpg.Record) -> tuple[AppliedLimit, DrawMonitor]:
    return AppliedLimit(**{name: row[name] for name in APPLIED}), DrawMonitor(**{name: row[name] for name in MONITOR})


def read_session_limit(row: asyncpg.Record) -> SessionLimit:
    current = amperes(row["held"])
    return SessionLimit(current, current * row["voltage"] * row["phases"])


def _array(values: tuple[Any, ...]) -> str:
    """As text: unnest would flatten an array of arrays."""
    return "{" + ",".join(map(repr, values)) + "}"
