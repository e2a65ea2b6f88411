"""SQL of connectors that stations say they do not have."""

from collections.abc import Mapping
from datetime import datetime

from services.common.postgres.database import Connection
from services.firmware.configuration.dialects.names import BadName, Variable
from services.firmware.configuration.domain.denials import denied
from services.firmware.domain.station import Place

NAMES = """
select station_id, name from setting
where station_id = any($1::text[]) and key like 'connector%@%' and not coalesce(unknown, false)"""
PLACES = """
select station_id, evse_id, connector_id from connector
where station_id = any($1::text[]) and evse_id > 0 and gone_at is null"""
# Those that were told of since are there.
GONE = """
update connector c set gone_at = r.at
from unnest($1::text[], $2::integer[], $3::integer[], $4::timestamptz[]) as r (station_id, evse_id, connector_id, at)
where c.station_id = r.station_id and c.evse_id = r.evse_id and c.connector_id = r.connector_id
    and c.gone_at is null and c.received_at < r.at"""
BEYOND = """
update connector c set gone_at = r.at
from unnest($1::text[], $2::integer[], $3::timestamptz[]) as r (station_id, count, at)
where c.station_id = r.station_id and c.evse_id > r.count and c.gone_at is null and c.received_at < r.at"""


async def drop_unnamed(db: Connection, complete_at: Mapping[str, datetime]) -> None:
    """What full inventories do not name. complete_at: when each began, by station."""
    if not complete_at:
        return
    named, places = dict[str, set[Place]](), dict[str, list[Place]]()
    for row in await db.fetch(NAMES, list(complete_at)):
        if place := _connector(row["name"]):
            named.setdefault(row["station_id"], set()).add(place)
    for row in await db.fetch(PLACES, list(named)):
        places.setdefault(row["station_id"], []).append(Place(row["evse_id"], row["connector_id"]))
    gone = [(name, *one, complete_at[name]) for name in places for one in denied(named[name], places[name])]
    if gone:
        await db.execute(GONE, *(list(column) for column in zip(*gone, strict=True)))


def _connector(name: str) -> Place | None:
    """Of whose setting that is the name; None where it is of none."""
    try:
        of = Variable.parse(name)
    except BadName:
        return None
    return Place(of.evse, of.connector) if of.component == "Connector" and of.evse and of.connector else None


async def drop_beyond(db: Connection, counts: Mapping[str, tuple[int, datetime]]) -> None:
    """Connectors with higher numbers than a station has; with when it said so, by station."""
    if counts:
        numbers, moments = zip(*counts.values(), strict=True)
        await db.execute(BEYOND, list(counts), list(numbers), list(moments))
