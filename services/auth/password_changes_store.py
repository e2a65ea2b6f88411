"""Changes of passwords at stations: their SQL."""

from collections.abc import Collection, Iterable, Sequence

import asyncpg

from services.auth.domain.password_changes import ChangeState, PasswordChange
from services.auth.domain.stations import Password
from services.common.postgres.database import Connection

ADD = """
insert into password_change (command_id, station_id, password_hash, rotation_key, rotation_nonce, replaces, state,
    asked_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning *"""
OF_STATIONS = "select * from password_change where station_id = any($1::text[]) order by number"
LOCK = "select * from password_change where command_id = any($1::text[]) order by station_id, number for update"
LOCK_STATION = "select * from password_change where station_id = $1 order by number for update"
SAVE = (
    "update password_change set state = $2, reason = $3, due = $4, replaces = $5, changed_at = $6 where command_id = $1"
)
DUE = "select distinct station_id from password_change where due order by station_id limit $1"
# Of what has come to its end, that stays which tells whose connections go on, and that which was asked for last.
FORGET = """
delete from password_change c where station_id = $1 and state in ('kept', 'superseded', 'taken')
    and number < (select max(number) from password_change where station_id = $1)
    and number is distinct from (select max(number) from password_change where station_id = $1 and state = 'taken')"""
REMOVE = "delete from password_change where station_id = $1"
# A command that has ended needs its secret no more, sealed as it is.
FORGET_SECRETS = "update command set payload = '{}', request = null where id = any($1::text[])"


async def add(db: Connection, change: PasswordChange) -> PasswordChange:
    """With the number that it gets. Those of the station that nobody needs any more go."""
    password, times = change.password, (change.asked_at, change.changed_at)
    key = (password.rotation_key or None, password.rotation_nonce or None)
    row = await db.fetchrow(
        ADD, change.command_id, change.station_id, password.hash, *key, change.replaces, change.state.value, *times
    )
    assert row is not None, "it was added"
    await db.execute(FORGET, change.station_id)
    return _change(row)


async def of_stations(db: Connection, station_ids: Collection[str]) -> dict[str, list[PasswordChange]]:
    """By station, in the order in which they were asked for."""
    found: dict[str, list[PasswordChange]] = {}
    for row in await db.fetch(OF_STATIONS, list(station_ids)) if station_ids else ():
        found.setdefault(row["station_id"], []).append(_change(row))
    return found


async def lock(db: Connection, command_ids: Collection[str]) -> dict[str, PasswordChange]:
    """By command, held until the commit."""
    return {row["command_id"]: _change(row) for row in await db.fetch(LOCK, list(command_ids))} if command_ids else {}


async def lock_station(db: Connection, station_id: str) -> list[PasswordChange]:
    """Those of a station, held until the commit: answers to them wait."""
    return [_change(row) for row in await db.fetch(LOCK_STATION, station_id)]


async def save(db: Connection, changes: Iterable[PasswordChange]) -> None:
    rows = [(c.command_id, c.state.value, c.reason, c.due, c.replaces, c.changed_at) for c in changes]
    if rows:
        await db.executemany(SAVE, rows)


async def due(db: Connection, limit: int) -> list[str]:
    """Stations of whose changes the gateways are to be told."""
    return [row["station_id"] for row in await db.fetch(DUE, limit)]


async def remove(db: Connection, station_id: str) -> None:
    """A station that is removed has none."""
    await db.execute(REMOVE, station_id)


async def forget_secrets(db: Connection, command_ids: Sequence[str]) -> None:
    await db.execute(FORGET_SECRETS, list(command_ids))


def _change(row: asyncpg.Record) -> PasswordChange:
    return PasswordChange(
        command_id=row["command_id"],
        number=row["number"],
        station_id=row["station_id"],
        password=Password(row["password_hash"], row["rotation_key"] or b"", row["rotation_nonce"] or b""),
        replaces=row["replaces"],
        state=ChangeState(row["state"]),
        asked_at=row["asked_at"],
        changed_at=row["changed_at"],
        reason=row["reason"],
        due=row["due"],
    )
