"""Uptime of connectors, a page of stations at a time: what is stored of them, measured."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from services.common.postgres.database import Connection
from services.firmware.domain.history import LIVE, state_of
from services.firmware.domain.presence import gone_since
from services.firmware.domain.remote import ChangeAvailability
from services.firmware.domain.station import ITSELF, Place, Presence, ports
from services.firmware.domain.uptime import Change, Interval, Port, Uptime, measure, out_of_use
from services.firmware.listing.query import ListedStation
from services.firmware.scheduled import agreed

CONNECTORS = """
select station_id, evse_id, connector_id, coalesce(first_at, since) as known_since, gone_at from connector
where station_id = any($1::text[])
order by station_id"""
# The last before the period, and those in it.
CHANGES = """
select c.station_id, c.evse_id, c.connector_id, h.happened_at, h.received_at, h.status
from connector c cross join lateral (
    (select happened_at, received_at, status from status_change s
    where s.station_id = c.station_id and s.evse_id = c.evse_id and s.connector_id = c.connector_id
        and s.matters and s.happened_at <= $2
    order by s.happened_at desc, s.received_at desc limit 1)
    union all
    (select happened_at, received_at, status from status_change s
    where s.station_id = c.station_id and s.evse_id = c.evse_id and s.connector_id = c.connector_id
        and s.matters and s.happened_at > $2 and s.happened_at < $3)) h
where c.station_id = any($1::text[])"""
OFFLINE = """
select station_id, begin_at, end_at from offline_period
where station_id = any($1::text[]) and begin_at < $3 and end_at > $2"""
UNREGISTERED = """
select station_id, begin_at, coalesce(end_at, $3) as end_at from unregistered_period
where station_id = any($1::text[]) and begin_at < $3 and coalesce(end_at, $3) > $2"""
WINDOWS = """
select s.station_id, w.begin_at, w.end_at
from station s join maintenance_window w
    on w.station_id = s.station_id or w.station_group = any(s.groups) or w.location_id = s.location_id
where s.station_id = any($1::text[]) and w.begin_at < $3 and w.end_at > $2"""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MeasuredConnector:
    """A connector and its uptime."""

    station_id: str
    place: Place
    uptime: Uptime


async def measured(
    db: Connection, stations: Sequence[ListedStation], begin: datetime, end: datetime
) -> list[MeasuredConnector]:
    """All connectors of some stations, but those that were gone before. end: not later than now."""
    names = [one.station.station_id for one in stations]
    orders = await agreed(db, names, LONG_AGO)
    known = await _connectors(db, names)
    ordered = {
        (name, place): out_of_use(_availability(orders[name]), place, end)
        for name, rows in known.items()
        for place in ports(rows)
    }
    # An order excuses no fault from before it.
    orders_stand = [one.begin - LIVE for each in ordered.values() for one in each if one.end > begin]
    changes = await _changes(db, names, min([begin, *orders_stand]), end)
    offline = await _intervals(db, OFFLINE, names, begin, end)
    unregistered = await _intervals(db, UNREGISTERED, names, begin, end)
    windows = await _intervals(db, WINDOWS, names, begin, end)
    for one in stations:
        offline[one.station.station_id] += _away_now(one.station.presence, end)
    found = []
    for (name, place), inoperative in ordered.items():
        row, evse = known[name][place], Place(place.evse_id, 0)
        if row["gone_at"] and row["gone_at"] <= begin:
            continue
        port = Port(
            known_since=row["known_since"],
            changes=changes[name, place],
            evse_changes=changes[name, evse] if place != evse else (),
            station_changes=changes[name, ITSELF],
            offline=offline[name],
            unregistered=unregistered[name],
            inoperative=inoperative,
            maintenance=windows[name],
            known_until=row["gone_at"],
        )
        found.append(MeasuredConnector(name, place, measure(port, begin, end)))
    return found


async def _connectors(db: Connection, names: Sequence[str]) -> dict[str, dict[Place, asyncpg.Record]]:
    found: dict[str, dict[Place, asyncpg.Record]] = {}
    for row in await db.fetch(CONNECTORS, names):
        found.setdefault(row["station_id"], {})[Place(row["evse_id"], row["connector_id"])] = row
    return found


def _availability(orders: Sequence[tuple[datetime, object]]) -> Iterator[tuple[datetime, ChangeAvailability]]:
    return ((at, order) for at, order in orders if isinstance(order, ChangeAvailability))


async def _changes(
    db: Connection, names: Sequence[str], begin: datetime, end: datetime
) -> defaultdict[tuple[str, Place], list[Change]]:
    found: defaultdict[tuple[str, Place], list[Change]] = defaultdict(list)
    for row in await db.fetch(CHANGES, names, begin, end):
        key = (row["station_id"], Place(row["evse_id"], row["connector_id"]))
        found[key].append(Change(row["happened_at"], row["received_at"], state_of(row["status"])))
    return found


async def _intervals(
    db: Connection, statement: str, names: Sequence[str], begin: datetime, end: datetime
) -> defaultdict[str, list[Interval]]:
    found: defaultdict[str, list[Interval]] = defaultdict(list)
    for row in await db.fetch(statement, names, begin, end):
        found[row["station_id"]].append(Interval(row["begin_at"], row["end_at"]))
    return found


def _away_now(presence: Presence, end: datetime) -> list[Interval]:
    """Until the end of the period, of a station that has not come back."""
    since = gone_since(presence)
    return [Interval(since, end)] if since and since < end else []


@dataclass(frozen=True, slots=True)
class Preset:
    """Rules of a programme. least: the share that a connector must reach."""

    least: float

    @staticmethod
    def period(now: datetime) -> tuple[datetime, datetime]:
        """The twelve months before this one (23 CFR 680.116(b): monthly, for the previous twelve months)."""
        end = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return end.replace(year=end.year - 1), end


PRESETS: Mapping[str, Preset] = {"nevi": Preset(0.97)}
# Where no period is asked for, and there is no preset.
LAST = timedelta(days=30)
