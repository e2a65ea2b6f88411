"""What is old goes, and nothing else: in whole partitions, in batches; what is needed stays."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib import import_module

import asyncpg
import pytest
from structlog.testing import capture_logs

from services.common.postgres import measures, partitions, retention
from services.common.postgres.database import Database
from services.common.postgres.partitions import Unit
from services.common.postgres.retention import PlainTable, Retention, Table, TimeTable
from services.ocpp.services import SERVICES
from services.smartcharging import kept as smartcharging
from services.smartcharging.reads import NEWEST_COMMANDS
from services.transactions.settings import Settings
from tests.conftest import SECRETS, Stack
from tests.integration.common.running import empty, settings_of

NOW = datetime(2026, 6, 10, tzinfo=UTC)
MONTHS = TimeTable(
    table="part", setting="sample_days", key="at", unit=Unit.MONTH, told_by="received_at", needed="number = 7"
)
PLAIN = PlainTable(table="plain", setting="sample_days", time="at", needed="number = 7")
MADE = """
create table part (at timestamptz not null, number integer not null, received_at timestamptz not null)
    partition by range (at);
create table part_default partition of part default;
create table plain (at timestamptz not null, number integer primary key)"""


@pytest.fixture(scope="module")
async def settings(stack: Stack) -> Settings:
    made: Settings = settings_of(Settings, await stack.fresh(topics=False), sample_days=60)
    return made


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings, "transactions")
    await database.start()
    await execute(database, MADE)
    yield database
    await execute(database, "drop table part, plain")
    await database.close()


def keeping(database: Database, settings: Settings, *tables: Table, now: datetime = NOW) -> Retention:
    return Retention(database=database, tables=tables, settings=settings, clock=lambda: now)


async def execute(database: Database, statement: str) -> None:
    async with database.connection() as db:
        await db.execute(statement)


async def add(database: Database, table: str, *rows: tuple[int, int]) -> None:
    """Each with its age in days, and its number."""
    async with database.connection() as db:
        more = ", received_at" if table == "part" else ""
        for age, number in rows:
            at = f"timestamptz '{NOW}' - interval '{age} days'"
            await db.execute(f"insert into {table} (at, number{more}) select {at}, {number}{more and ', ' + at}")


async def numbers(database: Database, table: str) -> list[int]:
    async with database.connection() as db:
        return [row[0] for row in await db.fetch(f"select number from {table} order by number")]


async def parts(database: Database) -> list[str]:
    async with database.connection() as db:
        return [one.name for one in (await partitions.found(db))["part"]]


async def test_months_are_made_once_and_dropped_when_all_of_them_is_old(database: Database, settings: Settings) -> None:
    await keeping(database, settings, MONTHS, now=NOW - timedelta(days=100)).prepare()
    for _ in range(2):
        await keeping(database, settings, MONTHS).prepare()
    assert await parts(database) == [f"part_2026_{month:02}" for month in range(2, 10)] == await parts(database)
    await add(database, "part", (100, 1), (75, 2), (69, 3), (1, 4))
    await keeping(database, settings, MONTHS).remove()
    # 60 days before the 10th of June is the 11th of April.
    assert await parts(database) == [f"part_2026_{month:02}" for month in range(4, 10)]
    assert await numbers(database, "part") == [3, 4]


async def test_a_partition_with_a_row_that_is_needed_stays(database: Database, settings: Settings) -> None:
    await keeping(database, settings, MONTHS, now=NOW - timedelta(days=100)).prepare()
    await add(database, "part", (100, 1), (100, 7), (105, 2))
    await keeping(database, settings, MONTHS).remove()
    assert await numbers(database, "part") == [1, 7]
    await execute(database, "update part set number = 8 where number = 7")
    await keeping(database, settings, MONTHS).remove()
    assert await numbers(database, "part") == []


async def test_for_ever_is_for_ever(database: Database, settings: Settings) -> None:
    await add(database, "part", (9000, 1))
    await add(database, "plain", (9000, 1))
    await keeping(database, settings.model_copy(update={"sample_days": 0}), MONTHS, PLAIN).remove()
    assert await numbers(database, "part") == await numbers(database, "plain") == [1]


async def test_what_waits_in_the_default_goes_by_when_it_was_told(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that is at 1970 has told it now."""
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    await add(database, "part", *((61 + n, n) for n in range(1, 8)), (59, 8))
    await execute(database, f"insert into part (at, number, received_at) values ('1970-01-01', 9, '{NOW}')")
    await keeping(database, settings, MONTHS).remove()
    assert await numbers(database, "part") == [7, 8, 9]


async def test_all_of_before_in_one_partition_goes_row_by_row_and_then_whole(
    database: Database, settings: Settings
) -> None:
    await execute(database, "create table before (like part)")
    await execute(database, "alter table part attach partition before for values from (minvalue) to ('2026-06-01')")
    await keeping(database, settings, MONTHS).prepare()
    assert await parts(database) == ["before", *(f"part_2026_{month:02}" for month in range(6, 10))]
    await add(database, "part", (80, 1), (59, 2), (1, 3))
    await keeping(database, settings, MONTHS).remove()
    assert await numbers(database, "part") == [2, 3]
    await keeping(database, settings, MONTHS, now=NOW + timedelta(days=51)).remove()
    assert "before" not in await parts(database)
    assert await numbers(database, "part") == [3]


@pytest.mark.parametrize("number", ["", "number"])
async def test_rows_of_a_plain_table_go_in_batches(
    database: Database, settings: Settings, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    table = PlainTable(table="plain", setting="sample_days", time="at", needed="number = 7", number=number)
    await add(database, "plain", *((90 - n, n) for n in range(1, 12)), (1, 12))
    await keeping(database, settings, table).remove()
    assert await numbers(database, "plain") == [7, 12]


async def test_a_table_that_is_in_use_lets_others_pass(database: Database, settings: Settings) -> None:
    """Whoever waits for all of it would hold up whoever comes after: it is tried again later."""
    await keeping(database, settings, MONTHS, now=NOW - timedelta(days=100)).prepare()
    async with database.transaction() as db:
        await db.fetch("select from part")
        with capture_logs() as logs:
            await keeping(database, settings, MONTHS).remove()
    assert [(one["table"], one["reason"]) for one in logs] == [("part", "canceling statement due to lock timeout")]
    await keeping(database, settings, MONTHS).remove()
    assert "part_2026_02" not in await parts(database)


async def test_what_may_not_make_or_drop_partitions_goes_on(database: Database, settings: Settings) -> None:
    """Rows wait in the default partition; one line says why, and the days ahead say that they run out."""
    await keeping(database, settings, MONTHS, now=NOW - timedelta(days=100)).prepare()
    admin = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:
        for table in ("part", "part_2026_02"):
            await admin.execute(f"alter table transactions.{table} owner to current_user")
        await admin.execute("alter schema transactions owner to current_user")
        await admin.execute("grant usage on schema transactions to voltbus_transactions")
        await admin.execute("grant all on all tables in schema transactions to voltbus_transactions")
        with capture_logs() as logs:
            await keeping(database, settings, MONTHS).prepare()
            await keeping(database, settings, MONTHS).remove()
        assert [(one["event"], one["table"]) for one in logs] == [
            ("partitions wait to be made", "part"),
            ("what is old waits to be removed", "part"),
        ]
        assert "permission denied" in logs[0]["reason"]
        await add(database, "part", (-30, 1))
        assert await numbers(database, "part_default") == [1]
        async with database.connection() as db:
            assert (await measures.partitions_ahead(db, NOW + timedelta(days=60)))["part",] == 0
    finally:
        await admin.execute("alter schema transactions owner to voltbus_transactions")
        for table in ("part", "part_2026_02"):
            await admin.execute(f"alter table transactions.{table} owner to voltbus_transactions")
        await admin.close()


LEFT = ("command", "command_part", "command_batch")
OLD = NOW - timedelta(days=500)
COMMAND = """
insert into command (id, station_id, action, payload, status, created_at, expires_at, sent_at, effect, batch_id)
values ($1, 'CP1', $2, '{}', $3, $4, $4, $4, $5, $6)"""
BATCH = """
insert into command_batch (id, action, payload, chosen, created_at, expires_at)
values ($1, 'Reset', '{}', '[]', $2, $2)"""
PART = "insert into command_part (id, command_id, number, start, items, sent_at) values ($1 || '-1', $1, 1, 0, 1, $2)"


@pytest.mark.parametrize("schema", SERVICES)
async def test_commands_that_have_ended_go_with_all_of_theirs(settings: Settings, schema: str) -> None:
    """What every service lists can be removed from its tables; what still waits stays."""
    database = Database(settings, schema)
    await database.start()
    await empty(database)
    kept = import_module(f"services.{schema}.kept").TABLES
    own = settings_of(import_module(f"services.{schema}.settings").Settings, SECRETS)
    try:
        async with database.connection() as db:
            for batch in ("gone", "stays"):
                await db.execute(BATCH, batch, OLD)
            for id, status, at, effect, batch_id in (
                ("ended", "answered", OLD, None, "gone"),
                ("waits", "accepted", OLD, None, "stays"),
                ("sent", "sent", OLD, None, None),
                ("scheduled", "answered", OLD, "scheduled", None),
                ("done", "answered", OLD, "done", None),
                ("young", "answered", NOW, None, None),
            ):
                await db.execute(COMMAND, id, "Reset", status, at, effect, batch_id)
                await db.execute(PART, id, at)
        await Retention(database=database, tables=kept, settings=own, clock=lambda: NOW).remove()
        async with database.connection() as db:
            left = [[row[0] for row in await db.fetch(f"select id from {table} order by id")] for table in LEFT]
        assert left[0] == ["scheduled", "sent", "waits", "young"]
        assert left[1] == ["scheduled-1", "sent-1", "waits-1", "young-1"]
        assert left[2] == ["stays"]
    finally:
        await database.close()


async def test_commands_that_profiles_are_known_by_stay(settings: Settings) -> None:
    """As many as are looked at, of each station; and those of limits that hold."""
    database = Database(settings, "smartcharging")
    await database.start()
    await empty(database)
    [commands] = [one for one in smartcharging.TABLES if one.table == "command"]
    more = NEWEST_COMMANDS + 3
    try:
        async with database.connection() as db:
            await db.executemany(
                COMMAND, [(f"{n}", "SetChargingProfile", "answered", OLD, None, None) for n in range(1, more + 1)]
            )
            await db.execute(COMMAND, "other", "GetCompositeSchedule", "answered", OLD, None, None)
            await db.execute(
                "insert into hold (station_id, evse_id, session_id, doubtful, failures, refused, lows, peak, patience, "
                "seen, command_id) values ('CP1', 1, 0, 0, 0, false, 0, 0, 0, 0, '2')"
            )
        await keeping(database, settings, commands).remove()
        async with database.connection() as db:
            left = [row[0] for row in await db.fetch("select id from command order by number")]
        assert left == ["2", *(f"{n}" for n in range(4, more + 1))]
    finally:
        await database.close()


async def test_how_long_a_partition_is_overdue_is_told_unless_it_is_needed(
    database: Database, settings: Settings
) -> None:
    """Kept for 60 days; March ends 71 days before."""
    await keeping(database, settings, MONTHS, now=NOW - timedelta(days=100)).prepare()
    kept = keeping(database, settings, MONTHS, PLAIN)

    async def days() -> float:
        async with database.transaction() as db:
            return (await kept.overdue(db, NOW))["part",]

    [*_, newest] = [one for one in await parts(database) if one <= "part_2026_03"]
    assert newest == "part_2026_03"
    oldest = (await parts(database))[0]
    await add(database, "part", (75, 1))
    assert oldest < newest
    assert await days() > 30
    for name in await parts(database):
        if name < newest:
            await execute(database, f"drop table {name}")
    assert await days() == 10
    await add(database, "part", (75, 7))
    assert await days() == 0
    forever = keeping(database, settings.model_copy(update={"sample_days": 0}), MONTHS)
    async with database.transaction() as db:
        assert await forever.overdue(db, NOW) == {("part",): 0}
