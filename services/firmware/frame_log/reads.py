"""Pages of a station's log: the segments that can hold them, unpacked, joined and filtered."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson

from services.common.postgres.database import Connection, Database
from services.firmware.frame_log.entries import Entry, Kind, to_datetime, to_microseconds, unpack_station
from services.firmware.frame_log.exchanges import Exchange, Place, exchanges

_SEGMENTS = """
select first_at, last_at, size, failed, actions from frame_segment where station_id = $1
union all
select first_at, last_at, size, failed, actions from frame_batch where station_ids @> array[$1::text]"""
_FITTING = f"""
select first_at, last_at, size from ({_SEGMENTS}) as segment
where last_at >= $2 and first_at <= $3
    and ($4::text is null or actions @> array[$4])
    and (not $5 or failed)"""
NEWEST = f"{_FITTING} order by last_at desc limit $6"
OLDEST = f"{_FITTING} order by first_at limit $6"
BODIES = """
with range as (select * from unnest($2::timestamptz[], $3::timestamptz[]) as r (since, until))
select body from frame_segment
where station_id = $1 and last_at >= $4 and first_at <= $5
    and exists (select from range where last_at >= since and first_at <= until)
union all
select body from frame_batch
where station_ids @> array[$1::text] and last_at >= $4 and first_at <= $5
    and exists (select from range where last_at >= since and first_at <= until)"""
NEW_BATCHES = """
select id, body from frame_batch
where station_ids @> array[$1::text] and written_at > now() - $2::interval and id <> all($3::bigint[])
order by id"""

# An answer that is later than that stands alone.
MARGIN = timedelta(minutes=2)
# Segments, and bytes of them, that are looked through in one go; and goes for one page: then it ends early.
AT_ONCE, AT_ONCE_SIZE, GOES = 200, 8 * 1024 * 1024, 12
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
DIRECTIONS = {"in": frozenset({Kind.CALL, Kind.RESULT, Kind.REFUSED}), "out": frozenset({Kind.COMMAND, Kind.REPLY})}


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What an exchange must be to be shown; None, False: anything. since, until: both are part of it.

    direction: "in": from the station, "out": to it. text: anywhere in it, in any case. transaction_id: as its payload
    or its answer says it.
    """

    since: datetime | None = None
    until: datetime | None = None
    action: str | None = None
    direction: str | None = None
    message_id: str | None = None
    errors: bool = False
    text: str | None = None
    transaction_id: str | None = None

    def fits(self, exchange: Exchange) -> bool:
        """Whether it is; the time is seen to elsewhere."""
        entry, parts = exchange.entry, exchange.parts
        if self.action is not None and self.action != entry.action:
            return False
        if self.direction is not None and not self._goes(entry):
            return False
        if self.message_id is not None and self.message_id != entry.message_id:
            return False
        if self.errors and not exchange.failed:
            return False
        if self.transaction_id is not None and not any(map(self._transaction().search, (p.payload for p in parts))):
            return False
        return self.text is None or any(self.text.casefold() in _all_of(part) for part in parts)

    def _goes(self, entry: Entry) -> bool:
        return entry.kind in DIRECTIONS[self.direction or ""] or (
            entry.kind == Kind.DROPPED and bool(entry.payload) and self.direction == "in"
        )

    def _transaction(self) -> re.Pattern[bytes]:
        written = re.escape(orjson.dumps(self.transaction_id)[1:-1])
        return re.compile(rb'"transaction_?id"\s*:\s*("?)' + written + rb"\1\s*[,}]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LogPage:
    """after: the place with which the next page goes on; None: there is no more."""

    items: Sequence[Exchange]
    after: Place | None


async def page(
    database: Database, station_id: str, wanted: LogFilter, after: Place | None, limit: int, *, oldest_first: bool
) -> LogPage:
    """after: the place that the page before ended with. A page may end early, and have none at all of what there is."""
    found: list[Exchange] = []
    at_once = AT_ONCE
    for _ in range(GOES):
        window = _Window.of(wanted, after, oldest_first)
        async with database.list_connection() as db, db.transaction(isolation="repeatable_read", readonly=True):
            bodies, edge = await _window(db, station_id, wanted, window, at_once)
        read = await asyncio.to_thread(_matching, station_id, bodies, wanted, window.until_edge(edge))
        found += read
        if len(found) > limit:
            return LogPage(found[:limit], found[limit - 1].place)
        if edge is None:
            return LogPage(found, None)
        if window.holds(beyond := window.beyond(edge)):
            after, at_once = beyond, AT_ONCE
        else:
            # So many segments at one time that these alone did not bring it further.
            at_once *= 4
    return LogPage(found, after)


async def new_entries(db: Connection, station_id: str, seen: set[int], within: timedelta) -> list[Entry]:
    """What was kept of a station lately, each batch once. seen: takes the numbers of those that were read."""
    rows = await db.fetch(NEW_BATCHES, station_id, within, list(seen))
    seen.update(row["id"] for row in rows)
    return _of_station(station_id, [row["body"] for row in rows])


@dataclass(frozen=True, slots=True)
class _Window:
    """Exchanges from `first` on, and before `last`, are wanted."""

    first: Place
    last: Place
    oldest_first: bool

    @classmethod
    def of(cls, wanted: LogFilter, after: Place | None, oldest_first: bool) -> "_Window":
        since = Place(to_microseconds(min(wanted.since or EARLIEST, LATEST)), 0, -1)
        until = Place(to_microseconds(min(wanted.until or LATEST, LATEST)) + 1, 0, -1)
        if after is not None and oldest_first:
            since = max(since, Place(after.at, after.kind, after.offset + 1))
        elif after is not None:
            until = min(until, after)
        return cls(since, until, oldest_first)

    def until_edge(self, edge: int | None) -> "_Window":
        """Of it, what is sure to be whole. edge: the time at which segments begin, or end, that were not read."""
        if edge is None:
            return self
        if self.oldest_first:
            return _Window(self.first, min(self.last, Place(edge, 0, -1)), self.oldest_first)
        return _Window(max(self.first, Place(edge + 1, 0, -1)), self.last, self.oldest_first)

    def beyond(self, edge: int) -> Place:
        """Where it goes on."""
        return Place(edge, 0, -2) if self.oldest_first else Place(edge + 1, 0, -1)

    def holds(self, place: Place) -> bool:
        """Whether going on there is getting on."""
        return self.first < place if self.oldest_first else place < self.last


async def _window(
    db: Connection, station_id: str, wanted: LogFilter, window: _Window, at_once: int
) -> tuple[list[bytes], int | None]:
    """The segments of a window and those around them, and the edge of what was not read; None: all was."""
    since, until = to_datetime(window.first.at), to_datetime(window.last.at)
    if wanted.errors:
        # What failed is the answer, which comes after its CALL.
        until = min(until, LATEST) + MARGIN
    query = OLDEST if window.oldest_first else NEWEST
    rows = await db.fetch(query, station_id, since, until, wanted.action, wanted.errors, at_once + 1)
    chosen = _bounded(rows, at_once)
    if not chosen:
        return [], None
    ranges = [(row["first_at"] - MARGIN, row["last_at"] + MARGIN) for row in chosen]
    begins, ends = zip(*ranges, strict=True)
    bodies = await db.fetch(BODIES, station_id, list(begins), list(ends), min(begins), max(ends))
    edge = None
    if len(chosen) < len(rows):
        following = rows[len(chosen)]
        edge = to_microseconds(following["first_at"] if window.oldest_first else following["last_at"])
    return [row["body"] for row in bodies], edge


def _bounded(rows: Sequence[asyncpg.Record], most: int) -> Sequence[asyncpg.Record]:
    """One at least; with many, which are tried where fewer did not do, whatever their size."""
    size = 0
    for number, row in enumerate(rows[:most]):
        size += row["size"]
        if size > AT_ONCE_SIZE and number and most <= AT_ONCE:
            return rows[:number]
    return rows[:most]


def _matching(station_id: str, bodies: Sequence[bytes], wanted: LogFilter, window: _Window) -> list[Exchange]:
    found = [
        one
        for one in exchanges(_of_station(station_id, bodies))
        if window.first <= one.place < window.last and wanted.fits(one)
    ]
    return found if window.oldest_first else found[::-1]


def _of_station(station_id: str, bodies: Sequence[bytes]) -> list[Entry]:
    return [entry for body in bodies for entry in unpack_station(body, station_id)]


def _all_of(entry: Entry) -> str:
    texts = (entry.action, entry.message_id, entry.error, entry.description, entry.outcome, *entry.deviations)
    return "\n".join((*texts, entry.payload.decode(errors="replace"))).casefold()
