"""Fills the table of samples with those of transactions long over, as many as a system has after a while."""

import asyncio

import asyncpg

_WRITERS = 2
# A hundred of each transaction, of this month, in order of time. Keys are what they would be, for what is to be found
# out is whether a large index costs more; there is one reading in each, so that a disk takes them. Ids below zero are
# nobody else's.
FILL = """
insert into transactions.sample (transaction_id, taken_at, received_at, seq_no, digest, said, readings)
select n / 100 - $4::bigint, at, at, null, ('x' || left(md5(n::text), 16))::bit(64)::bigint, null, $3::jsonb
from generate_series($1::bigint, $2::bigint) as n
cross join lateral (
    select date_trunc('month', now()) + (now() - date_trunc('month', now())) * (n / $4::bigint::float8) as at) as t"""

READING = "select jsonb_build_array(readings -> 0) from transactions.sample limit 1"
EMPTY = "truncate transactions.sample"


async def fill(dsn: str, count: int) -> None:
    """Adds `count` samples, and lets Postgres tidy up after them; at least one must be there."""
    connection = await asyncpg.connect(dsn)
    try:
        readings = await connection.fetchval(READING)
        share = -(-count // _WRITERS)
        parts = [(first, min(first + share, count) - 1) for first in range(0, count, share)]
        await asyncio.gather(*(_write(dsn, first, last, readings, count) for first, last in parts))
        await connection.execute("vacuum (analyze) transactions.sample")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


async def empty(dsn: str) -> None:
    """Removes all samples, so that what comes next finds none."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(EMPTY)
    finally:
        await connection.close()


async def _write(dsn: str, first: int, last: int, readings: str, count: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(FILL, first, last, readings, count)
    finally:
        await connection.close()
