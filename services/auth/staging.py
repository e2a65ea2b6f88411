"""A file that is being imported: its lines wait in a table of the connection until all of them are read.

Passwords are hashed before they come here.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.database import Connection

# Of the connection alone; what an earlier import left when it was cut off goes.
BEGIN = """
drop table if exists pg_temp.staged, pg_temp.outgoing;
create temp table staged (line integer primary key, key text collate "C" not null, same text collate "C" not null,
    said bytea not null);
create temp table outgoing (seq integer generated always as identity, records bytea not null)"""
END = "drop table if exists pg_temp.staged, pg_temp.outgoing"
TWICE = """
select line, first from (select line, min(line) over (partition by same) as first from staged) as lines
where line > first order by line limit $1"""
SERIAL_NUMBERS = """
select serial_number, min(station_id) as station_id from station
where serial_number = any($1::text[]) and not exists (select from staged where key = station_id)
group by serial_number"""
PAGE = "select line, key, said from staged where line > $1 order by line limit $2"
HOLD = "insert into outgoing (records) values ($1)"
# At the very end: a leader of the outbox finds what the last one may have published among its first rows, and these
# come before them when they are committed.
RELEASE = "insert into outbox (records) select records from outgoing order by seq"
# Lines that are decided together, and whose records are one row of the outbox.
AT_ONCE = 250

PACK, UNPACK = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder()


@dataclass(frozen=True, slots=True)
class Staged:
    """A line that was read. key: of its station or idToken. said: what it says of it."""

    line: int
    key: str
    said: Any


@dataclass(frozen=True, slots=True)
class Staging:
    """The tables of one import. db: a connection that nobody else uses meanwhile."""

    db: Connection

    async def begin(self) -> None:
        await self.db.execute(BEGIN)

    async def end(self) -> None:
        await self.db.execute(END)

    async def add(self, lines: Sequence[Staged], same: Callable[[str], str]) -> None:
        """Lines that were read. same: what keys that mean one thing have in common."""
        rows = [(one.line, one.key, same(one.key), PACK.encode(one.said)) for one in lines]
        await self.db.copy_records_to_table("staged", records=rows, columns=("line", "key", "same", "said"))

    async def repeated(self, most: int) -> list[tuple[int, int]]:
        """Lines that mean what an earlier line means, each with the first that does."""
        return [(row["line"], row["first"]) for row in await self.db.fetch(TWICE, most)]

    async def serial_numbers(self, wanted: Sequence[str]) -> dict[str, str]:
        """Those of stations that the file does not name, each with the station that has it."""
        return {row["serial_number"]: row["station_id"] for row in await self.db.fetch(SERIAL_NUMBERS, wanted)}

    async def pages(self) -> AsyncIterator[Sequence[Staged]]:
        """All lines, in order."""
        after = 0
        while found := await self.db.fetch(PAGE, after, AT_ONCE):
            yield [Staged(row["line"], row["key"], UNPACK.decode(row["said"])) for row in found]
            after = found[-1]["line"]

    async def hold(self, records: Sequence[Record]) -> None:
        """Records that leave with the others, if all goes well."""
        if records:
            await self.db.execute(HOLD, outbox.pack(records))

    async def release(self) -> None:
        """Puts all records into the outbox."""
        await self.db.execute(RELEASE)
