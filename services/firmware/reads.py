"""SQL of firmware's REST API: connectors, boots and orders. Stations are listed by listing/query.py."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.common.postgres.database import Connection
from services.firmware import rows
from services.firmware.domain.history import UNKNOWN
from services.firmware.domain.station import BootStatus, Connector, Place
from services.firmware.rows import CONNECTOR_COLUMNS, names

CONNECTORS = f"""
select {names(CONNECTOR_COLUMNS)} from connector
where station_id = any($1::text[]) and gone_at is null
order by station_id, evse_id, connector_id"""

# existed: until now; else it never did.
REMOVE_CONNECTOR = """
update connector set gone_at = case when $5 then $4 else coalesce(first_at, since) end
where station_id = $1 and evse_id = $2 and connector_id = $3 and gone_at is null"""
# What is read of the station meanwhile waits.
LOCK_STATION = "select from station where station_id = $1 for update"
# What a station or an EVSE said of itself takes its connectors along no more: from now on, or it never did.
END_CAUSE = f"""
insert into status_change
    (call_id, station_id, evse_id, connector_id, status, info, happened_at, received_at, matters)
values (concat_ws('/', 'removed', $1::text, $2::int, $3::int, $4::timestamptz), $1, $2, $3,
    '{UNKNOWN}', 'removed', $4, $4, true)
on conflict (call_id) do nothing"""
DENY_CAUSE = """
update status_change set matters = false
where station_id = $1 and evse_id = $2 and connector_id = $3 and matters"""

BOOTS = """
select call_id, version, status, interval_seconds, payload, received_at from recorded_boot
where station_id = $1
    and ($2::timestamptz is null or received_at <= $2 and (received_at, call_id) < ($2, $3))
order by received_at desc, call_id desc
limit $4"""

SET_BOOT_ORDER = """
insert into station (station_id, boot_decision, boot_interval, boot_order_author) values ($1, $2, $3, $4)
on conflict (station_id) do update set
    boot_decision = excluded.boot_decision, boot_interval = excluded.boot_interval,
    boot_order_author = excluded.boot_order_author"""

WITHDRAW_BOOT_ORDER = """
update station set boot_decision = null, boot_interval = null, boot_order_author = $2
where station_id = $1 and boot_decision is not null
returning true"""


@dataclass(frozen=True, slots=True)
class Boot:
    """A BootNotification that was answered; payload: its JSON text."""

    id: str
    version: str
    status: str
    interval: int
    payload: str
    received_at: datetime


Connectors = dict[str, dict[Place, Connector]]


async def connectors(db: Connection, station_ids: Collection[str]) -> Connectors:
    """All connectors of stations, by station; without those that are gone."""
    found: Connectors = {station_id: {} for station_id in station_ids}
    for row in await db.fetch(CONNECTORS, list(station_ids)):
        found[row["station_id"]][Place(row["evse_id"], row["connector_id"])] = rows.connector(row)
    return found


async def remove_connector(db: Connection, station_id: str, place: Place, now: datetime, *, existed: bool) -> bool:
    """Whether there was one. It is there again when the station tells of it again. In a transaction."""
    await db.execute(LOCK_STATION, station_id)
    if await db.execute(REMOVE_CONNECTOR, station_id, *place, now, existed) == "UPDATE 0":
        return False
    if not place.connector_id:
        await (
            db.execute(END_CAUSE, station_id, *place, now) if existed else db.execute(DENY_CAUSE, station_id, *place)
        )
    return True


async def boots(db: Connection, station_id: str, before: tuple[datetime, str] | None, limit: int) -> list[Boot]:
    """Boots of a station, newest first; before: received_at and id that the page before ended with."""
    return [_boot(row) for row in await db.fetch(BOOTS, station_id, *(before or (None, None)), limit)]


async def set_boot_order(
    db: Connection, station_id: str, decision: BootStatus, interval: int | None, author: str | None
) -> None:
    """Decides about a station, which need not have been here yet."""
    await db.execute(SET_BOOT_ORDER, station_id, decision, interval, author)


async def withdraw_boot_order(db: Connection, station_id: str, author: str | None) -> bool:
    """Leaves the decision to what was, or to the default; whether there was an order."""
    return bool(await db.fetchval(WITHDRAW_BOOT_ORDER, station_id, author))


def _boot(row: asyncpg.Record) -> Boot:
    return Boot(
        id=row["call_id"],
        version=row["version"],
        status=row["status"],
        interval=row["interval_seconds"],
        payload=row["payload"],
        received_at=row["received_at"],
    )
