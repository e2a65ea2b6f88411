"""A table of samples is filled and emptied again."""

import asyncpg

from tests.conftest import Stack
from voltbus.lab.bench.samples import empty, fill

ONE = """
insert into transactions.sample (transaction_id, taken_at, received_at, digest, readings)
values (1, now(), now(), 1, '[{"unit": "Wh", "value": 5}, {"unit": "W", "value": 7}]')"""
SEEN = """
select count(*) as samples, count(distinct transaction_id) as transactions, count(distinct digest) as digests,
    max(taken_at) <= now() and min(taken_at) >= date_trunc('month', now()) as this_month,
    count(*) filter (where readings = '[{"unit": "Wh", "value": 5}]') as alike
from transactions.sample where transaction_id < 0"""


async def test_samples_of_this_month_of_transactions_of_nobody(stack: Stack) -> None:
    dsn = (await stack.fresh(topics=False))["VOLTBUS_POSTGRES_DSN"]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(ONE)
        await fill(dsn, 1001)
        seen = await connection.fetchrow(SEEN)
        assert seen is not None
        assert tuple(seen) == (1001, 11, 1001, True, 1001)
        await empty(dsn)
        assert await connection.fetchval("select count(*) from transactions.sample") == 0
    finally:
        await connection.close()
