"""The outbox: what a transaction publishes leaves once it is committed, in order, by one leader."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from services.common.kafka.bus import MAX_RECORD_BYTES, Record
from services.common.postgres import outbox
from services.common.postgres.database import Database
from services.common.postgres.outbox import Relay, RelayTiming
from services.common.process.errors import Unavailable, VoltbusError
from services.common.process.settings import CommonSettings
from services.common.testing.memory import MemoryBus
from tests.conftest import Stack
from tests.integration.common.running import empty, settings_of
from tests.patience import GIVE_UP
from voltbus.v1.outbox_pb2 import OutboxBatch, OutboxHeader, OutboxRecord

TOPIC, DEAD = "events.smartcharging", "dead.smartcharging"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
# Of this database alone: other systems on the same server have leaders of their own.
COUNT_LOCKS = """
select count(*) from pg_locks
where locktype = 'advisory' and granted and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())"""


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> CommonSettings:
    made: CommonSettings = settings_of(CommonSettings, await stack.fresh(topics=False))
    return made


@pytest.fixture
async def database(settings: CommonSettings) -> AsyncIterator[Database]:
    database = Database(settings, "smartcharging")
    await database.start()
    await empty(database)
    yield database
    await database.close()


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus(1)


# A relay that is not woken does not read by itself within a test, or does at once.
PATIENT, EAGER = RelayTiming(idle=60), RelayTiming(idle=0.05)


def records(first: int, count: int) -> list[Record]:
    return [Record(TOPIC, b"CP1", b"%d" % n, (("ce_id", b"%d" % n),)) for n in range(first, first + count)]


async def put(database: Database, told: Sequence[Record]) -> None:
    async with database.transaction() as db:
        await outbox.add(db, told)


def values(bus: MemoryBus) -> list[int]:
    return [int(record.value or b"-1") for record in bus.all(TOPIC)]


async def left(database: Database) -> int:
    async with database.connection() as db:
        return int(await db.fetchval("select count(*) from outbox"))


async def emptied(database: Database, bus: MemoryBus) -> None:
    while await left(database):
        await bus.wait()


@asynccontextmanager
async def relaying(database: Database, bus: MemoryBus, timing: RelayTiming = PATIENT) -> AsyncIterator[Relay]:
    relay = Relay(database, bus, dead_topic=DEAD, clock=lambda: NOW, timing=timing)
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(GIVE_UP):
            yield relay
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def led(database: Database, bus: MemoryBus, leaders: int = 1) -> None:
    async with database.connection() as db:
        while await db.fetchval(COUNT_LOCKS) != leaders:
            await bus.wait()


async def test_everything_leaves_in_order(database: Database, bus: MemoryBus) -> None:
    for first in range(0, 300, 10):
        await put(database, records(first, 10))
    async with relaying(database, bus):
        await emptied(database, bus)
    assert values(bus) == list(range(300))


async def test_a_record_that_kafka_does_not_take_holds_up_nobody(database: Database, bus: MemoryBus) -> None:
    """And no other is told twice for it. Its key may be an idToken, which is not for the log."""
    large = Record(TOPIC, b"CP1", bytes(MAX_RECORD_BYTES), (("ce_id", b"x"),))
    await put(database, [*records(0, 3), large, *records(3, 3)])
    await put(database, records(6, 3))
    with capture_logs() as logs:
        async with relaying(database, bus):
            await emptied(database, bus)
    assert [("key" in line) for line in logs if line["event"] == "record put aside"] == [False]
    assert values(bus) == list(range(9))
    [letter] = bus.all(DEAD)
    headers = dict(letter.headers)
    assert (letter.key, letter.value, headers["dead-topic"]) == (b"CP1", b"", TOPIC.encode())
    assert headers["dead-value-left-out"] == b"%d" % MAX_RECORD_BYTES
    assert b"too long for events.smartcharging" in headers["dead-reason"]


async def test_which_one_leads_is_known(database: Database, bus: MemoryBus) -> None:
    async with relaying(database, bus, EAGER) as second:
        async with relaying(database, bus, EAGER) as other:
            while not (second.leads or other.leads):
                await bus.wait()
            await led(database, bus)
            assert second.leads != other.leads
        assert not other.leads, "it has ended"
        while not second.leads:
            await bus.wait()


async def test_a_record_leaves_as_it_was(database: Database, bus: MemoryBus) -> None:
    told = [Record(TOPIC, b"k", b"v", (("a", b"1"), ("a", b"\xff"))), Record("tokens", b"gone", None)]
    await put(database, told)
    async with relaying(database, bus):
        await emptied(database, bus)
    [event], [tombstone] = bus.all(TOPIC), bus.all("tokens")
    assert (event.key, event.value, event.headers) == (b"k", b"v", (("a", b"1"), ("a", b"\xff")))
    assert (tombstone.key, tombstone.value) == (b"gone", None)


async def test_what_the_version_before_this_one_wrote_leaves_too(database: Database, bus: MemoryBus) -> None:
    header = OutboxHeader(name="a", value=b"1")
    old = OutboxBatch(records=[OutboxRecord(topic=TOPIC, key=b"k", value=b"v", headers=[header])])
    old.records.add(topic="tokens", key=b"gone")
    async with database.transaction() as db:
        await db.execute(outbox.ADD, old.SerializeToString())
    await put(database, records(1, 1))
    async with relaying(database, bus):
        await emptied(database, bus)
    first, second = bus.all(TOPIC)
    assert (first.key, first.value, first.headers) == (b"k", b"v", (("a", b"1"),))
    assert second.value == b"1"
    assert [(one.key, one.value) for one in bus.all("tokens")] == [(b"gone", None)]


async def test_what_is_rolled_back_never_leaves(database: Database, bus: MemoryBus) -> None:
    async with database.connection() as db:
        transaction = db.transaction()
        await transaction.start()
        await outbox.add(db, records(0, 1))
        await transaction.rollback()
    await put(database, records(1, 1))
    async with relaying(database, bus):
        await emptied(database, bus)
    assert values(bus) == [1]


async def test_nothing_makes_no_row(database: Database) -> None:
    await put(database, [])
    assert await left(database) == 0


async def test_who_is_woken_looks_at_once(database: Database, bus: MemoryBus) -> None:
    async with relaying(database, bus) as relay:
        await led(database, bus)
        for first in range(5):
            await put(database, records(first, 1))
            relay.wake()
            await emptied(database, bus)
    assert values(bus) == [0, 1, 2, 3, 4]


async def test_one_leads_and_another_follows(database: Database, settings: CommonSettings, bus: MemoryBus) -> None:
    other_bus, other = MemoryBus(1), Database(settings, "smartcharging")
    await other.start()
    try:
        async with relaying(other, other_bus, EAGER):
            async with relaying(database, bus, EAGER):
                await led(database, bus)
                await put(database, records(0, 10))
                await emptied(database, bus)
                assert sorted(values(bus) + values(other_bus)) == list(range(10))
                assert not (values(bus) and values(other_bus))
            await led(database, bus)
            await put(database, records(10, 10))
            await emptied(database, bus)
        assert values(other_bus)[-10:] == list(range(10, 20))
    finally:
        await other.close()


async def test_two_services_do_not_wait_for_each_other(
    database: Database, settings: CommonSettings, bus: MemoryBus
) -> None:
    other = Database(settings, "auth")
    await other.start()
    try:
        async with relaying(database, bus), relaying(other, bus):
            await led(database, bus, leaders=2)
    finally:
        await other.close()


async def test_a_broker_that_is_away_loses_nothing(database: Database, bus: MemoryBus) -> None:
    bus.broken = True
    await put(database, records(0, 5))
    async with relaying(database, bus, EAGER):
        await asyncio.sleep(0.2)
        assert await left(database) == 1
        bus.broken = False
        await emptied(database, bus)
    assert values(bus) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("reached", [0, 1, 3])
async def test_after_a_crash_before_the_delete_nothing_is_told_twice(
    database: Database, bus: MemoryBus, monkeypatch: pytest.MonkeyPatch, reached: int
) -> None:
    """reached: how many events of a batch Kafka has. What is no event is told again, for it changes nothing."""
    real, crashes = bus.try_publish, iter([True])
    state = Record("tokens", b"key", b"value")

    async def try_publish(told: Sequence[Record]) -> list[tuple[Record, VoltbusError]]:
        if next(crashes, False):
            await real([*told[:reached], state])
            raise Unavailable("gone in the middle")
        return await real(told)

    await bus.publish(records(-2, 2))
    monkeypatch.setattr(bus, "try_publish", try_publish)
    await put(database, [*records(0, 3), state])
    await put(database, records(3, 2))
    async with relaying(database, bus):
        await emptied(database, bus)
    assert values(bus) == [-2, -1, 0, 1, 2, 3, 4]
    assert len(bus.all("tokens")) == 2


async def test_a_relay_that_is_stopped_lets_go(database: Database, bus: MemoryBus) -> None:
    for _ in range(3):
        async with relaying(database, bus):
            await led(database, bus)
        await led(database, bus, leaders=0)
