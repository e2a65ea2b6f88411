"""All SQL of firmware's decisions: what a batch loads and saves, in a statement each. REST reads by reads.py."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from services.common.calls.call import Call
from services.common.postgres.database import Connection
from services.firmware import rows
from services.firmware.domain.messages import BootVerdict, Envelope
from services.firmware.domain.station import BootStatus, Connector, FirmwareStatus, Place, Station
from services.firmware.rows import CONNECTOR_COLUMNS, SAVED_COLUMNS, STATION_COLUMNS, names

Row: TypeAlias = tuple[object, ...]

# Locked, so that the offline detector and a second process wait; in one order, so that nobody waits in a circle.
LOAD_STATIONS = f"""
select {names(STATION_COLUMNS)} from station where station_id = any($1::text[]) order by station_id for update"""

LOAD_CONNECTORS = f"select {names(CONNECTOR_COLUMNS)} from connector where station_id = any($1::text[])"

COUNT_CONNECTORS = """
select station_id, count(*) from connector where station_id = any($1::text[]) and gone_at is null group by station_id"""

LOAD_VERDICTS = """
select b.call_id, b.status, b.interval_seconds
from unnest($1::text[], $2::timestamptz[]) as u (call_id, received_at)
join recorded_boot b on b.received_at = u.received_at and b.call_id = u.call_id"""

SAVE_STATIONS = f"""
insert into station ({names(SAVED_COLUMNS)})
select {names(SAVED_COLUMNS)}
from unnest(
    $1::text[], $2::text[], $3::boolean[],
    $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
    $12::text[], $13::text[], $14::timestamptz[], $15::boolean[],
    $16::boolean[], $17::text[], $18::text[], $19::text[],
    $20::timestamptz[], $21::timestamptz[], $22::timestamptz[], $23::timestamptz[],
    $24::text[], $25::timestamptz[], $26::bigint[], $27::text[]
) as u ({names(SAVED_COLUMNS)})
order by station_id
on conflict (station_id) do update set
    version = excluded.version, quarantined = excluded.quarantined,
    vendor = excluded.vendor, model = excluded.model, serial_number = excluded.serial_number,
    firmware_version = excluded.firmware_version, iccid = excluded.iccid, imsi = excluded.imsi,
    meter_type = excluded.meter_type, meter_serial_number = excluded.meter_serial_number,
    boot_status = excluded.boot_status, boot_reason = excluded.boot_reason, booted_at = excluded.booted_at,
    accepted = excluded.accepted,
    online = excluded.online, connection_id = excluded.connection_id, closed_id = excluded.closed_id,
    remote_address = excluded.remote_address, connected_at = excluded.connected_at,
    disconnected_at = excluded.disconnected_at, last_seen_at = excluded.last_seen_at, alive_at = excluded.alive_at,
    update_status = excluded.update_status, update_status_at = excluded.update_status_at,
    update_request_id = excluded.update_request_id, update_earlier_ids = excluded.update_earlier_ids"""

# Of a station that is known: what a boot or a connection changes, and what any message does. A column that is not
# written saves as much time as it takes to make one of these values.
SAVE_STATUS = """
update station s set
    boot_status = u.boot_status, boot_reason = u.boot_reason, booted_at = u.booted_at, accepted = u.accepted,
    online = u.online, connection_id = u.connection_id, closed_id = u.closed_id, remote_address = u.remote_address,
    connected_at = u.connected_at, disconnected_at = u.disconnected_at,
    last_seen_at = u.last_seen_at, alive_at = u.alive_at
from unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::boolean[],
    $6::boolean[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[]
) as u (
    station_id, boot_status, boot_reason, booted_at, accepted,
    online, connection_id, closed_id, remote_address, connected_at, disconnected_at, last_seen_at, alive_at
)
where s.station_id = u.station_id"""

SAVE_SEEN = """
update station s set last_seen_at = u.last_seen_at, alive_at = u.alive_at
from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) as u (station_id, last_seen_at, alive_at)
where s.station_id = u.station_id"""

SAVE_CONNECTORS = f"""
insert into connector ({names(CONNECTOR_COLUMNS)}, first_at)
select {names(CONNECTOR_COLUMNS)}, received_at
from unnest(
    $1::text[], $2::int[], $3::int[],
    $4::text[], $5::text[], $6::text[], $7::text[],
    $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::json[], $13::timestamptz[],
    $14::boolean[], $15::timestamptz[], $16::timestamptz[]
) as u ({names(CONNECTOR_COLUMNS)})
on conflict (station_id, evse_id, connector_id) do update set
    status = excluded.status, error_code = excluded.error_code, info = excluded.info,
    vendor_error_code = excluded.vendor_error_code, reported_at = excluded.reported_at,
    received_at = excluded.received_at, since = excluded.since, connection_id = excluded.connection_id,
    custom_data = excluded.custom_data, happened_at = excluded.happened_at, by_event = excluded.by_event,
    confirmed_at = excluded.confirmed_at,
    gone_at = coalesce(
        excluded.gone_at, case when excluded.received_at <= connector.gone_at then connector.gone_at end)"""

SAVE_BOOTS = """
insert into recorded_boot (call_id, station_id, version, status, interval_seconds, payload, received_at)
select call_id, station_id, version, status, interval_seconds, payload, received_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::json[], $7::timestamptz[])
    as u (call_id, station_id, version, status, interval_seconds, payload, received_at)
on conflict do nothing"""

# Those that are locked are being heard of right now.
TAKE_SILENT_OFFLINE = f"""
with silent as (
    select station_id from station where online and alive_at < $1 order by station_id limit $3 for update skip locked
)
update station set online = false, disconnected_at = $2
from silent where station.station_id = silent.station_id
returning {names(STATION_COLUMNS, "station")}"""

SILENT_AT_ONCE = 1000


async def load_stations(db: Connection, station_ids: Collection[str]) -> dict[str, Station]:
    """The stations of a batch, each locked; without those that are not known yet."""
    return {row["station_id"]: rows.station(row) for row in await db.fetch(LOAD_STATIONS, list(station_ids))}


async def load_connectors(db: Connection, station_ids: Collection[str]) -> dict[str, dict[Place, Connector]]:
    """All connectors of stations, by station, and what they say of themselves; those that are gone, too."""
    found: dict[str, dict[Place, Connector]] = {}
    if station_ids:
        for row in await db.fetch(LOAD_CONNECTORS, list(station_ids)):
            found.setdefault(row["station_id"], {})[Place(row["evse_id"], row["connector_id"])] = rows.connector(row)
    return found


async def count_connectors(db: Connection, station_ids: Collection[str]) -> dict[str, int]:
    """How many places each station has told of."""
    return {row[0]: row[1] for row in await db.fetch(COUNT_CONNECTORS, list(station_ids))} if station_ids else {}


async def load_verdicts(db: Connection, boots: Sequence[Envelope], now: datetime) -> dict[str, BootVerdict]:
    """What was said to boots that are read again, by the id of their call."""
    columns = _columns((one.id, one.at) for one in boots)
    found = await db.fetch(LOAD_VERDICTS, *columns) if columns else []
    return {row["call_id"]: BootVerdict(BootStatus(row["status"]), row["interval_seconds"], now) for row in found}


async def save_stations(db: Connection, before: Mapping[str, Station], stations: Iterable[Station]) -> None:
    """What has changed of stations. before: as they were loaded.

    What an operator ordered (boot_decision, boot_interval) is not ours to write.
    """
    by_statement: dict[str, list[Row]] = {SAVE_STATIONS: [], SAVE_STATUS: [], SAVE_SEEN: []}
    for after in stations:
        if chosen := _save_statement(before.get(after.station_id), after):
            statement, row = chosen
            by_statement[statement].append(row(after))
    for statement, changed in by_statement.items():
        if changed:
            await db.execute(statement, *_columns(changed))


async def save_connectors(
    db: Connection, before: Mapping[str, Mapping[Place, Connector]], stations: Iterable[Station]
) -> None:
    """Those that have changed. before: as they were loaded, by station."""
    changed = (
        _connector_row(station.station_id, place, known)
        for station in stations
        for place, known in station.connectors.items()
        if before.get(station.station_id, {}).get(place) is not known
    )
    if columns := _columns(changed):
        await db.execute(SAVE_CONNECTORS, *columns)


async def save_boots(db: Connection, boots: Iterable[tuple[Call, BootVerdict]]) -> None:
    """Boots and their verdicts; one that is there stays as it is."""
    if columns := _columns(_boot_row(call, verdict) for call, verdict in boots):
        await db.execute(SAVE_BOOTS, *columns)


async def take_silent_offline(db: Connection, silent_since: datetime, now: datetime) -> list[Station]:
    """Takes stations offline that nothing was heard of since; the first thousand, as they are now."""
    return [rows.station(row) for row in await db.fetch(TAKE_SILENT_OFFLINE, silent_since, now, SILENT_AT_ONCE)]


def _save_statement(before: Station | None, after: Station) -> tuple[str, Callable[[Station], Row]] | None:
    """The one that writes what has changed, and its row; None where nothing has."""
    if before is None or _description(before) != _description(after):
        return SAVE_STATIONS, _station_row
    if before.registration != after.registration or _connection(before) != _connection(after):
        return SAVE_STATUS, _status_row
    return None if before.presence == after.presence else (SAVE_SEEN, _seen_row)


def _description(station: Station) -> tuple[object, ...]:
    return station.version, station.quarantined, station.identity, station.firmware_status


def _connection(station: Station) -> tuple[object, ...]:
    presence = station.presence
    return (
        *(presence.online, presence.connection_id, presence.closed_id, presence.remote_address),
        *(presence.connected_at, presence.disconnected_at),
    )


def _station_row(station: Station) -> Row:
    """As SAVED_COLUMNS."""
    identity = station.identity
    _, *status = _status_row(station)
    return (
        *(station.station_id, station.version, station.quarantined),
        *(identity.vendor, identity.model, identity.serial_number, identity.firmware_version),
        *(identity.iccid, identity.imsi, identity.meter_type, identity.meter_serial_number),
        *status,
        *(_update(station.firmware_status) if station.firmware_status else (None, None, None, None)),
    )


def _update(known: FirmwareStatus) -> Row:
    return known.status, known.at, known.request_id, ",".join(map(str, known.earlier)) or None


def _status_row(station: Station) -> Row:
    boot = station.registration
    return (
        station.station_id,
        *(boot.status, boot.reason, boot.booted_at, boot.accepted),
        *_connection(station),
        *(station.presence.last_seen_at, station.presence.alive_at),
    )


def _seen_row(station: Station) -> Row:
    return station.station_id, station.presence.last_seen_at, station.presence.alive_at


def _connector_row(station_id: str, place: Place, known: Connector) -> Row:
    return (
        *(station_id, *place),
        *(known.status, known.error_code, known.info, known.vendor_error_code),
        *(known.reported_at, known.received_at, known.since, known.connection_id, known.custom_data),
        *(known.happened_at, known.by_event, known.confirmed_at, known.gone_at),
    )


def _boot_row(call: Call, verdict: BootVerdict) -> Row:
    payload = (call.raw or b"{}").decode()
    return (call.id, call.station_id, call.version, verdict.status, verdict.interval, payload, call.received_at)


def _columns(rows: Iterable[Row]) -> list[list[object]]:
    """Rows as unnest takes them: a list a column."""
    return [list(column) for column in zip(*rows, strict=True)]
