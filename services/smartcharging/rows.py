"""Between rows and what the domain knows: one function each way and a table."""

from typing import Any

import asyncpg

from services.smartcharging.domain.applied_limit import AppliedLimit
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.loads import amperes
from services.smartcharging.domain.plan import DrawSamples
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.reports import SessionLimit
from services.smartcharging.domain.sessions import TrackedSession
from services.smartcharging.domain.site import Limit, Member, Site
from services.smartcharging.domain.site_state import Session

Row = tuple[Any, ...]


def site_row(site: Site) -> Row:
    return (site.site_id, site.limit.value, site.limit.unit, site.phases, site.voltage, site.default)


def member_row(site: Site, place: int, member: Member) -> Row:
    m = member
    what = (m.minimum, m.maximum, m.priority, m.unit)
    evse_ids = None if m.evse_ids is None else _array(m.evse_ids)
    return (m.station_id, site.site_id, place, evse_ids, "{" + ",".join(m.phases) + "}", *what)


def read_site(row: asyncpg.Record, members: list[asyncpg.Record]) -> Site:
    return Site(
        row["site_id"],
        Limit(row["limit_value"], row["limit_unit"]),
        tuple(read_member(member) for member in members),
        row["phases"],
        row["voltage"],
        row["default_current"],
    )


def read_member(row: asyncpg.Record) -> Member:
    evse_ids = None if row["evse_ids"] is None else tuple(row["evse_ids"])
    what = (row["minimum"], row["maximum"], row["priority"], row["unit"])
    return Member(row["station_id"], evse_ids, tuple(row["phases"]), *what)


def presence_row(station: Presence) -> Row:
    s = station
    return (s.station_id, s.connected, s.connection_id, s.connected_at, s.version, _array(s.evse_ids))


def read_presence(row: asyncpg.Record) -> Presence:
    fields: Row = (*row[:5], tuple(row["evse_ids"]))
    return Presence(*fields)


def tracked_row(session: TrackedSession) -> Row:
    s = session
    about = (s.id, s.station_id, s.evse_id, s.transaction_id, s.started_at, s.heard_at, s.ended_at)
    return (*about, s.unit, _array(s.draws), s.samples, s.sampled_at)


def read_tracked(row: asyncpg.Record) -> TrackedSession:
    fields: Row = (*row[:8], tuple(row["draws"]), *row[9:])
    return TrackedSession(*fields)


def read_session(row: asyncpg.Record) -> Session:
    return Session(**{name: row[name] for name in Session.__dataclass_fields__})


def read_draw_samples(row: asyncpg.Record) -> DrawSamples | None:
    return DrawSamples(row["unit"], tuple(row["draws"]), row["samples"]) if row["unit"] else None


def applied_limit_row(station_id: str, evse_id: int, session_id: int, hold: AppliedLimit, watch: DrawMonitor) -> Row:
    h, w = hold, watch
    asked = (h.held, h.asked, h.doubtful, h.command_id, h.asked_epoch, h.epoch)
    failed = (h.failures, h.refused, h.retry_at, h.changed_at, h.turn_at)
    return (station_id, evse_id, session_id, *asked, *failed, w.cap, w.lows, w.peak, w.patience, w.seen)


def read_applied_limit(row: asyncpg.Record) -> tuple[AppliedLimit, DrawMonitor]:
    hold = AppliedLimit(**{name: row[name] for name in AppliedLimit.__dataclass_fields__})
    return hold, DrawMonitor(**{name: row[name] for name in DrawMonitor.__dataclass_fields__})


def read_session_limit(row: asyncpg.Record) -> SessionLimit:
    current = amperes(row["held"])
    return SessionLimit(current, current * row["voltage"] * row["phases"])


def _array(values: tuple[Any, ...]) -> str:
    """As text: unnest would flatten an array of arrays."""
    return "{" + ",".join(map(repr, values)) + "}"
