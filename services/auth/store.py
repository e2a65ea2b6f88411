"""All SQL of auth. Stations and idTokens change under a lock of their key, so that records leave in commit order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from services.auth import group_settings_store, local_lists_store, password_changes_store, rows, unknown_tokens_store
from services.auth.domain import locations, stations, tokens
from services.auth.domain.locations import Location
from services.auth.domain.requests import AuthorizationDecided
from services.auth.domain.stations import Station
from services.auth.domain.tokens import RegisteredToken
from services.auth.domain.unknown_tokens import unknown_token
from services.auth.publication import Publication
from services.common.authorization import decisions
from services.common.authorization.decisions import ruling
from services.common.calls import message_log
from services.common.calls.call import Call
from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.common.process.errors import Unavailable
from services.ocpp.id_tokens import Token, token_key
from services.ocpp.station_ids import station_key


def _parameters(columns: Sequence[str]) -> str:
    return ", ".join(f"${n}" for n in range(1, len(columns) + 1))


# Two writers of one key must not run concurrently; a key that does not exist yet has no row to lock.
LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
# Nor a writer while an import is written, which is not kept waiting by it on a connection that others need.
NO_IMPORT = "select pg_try_advisory_xact_lock_shared(hashtextextended('import', 0))"
IMPORT = "select pg_advisory_xact_lock(hashtextextended('import', 0))"

STATION_COLUMNS = ", ".join(rows.STATION)
STATIONS_BY_ID = f"select {STATION_COLUMNS} from station where station_id = any($1::text[])"
STATIONS_BY_KEY = f"select {STATION_COLUMNS} from station where lower(station_id) = any($1::text[])"
BY_SERIAL_NUMBER = "select min(station_id) from station where serial_number = $1 and station_id <> $2"
PROVEN_BY = """
select station_id, serial_number from station
where lower(station_id) = any($1::text[]) or serial_number = any($2::text[])"""
STATIONS = f"""
select {STATION_COLUMNS} from station
where station_id > $1
    and ($2::text is null or groups @> array[$2])
    and ($3::text is null or location_id = $3)
order by station_id limit $4"""
SAVE_STATION = f"""
insert into station ({STATION_COLUMNS}) values ({_parameters(rows.STATION)})
on conflict (station_id) do update set
    password_hash = excluded.password_hash,
    rotation_key = excluded.rotation_key,
    rotation_nonce = excluded.rotation_nonce,
    description = excluded.description,
    groups = excluded.groups,
    location_id = excluded.location_id,
    reading = excluded.reading,
    rated_power_w = excluded.rated_power_w,
    free_vend = excluded.free_vend,
    changed_at = excluded.changed_at,
    author = excluded.author,
    serial_number = excluded.serial_number,
    security_profile = excluded.security_profile,
    profile_lowered_at = excluded.profile_lowered_at,
    downgrade_allowed = excluded.downgrade_allowed,
    expired_certificate_allowed = excluded.expired_certificate_allowed,
    downgrade_told = excluded.downgrade_told,
    downgrade_told_at = excluded.downgrade_told_at"""
REMOVE_STATION = "delete from station where station_id = $1"

# Groups are what stations say they are in, and those that have a setting.
GROUPS = """
select name, sum(stations)::bigint as stations, max(g.free_vend) as free_vend, max(g.author) as author from (
    select name, 1 as stations from station, unnest(groups) as name
    union all select group_name, 0 from group_setting) as n
left join group_setting g on g.group_name = n.name
where name collate "C" > $1 group by name order by name collate "C" limit $2"""

LOCATION_COLUMNS = ", ".join(rows.LOCATION)
LOCATIONS_BY_ID = f"select {LOCATION_COLUMNS} from location where location_id = any($1::text[])"
LOCATIONS = f"""
select {LOCATION_COLUMNS} from location
where location_id > $1 and ($2::text is null or country = $2)
order by location_id limit $3"""
SAVE_LOCATION = f"""
insert into location ({LOCATION_COLUMNS}) values ({_parameters(rows.LOCATION)})
on conflict (location_id) do update set
    name = excluded.name,
    address = excluded.address,
    country = excluded.country,
    latitude = excluded.latitude,
    longitude = excluded.longitude,
    time_zone = excluded.time_zone,
    changed_at = excluded.changed_at,
    author = excluded.author"""
REMOVE_LOCATION = "delete from location where location_id = $1"

TOKEN_COLUMNS = ", ".join(rows.TOKEN)
TOKENS_BY_KEY = f"select {TOKEN_COLUMNS} from token where key = any($1::text[])"
TOKENS = f"""
select {TOKEN_COLUMNS} from token
where key > $1
    and ($2::text is null or type = $2)
    and ($3::text is null or status = $3)
    and ($4::text is null or group_id = $4)
    and ($6::boolean is null or (outside_until is not null) = $6)
order by key limit $5"""
LAPSED = f"""
select {TOKEN_COLUMNS} from token where outside_until < $1 order by outside_until limit $2"""
SAVE_TOKEN = f"""
insert into token ({TOKEN_COLUMNS}) values ({_parameters(rows.TOKEN)})
on conflict (key, type) do update set
    id_token = excluded.id_token,
    status = excluded.status,
    expires_at = excluded.expires_at,
    group_id = excluded.group_id,
    cache_expires_at = excluded.cache_expires_at,
    language = excluded.language,
    on_block = excluded.on_block,
    language2 = excluded.language2,
    valid_from = excluded.valid_from,
    allowed_groups = excluded.allowed_groups,
    allowed_stations = excluded.allowed_stations,
    denied_groups = excluded.denied_groups,
    denied_stations = excluded.denied_stations,
    evses = excluded.evses,
    max_sessions = excluded.max_sessions,
    master_pass = excluded.master_pass,
    note = excluded.note,
    outside_until = excluded.outside_until,
    changed_at = excluded.changed_at,
    author = excluded.author"""
REMOVE_TOKEN = "delete from token where key = $1 and type = $2"

# Whether all state is to be published; of several processes that start, one does it. Stations and idTokens are locked
# against changes meanwhile, so that an older record never follows a newer one.
REPUBLISH = "with asked as (delete from republish returning true) select exists (select from asked)"
NEWEST_OUTGOING = "select max(seq) from outbox"
OUTGOING = "select exists (select from outbox where seq <= $1)"
LOCK_TABLES = "lock table station, token, location in share mode"
PAGE_SIZE = 500
# Seconds: that a change waits for Kafka to have it, and between two looks.
PUBLISHED_WITHIN, PUBLISHED_EVERY = 2.0, 0.02
# Seconds: that a change waits for an import to be written, and between two looks.
IMPORTED_WITHIN, IMPORTED_EVERY = 60.0, 0.1


@dataclass(frozen=True, slots=True)
class Store:
    """The tables of auth. wake: called after something was written to the outbox."""

    database: Database
    publication: Publication
    wake: Callable[[], None]

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator["UnitOfWork"]:
        """All of it or nothing; raises Unavailable if Postgres does not answer."""
        async with self.database.transaction() as db:
            yield UnitOfWork(db, self.publication)
        self.wake()

    @asynccontextmanager
    async def change(self) -> AsyncIterator["UnitOfWork"]:
        """A unit of work whose caller may go on at once with what it changed: see published.

        Raises Unavailable while a long import is being written.
        """
        ends = asyncio.get_running_loop().time() + IMPORTED_WITHIN
        while asyncio.get_running_loop().time() < ends:
            async with self.unit_of_work() as work:
                if await work.db.fetchval(NO_IMPORT):
                    yield work
                    break
            await asyncio.sleep(IMPORTED_EVERY)
        else:
            raise Unavailable("an import is being written")
        await self.published()

    @asynccontextmanager
    async def import_(self) -> AsyncIterator["UnitOfWork"]:
        """A unit of work without a transaction, on a connection that the charging path does not need."""
        async with self.database.list_connection() as db:
            yield UnitOfWork(db, self.publication)

    async def published(self) -> None:
        """Wakes the relay, and waits until Kafka has what was written, from where others know it.

        While Kafka does not answer it ends all the same, after PUBLISHED_WITHIN: nothing is lost.
        """
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(PUBLISHED_WITHIN):
                await self._until_published()

    async def republish(self) -> None:
        """Publishes the state of all stations, idTokens and locations if a migration requested it (table republish)."""
        async with self.unit_of_work() as work:
            if await work.db.fetchval(REPUBLISH):
                await work.db.execute(LOCK_TABLES)
                await work.republish_stations()
                await work.republish_tokens()
                await work.republish_locations()

    async def _until_published(self) -> None:
        last = await self.newest_outgoing()
        while True:
            if last is None or not await self.is_outgoing(last):
                return
            await asyncio.sleep(PUBLISHED_EVERY)

    async def newest_outgoing(self) -> int | None:
        """The newest row of the outbox; None if it is empty."""
        async with self.database.connection() as db:
            newest: int | None = await db.fetchval(NEWEST_OUTGOING)
        return newest

    async def is_outgoing(self, row: int) -> bool:
        """Whether this row of the outbox, or an older one, is still to be published."""
        async with self.database.connection() as db:
            return bool(await db.fetchval(OUTGOING, row))

    async def station(self, station_id: str) -> Station | None:
        """One station."""
        async with self.database.connection() as db:
            row = await db.fetchrow(STATIONS_BY_ID, [station_id])
        return rows.station(row) if row else None

    async def stations(self, after: str, group: str | None, location_id: str | None, limit: int) -> list[Station]:
        """Stations by id, after an id; a filter that is None matches all."""
        async with self.database.list_connection() as db:
            return [rows.station(row) for row in await db.fetch(STATIONS, after, group, location_id, limit)]

    async def groups(self, after: str, limit: int) -> list[tuple[str, int, str | None, str | None]]:
        """Groups by name, after a name, how many stations are in them, whether they are free-vend, and who set it."""
        async with self.database.list_connection() as db:
            return [tuple(row) for row in await db.fetch(GROUPS, after, limit)]

    async def location(self, location_id: str) -> Location | None:
        """One location."""
        async with self.database.connection() as db:
            row = await db.fetchrow(LOCATIONS_BY_ID, [location_id])
        return rows.location(row) if row else None

    async def locations(self, after: str, country: str | None, limit: int) -> list[Location]:
        """Locations by id, after an id; a country that is None matches all."""
        async with self.database.list_connection() as db:
            return [rows.location(row) for row in await db.fetch(LOCATIONS, after, country, limit)]

    async def token(self, key: str) -> RegisteredToken | None:
        """One idToken."""
        async with self.database.connection() as db:
            row = await db.fetchrow(TOKENS_BY_KEY, [key])
        return rows.registered_token(row) if row else None

    async def tokens(
        self,
        after: str,
        type_: str | None,
        status: str | None,
        group_id: str | None,
        limit: int,
        *,
        outside: bool | None = None,
    ) -> list[RegisteredToken]:
        """IdTokens by key, after a key; a filter that is None matches all. outside: those that are not registered."""
        filters = type_, status, group_id
        async with self.database.list_connection() as db:
            return [rows.registered_token(row) for row in await db.fetch(TOKENS, after, *filters, limit, outside)]

    async def lapsed(self, before: datetime, limit: int) -> list[RegisteredToken]:
        """What an outside authorizer has said, and what counts no more since then."""
        async with self.database.list_connection() as db:
            return [rows.registered_token(row) for row in await db.fetch(LAPSED, before, limit)]


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """What is read and written in one transaction, with what that publishes."""

    db: Connection
    publication: Publication

    async def station(self, station_id: str) -> Station | None:
        """One station, locked until the end of the transaction."""
        await self.db.execute(LOCK, f"station {station_key(station_id)}")
        return (await self.find_stations([station_id])).get(station_id)

    async def spelled_otherwise(self, station_ids: Collection[str]) -> dict[str, Station]:
        """Stations that are registered under an id that differs from one of these in case alone, by that one."""
        found = await self.db.fetch(STATIONS_BY_KEY, [station_key(one) for one in station_ids])
        known = {station_key(row["station_id"]): rows.station(row) for row in found}
        return {one: known[station_key(one)] for one in station_ids if station_key(one) in known}

    async def of_serial_number(self, serial_number: str, station_id: str) -> str | None:
        """The id of another station that has it; nobody else gets it until the end of the transaction."""
        await self.db.execute(LOCK, f"serial_number {serial_number}")
        found: str | None = await self.db.fetchval(BY_SERIAL_NUMBER, serial_number, station_id)
        return found

    async def proven_by(self, names: Collection[str]) -> list[tuple[str, str]]:
        """Which stations are let in with a certificate of one of these common names: each with the id of one."""
        if not names:
            return []
        found = await self.db.fetch(PROVEN_BY, [station_key(one) for one in names], list(names))
        known = [(row["station_id"], row["serial_number"]) for row in found]
        return [
            (name, station_id)
            for name in names
            for station_id, number in known
            if (number == name if number else station_key(station_id) == station_key(name))
        ]

    async def meant_stations(self, station_ids: Collection[str]) -> dict[str, Station]:
        """Registered stations by id; where there is none, one whose id differs in case alone."""
        found = await self.find_stations(station_ids)
        return found | await self.spelled_otherwise([one for one in station_ids if one not in found])

    async def find_stations(self, station_ids: Collection[str]) -> dict[str, Station]:
        """Registered stations by id, in one query."""
        found = await self.db.fetch(STATIONS_BY_ID, station_ids)
        return {row["station_id"]: rows.station(row) for row in found}

    async def save_station(self, decision: stations.StationDecision, cause: str) -> None:
        """The station as decided, on its topic too."""
        await outbox.add(self.db, await self.write_stations([decision], cause))

    async def write_stations(self, decisions: Sequence[stations.StationDecision], cause: str) -> list[Record]:
        """Stations as decided; the records that tell of it, for the outbox."""
        changed = [decision for decision in decisions if decision.events]
        await self.db.executemany(SAVE_STATION, [rows.station_row(decision.station) for decision in changed])
        if changed:
            ids, at = [one.station.station_id for one in changed], changed[0].station.changed_at
            await local_lists_store.stations_due(self.db, ids, at)
        records = await self.station_records([decision.station for decision in changed])
        return [
            record
            for decision, state in zip(changed, records, strict=True)
            for record in (*state, *self.publication.of_change(decision.events, cause))
        ]

    async def station_records(self, found: Sequence[Station]) -> list[list[Record]]:
        """The state of each, with what its groups say of it and the changes of its password."""
        free_vend = await group_settings_store.free_vend(self.db, {group for one in found for group in one.groups})
        changes = await password_changes_store.of_stations(self.db, [one.station_id for one in found])
        return [
            self.publication.station(one, stations.free_vend(one, free_vend), changes.get(one.station_id, ()))
            for one in found
        ]

    async def publish_station(self, station: Station) -> None:
        """The state of a station as it is, on its topics."""
        [records] = await self.station_records([station])
        await outbox.add(self.db, records)

    async def remove_station(self, decision: stations.StationDecision, cause: str) -> None:
        """Removes the station, on its topic too."""
        await self.db.execute(REMOVE_STATION, decision.station.station_id)
        await password_changes_store.remove(self.db, decision.station.station_id)
        await local_lists_store.remove(self.db, decision.station.station_id)
        [removed] = decision.events
        records = self.publication.station_tombstone(decision.station.station_id, removed.at)
        await outbox.add(self.db, records + self.publication.of_change(decision.events, cause))

    async def location(self, location_id: str) -> Location | None:
        """One location, locked until the end of the transaction."""
        await self.db.execute(LOCK, f"location {location_id}")
        return (await self.find_locations([location_id])).get(location_id)

    async def find_locations(self, location_ids: Collection[str]) -> dict[str, Location]:
        """Locations by id, in one query."""
        return {row["location_id"]: rows.location(row) for row in await self.db.fetch(LOCATIONS_BY_ID, location_ids)}

    async def save_location(self, decision: locations.LocationDecision, cause: str) -> None:
        """The location as decided, on its topic too."""
        await outbox.add(self.db, await self.write_locations([decision], cause))

    async def write_locations(self, decisions: Sequence[locations.LocationDecision], cause: str) -> list[Record]:
        """Locations as decided; the records that tell of it, for the outbox."""
        changed = [decision for decision in decisions if decision.events]
        await self.db.executemany(SAVE_LOCATION, [rows.location_row(decision.location) for decision in changed])
        return [
            record
            for decision in changed
            for record in (
                self.publication.location(decision.location),
                *self.publication.of_change(decision.events, cause),
            )
        ]

    async def remove_location(self, decision: locations.LocationDecision, cause: str) -> None:
        """Removes the location, on its topic too."""
        await self.db.execute(REMOVE_LOCATION, decision.location.location_id)
        records = [self.publication.location_tombstone(decision.location.location_id)]
        await outbox.add(self.db, records + self.publication.of_change(decision.events, cause))

    async def token(self, key: str) -> RegisteredToken | None:
        """One idToken, locked until the end of the transaction."""
        await self.db.execute(LOCK, f"token {key}")
        return (await self.find_registered([key])).get(key)

    async def find_registered(self, keys: Collection[str]) -> dict[str, RegisteredToken]:
        """Registered idTokens by key, with their times, in one query."""
        return {row["key"]: rows.registered_token(row) for row in await self.db.fetch(TOKENS_BY_KEY, keys)}

    async def save_token(self, decision: tokens.TokenDecision, cause: str) -> None:
        """The idToken as decided, on its topic too."""
        await outbox.add(self.db, await self.write_tokens([decision], cause))

    async def write_tokens(self, decisions: Sequence[tokens.TokenDecision], cause: str) -> list[Record]:
        """IdTokens as decided; the records that tell of it, for the outbox."""
        changed = [decision for decision in decisions if decision.events]
        await self._note_lists(changed)
        records = [record for decision in changed for record in await self._removed(decision)]
        await self.db.executemany(SAVE_TOKEN, [rows.token_row(decision.registered) for decision in changed])
        for decision in changed:
            records.append(self.publication.token(decision.registered))
            records += self.publication.of_change(decision.events, cause)
        return records

    async def save_outside(self, decision: tokens.TokenDecision) -> None:
        """What an outside authorizer has said, on the topic of idTokens too; no event, for nobody has changed one."""
        records = await self._removed(decision)
        await self.db.execute(SAVE_TOKEN, *rows.token_row(decision.registered))
        await outbox.add(self.db, [*records, self.publication.token(decision.registered)])

    async def remove_outside(self, registered: RegisteredToken) -> None:
        """The same is forgotten."""
        await self.db.execute(REMOVE_TOKEN, registered.key, registered.token.type)
        await outbox.add(self.db, [self.publication.token_tombstone(registered.token)])

    async def remove_token(self, decision: tokens.TokenDecision, cause: str) -> None:
        """Removes the idToken, on its topic too."""
        await self._note_lists([decision])
        records = await self._removed(decision)
        await outbox.add(self.db, records + self.publication.of_change(decision.events, cause))

    async def _note_lists(self, decisions: Sequence[tokens.TokenDecision]) -> None:
        """Before idTokens are written: the local lists that they are in are to be checked."""
        events = [event for decision in decisions for event in decision.events]
        if events:
            await local_lists_store.tokens_changed(self.db, [event.token for event in events], events[0].at)

    async def _removed(self, decision: tokens.TokenDecision) -> list[Record]:
        gone = [event.token for event in decision.events if isinstance(event, tokens.TokenRemoved)]
        for token in gone:
            await self.db.execute(REMOVE_TOKEN, decision.registered.key, token.type)
        return [self.publication.token_tombstone(token) for token in gone]

    async def republish_stations(self) -> None:
        """The state of all stations."""
        after = ""
        while found := await self.db.fetch(STATIONS, after, None, None, PAGE_SIZE):
            records = await self.station_records([rows.station(row) for row in found])
            await outbox.add(self.db, [record for each in records for record in each])
            after = found[-1]["station_id"]

    async def republish_locations(self) -> None:
        """The state of all locations."""
        after = ""
        while found := await self.db.fetch(LOCATIONS, after, None, PAGE_SIZE):
            await outbox.add(self.db, [self.publication.location(rows.location(row)) for row in found])
            after = found[-1]["location_id"]

    async def republish_tokens(self) -> None:
        """The state of all idTokens, and tombstones under their older keys."""
        after = ""
        while found := await self.db.fetch(TOKENS, after, None, None, None, PAGE_SIZE, None):
            registered = [rows.registered_token(row) for row in found]
            records = [self.publication.token(one) for one in registered]
            await outbox.add(self.db, records + [self.publication.older_token_tombstone(one) for one in registered])
            after = found[-1]["key"]

    async def find_tokens(self, keys: Collection[str]) -> dict[str, Token]:
        """Registered idTokens and those that their groups are called by, by key, in a query each."""
        found = await self._find_tokens(keys)
        groups = {token_key(one.group_id) for one in found.values() if one.group_id}
        return found | await self._find_tokens(groups - found.keys())

    async def _find_tokens(self, keys: Collection[str]) -> dict[str, Token]:
        """Postgres has no NUL, so a key with one is never registered."""
        storable = [key for key in keys if "\0" not in key]
        found = await self.db.fetch(TOKENS_BY_KEY, storable) if storable else []
        return {row["key"]: rows.token(row) for row in found}

    async def record(self, calls: Sequence[Call], decided: Sequence[AuthorizationDecided]) -> None:
        """Calls to be kept verbatim, and the decisions about others, all in one row of the outbox."""
        events = await message_log.keep(self.db, self.publication.events, calls)
        new = await self._save_decisions(decided)
        await unknown_tokens_store.save(self.db, [seen for one in new if (seen := unknown_token(one))])
        await outbox.add(self.db, events + self.publication.of_calls(new))

    async def _save_decisions(self, decided: Sequence[AuthorizationDecided]) -> list[AuthorizationDecided]:
        """Those whose call was not handled before."""
        made = [
            ruling(one.call_id, one.station_id, one.action, one.token, one.info, one.received_at) for one in decided
        ]
        new = await decisions.save(self.db, made)
        # A batch may have a call twice.
        return [one for call_id, one in {one.call_id: one for one in decided}.items() if call_id in new]
