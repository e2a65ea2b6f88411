"""All SQL of auth. Stations and idTokens change under a lock of their key, so that records leave in commit order."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.auth import rows
from services.auth.domain import stations, tokens
from services.auth.domain.requests import Decided
from services.auth.domain.stations import Station
from services.auth.domain.tokens import Entry
from services.auth.publication import Publication
from services.common.calls import message_log
from services.common.calls.call import Call
from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.ocpp.id_tokens import Token

# What two writers of one key must not do at once; a key that does not exist yet has no row to lock.
LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"

STATION_COLUMNS = """
station_id, password_hash, rotation_key, rotation_nonce, description, groups, location_id, registered_at, changed_at"""
STATION = f"select {STATION_COLUMNS} from station where station_id = $1"
STATIONS = f"""
select {STATION_COLUMNS} from station
where station_id > $1
    and ($2::text is null or groups @> array[$2])
    and ($3::text is null or location_id = $3)
order by station_id limit $4"""
SAVE_STATION = f"""
insert into station ({STATION_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (station_id) do update set
    password_hash = excluded.password_hash,
    rotation_key = excluded.rotation_key,
    rotation_nonce = excluded.rotation_nonce,
    description = excluded.description,
    groups = excluded.groups,
    location_id = excluded.location_id,
    changed_at = excluded.changed_at"""
REMOVE_STATION = "delete from station where station_id = $1"

TOKEN_COLUMNS = """
key, id_token, type, status, expires_at, group_id, cache_expires_at, language, registered_at, changed_at"""
TOKENS_BY_KEY = f"select {TOKEN_COLUMNS} from token where key = any($1::text[])"
TOKENS = f"""
select {TOKEN_COLUMNS} from token
where key > $1
    and ($2::text is null or type = $2)
    and ($3::text is null or status = $3)
    and ($4::text is null or group_id = $4)
order by key limit $5"""
SAVE_TOKEN = f"""
insert into token ({TOKEN_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (key, type) do update set
    id_token = excluded.id_token,
    status = excluded.status,
    expires_at = excluded.expires_at,
    group_id = excluded.group_id,
    cache_expires_at = excluded.cache_expires_at,
    language = excluded.language,
    changed_at = excluded.changed_at"""
# Kept a day longer than Kafka keeps calls, for what is gone from there is not read again.
ANNOUNCE = """
with old as (delete from decision where decided_at < now() - interval '8 days')
insert into decision (call_id, decided_at) select call_id, now() from unnest($1::text[]) as c (call_id)
on conflict do nothing
returning call_id"""
REMOVE_TOKEN = "delete from token where key = $1 and type = $2"

# Whether all state is to be published; of several processes that start, one does it. Nobody changes a station or an
# idToken meanwhile, so that nothing older follows what is newer.
REPUBLISH = "with asked as (delete from republish returning true) select exists (select from asked)"
HOLD = "lock table station, token in share mode"
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Store:
    """The tables of auth. wake: told when there is something in the outbox."""

    database: Database
    publication: Publication
    wake: Callable[[], None]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Transaction"]:
        """All of it or nothing; raises Unavailable where Postgres does not answer."""
        async with self.database.transaction() as db:
            yield Transaction(db, self.publication)
        self.wake()

    async def republish(self) -> None:
        """Publishes the state of all stations and idTokens where that was asked for; see the table republish."""
        async with self.transaction() as tx:
            if await tx.db.fetchval(REPUBLISH):
                await tx.db.execute(HOLD)
                await tx.republish_stations()
                await tx.republish_tokens()

    async def station(self, station_id: str) -> Station | None:
        """One station."""
        async with self.database.connection() as db:
            row = await db.fetchrow(STATION, station_id)
        return rows.station(row) if row else None

    async def stations(self, after: str, group: str | None, location_id: str | None, limit: int) -> list[Station]:
        """Stations by id, those after an id; a filter that is None lets all through."""
        async with self.database.list_connection() as db:
            return [rows.station(row) for row in await db.fetch(STATIONS, after, group, location_id, limit)]

    async def token(self, key: str) -> Entry | None:
        """One idToken."""
        async with self.database.connection() as db:
            row = await db.fetchrow(TOKENS_BY_KEY, [key])
        return rows.entry(row) if row else None

    async def tokens(
        self, after: str, type_: str | None, status: str | None, group_id: str | None, limit: int
    ) -> list[Entry]:
        """IdTokens by key, those after a key; a filter that is None lets all through."""
        async with self.database.list_connection() as db:
            return [rows.entry(row) for row in await db.fetch(TOKENS, after, type_, status, group_id, limit)]


@dataclass(frozen=True, slots=True)
class Transaction:
    """What is read and written together, with what it publishes."""

    db: Connection
    publication: Publication

    async def station(self, station_id: str) -> Station | None:
        """One station, which nobody else changes until the end of the transaction."""
        await self.db.execute(LOCK, f"station {station_id}")
        row = await self.db.fetchrow(STATION, station_id)
        return rows.station(row) if row else None

    async def save_station(self, decision: stations.Decision, cause: str) -> None:
        """The station as decided, on its topic too."""
        if decision.events:
            await self.db.execute(SAVE_STATION, *rows.station_row(decision.station))
            records = self.publication.station(decision.station)
            await outbox.add(self.db, records + self.publication.announce(decision.events, cause))

    async def remove_station(self, decision: stations.Decision, cause: str) -> None:
        """No such station any more."""
        await self.db.execute(REMOVE_STATION, decision.station.station_id)
        records = self.publication.no_station(decision.station.station_id)
        await outbox.add(self.db, records + self.publication.announce(decision.events, cause))

    async def token(self, key: str) -> Entry | None:
        """One idToken, which nobody else changes until the end of the transaction."""
        await self.db.execute(LOCK, f"token {key}")
        row = await self.db.fetchrow(TOKENS_BY_KEY, [key])
        return rows.entry(row) if row else None

    async def save_token(self, decision: tokens.Decision, cause: str) -> None:
        """The idToken as decided, on its topic too."""
        if decision.events:
            records = await self._removed(decision)
            await self.db.execute(SAVE_TOKEN, *rows.entry_row(decision.entry))
            records.append(self.publication.token(decision.entry))
            await outbox.add(self.db, records + self.publication.announce(decision.events, cause))

    async def remove_token(self, decision: tokens.Decision, cause: str) -> None:
        """No such idToken any more."""
        records = await self._removed(decision)
        await outbox.add(self.db, records + self.publication.announce(decision.events, cause))

    async def _removed(self, decision: tokens.Decision) -> list[Record]:
        gone = [event.token for event in decision.events if isinstance(event, tokens.Removed)]
        for token in gone:
            await self.db.execute(REMOVE_TOKEN, decision.entry.key, token.type)
        return [self.publication.no_token(token) for token in gone]

    async def republish_stations(self) -> None:
        """The state of all of them."""
        after = ""
        while found := await self.db.fetch(STATIONS, after, None, None, AT_ONCE):
            records = [record for row in found for record in self.publication.station(rows.station(row))]
            await outbox.add(self.db, records)
            after = found[-1]["station_id"]

    async def republish_tokens(self) -> None:
        """The state of all of them, and none under the keys without a type that were used at first."""
        after = ""
        while found := await self.db.fetch(TOKENS, after, None, None, None, AT_ONCE):
            entries = [rows.entry(row) for row in found]
            records = [self.publication.token(entry) for entry in entries]
            await outbox.add(self.db, records + [self.publication.no_older(entry) for entry in entries])
            after = found[-1]["key"]

    async def known(self, keys: Collection[str]) -> dict[str, Token]:
        """Those of the keys that are registered, in one query. Postgres has no NUL, so no key with one is there."""
        wanted = [key for key in keys if "\0" not in key]
        found = await self.db.fetch(TOKENS_BY_KEY, wanted) if wanted else []
        return {row["key"]: rows.token(row) for row in found}

    async def keep(self, calls: Sequence[Call], decided: Sequence[Decided]) -> None:
        """Calls to be kept word for word, and what was decided about others, all in one row of the outbox."""
        events = await message_log.keep(self.db, self.publication.events, calls)
        await outbox.add(self.db, events + self.publication.decided(await self._first(decided)))

    async def _first(self, decided: Sequence[Decided]) -> list[Decided]:
        """Without those whose call was read before."""
        rows = await self.db.fetch(ANNOUNCE, [one.cause for one in decided]) if decided else []
        new = {row["call_id"] for row in rows}
        return [one for one in decided if one.cause in new]
