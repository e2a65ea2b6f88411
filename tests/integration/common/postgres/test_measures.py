"""Metrics that the leader of the outbox reads from the database, for all processes of its service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.common.commands.metrics import open_commands
from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.database import Database
from services.common.postgres.measures import Measure, Measures, counted
from services.common.process.leader_gauge import LeaderGauge
from services.common.process.settings import CommonSettings
from services.firmware import metrics as firmware
from services.smartcharging import metrics as smartcharging
from services.transactions import metrics as transactions
from tests.conftest import Stack
from tests.integration.common.running import empty, settings_of
from tests.patience import GIVE_UP

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ANYTHING = LeaderGauge("voltbus_test_anything", "of this test", ["kind"], known=[("a",), ("b",)])


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> CommonSettings:
    made: CommonSettings = settings_of(CommonSettings, await stack.fresh(topics=False))
    return made


@pytest.fixture
async def database(settings: CommonSettings, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    database = Database(settings, getattr(request, "param", "transactions"))
    await database.start()
    await empty(database)
    yield database
    await database.close()


def of(schema: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("database", [schema], indirect=True)


def measuring(database: Database, *measures: Measure, leads: bool = True) -> Measures:
    return Measures(database, measures, leads=lambda: leads, clock=lambda: NOW)


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def series(name: str) -> int:
    return sum(len(family.samples) for family in REGISTRY.collect() if family.name == name)


async def execute(database: Database, statement: str, *values: object) -> None:
    async with database.connection() as db:
        await db.execute(statement, *values)


async def test_the_outbox(database: Database) -> None:
    await measuring(database).read()
    assert (value("voltbus_outbox_rows"), value("voltbus_outbox_oldest_seconds")) == (0, 0)
    async with database.transaction() as db:
        for _ in range(3):
            await outbox.add(db, [Record("events", b"CP1", b"")])
    oldest = "select min(seq) from outbox"
    await execute(database, f"update outbox set written_at = now() - interval '1 hour' where seq = ({oldest})")
    await measuring(database).read()
    assert value("voltbus_outbox_rows") == 3
    assert 3600 <= (value("voltbus_outbox_oldest_seconds") or 0) < 3600 + GIVE_UP


async def test_partitions_ahead(database: Database) -> None:
    await execute(database, "create table part (at timestamptz) partition by range (at)")
    try:
        await measuring(database).read()
        assert value("voltbus_partitions_ahead_days", table="part") == 0
        await execute(database, "create table part_default partition of part default")
        for name, start in (("june", "2026-05-01"), ("july", "2026-06-11")):
            bounds = f"from ('{start}') to (timestamptz '{start}' + interval '41 days')"
            await execute(database, f"create table part_{name} partition of part for values {bounds}")
        await measuring(database).read()
        assert value("voltbus_partitions_ahead_days", table="part") == pytest.approx(51, abs=0.1)
        assert value("voltbus_partitions_ahead_days", table="sample") is not None
    finally:
        await execute(database, "drop table part")


INSERT_COMMAND = """
insert into command (id, station_id, action, payload, status, created_at, expires_at)
values ($1, 'CP1', 'Reset', '{}', $2, now(), now())"""


async def test_open_commands(database: Database) -> None:
    for number, status in enumerate(("accepted", "accepted", "answered")):
        await execute(database, INSERT_COMMAND, str(number), status)
    await measuring(database, open_commands).read()
    assert value("voltbus_commands_open", status="accepted") == 2
    assert value("voltbus_commands_open", status="sent") == 0


@of("firmware")
async def test_stations_and_connectors(database: Database) -> None:
    """Whatever stations say, and however many there are, the series are the same."""
    await measuring(database, *firmware.MEASURES).read()
    before = series("voltbus_stations"), series("voltbus_connectors")
    await execute(
        database,
        """insert into station (station_id, online, boot_status)
        select 'CP' || n, n <= 60, case when n <= 50 then 'Accepted' end from generate_series(1, 100) n""",
    )
    await execute(
        database,
        """insert into connector (station_id, evse_id, connector_id, status, received_at, since, connection_id, gone_at)
        select 'CP' || n, least(n, 1), n, status, now(), now(), '', gone_at
        from (values (0, 'Available', null), (1, 'Charging', null), (2, 'Charging', null),
            (3, 'Broken by ' || repeat('x', 20), null), (4, 'Charging', now())) as c (n, status, gone_at)""",
    )
    await measuring(database, *firmware.MEASURES).read()
    assert (series("voltbus_stations"), series("voltbus_connectors")) == before
    assert value("voltbus_stations", presence="online", boot_status="Accepted") == 50
    assert value("voltbus_stations", presence="online", boot_status="none") == 10
    assert value("voltbus_stations", presence="offline", boot_status="none") == 40
    assert value("voltbus_stations", presence="offline", boot_status="Rejected") == 0
    assert [value("voltbus_connectors", status=one) for one in ("Charging", "other", "Available")] == [2, 1, 0]


@of("smartcharging")
async def test_sites(database: Database) -> None:
    await execute(
        database,
        """insert into site (site_id, limit_value, limit_unit, phases, voltage, created_at, changed_at, over_committed)
        select 's' || n, 1, 'A', 3, 230, now(), now(), n = 1 from generate_series(1, 3) n""",
    )
    await measuring(database, *smartcharging.MEASURES).read()
    assert (value("voltbus_sites"), value("voltbus_sites_over_committed")) == (3, 1)


async def test_transactions(database: Database) -> None:
    await execute(
        database,
        """insert into transaction (id, station_id, key, transaction_id, started_at, started_received_at, stopped_at,
            updated_at, offline, occurrence, register_jumped_back, details, state, revision, review, superseded_by)
        select n, 'CP1', n::text, n::text, now(), now(), case when n > 3 then now() end, now(), false, 1, false, '{}',
            '{}', 1, case when n = 5 then 'held' else 'none' end, case when n = 1 then 2 end
        from generate_series(1, 6) n""",
    )
    await measuring(database, *transactions.MEASURES).read()
    assert (value("voltbus_transactions_open"), value("voltbus_transactions_held")) == (2, 1)


async def test_only_the_leader_has_them(database: Database) -> None:
    leads = True
    measured = Measures(
        database,
        [Measure(ANYTHING, counted("select 'a', 7"))],
        leads=lambda: leads,
        clock=lambda: NOW,
        look=0.001,
    )
    task = asyncio.create_task(measured.run())
    try:
        await until(lambda: value("voltbus_test_anything", kind="a") == 7)
        assert value("voltbus_test_anything", kind="b") == 0, "known before anything is said of it"
        leads = False
        await until(lambda: value("voltbus_test_anything", kind="a") is None)
        assert value("voltbus_outbox_rows") is None
        leads = True
        await until(lambda: value("voltbus_test_anything", kind="a") == 7)
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_what_cannot_be_read_has_no_value(database: Database) -> None:
    """Another release may have changed a table: the others are read."""
    ANYTHING.set({("a",): 1})
    with capture_logs() as logs:
        await measuring(database, Measure(ANYTHING, counted("select 'a', gone from nowhere"))).read()
    assert value("voltbus_test_anything", kind="a") is None
    assert value("voltbus_outbox_rows") is not None
    assert [line["event"] for line in logs] == ["not measured"]


async def test_what_a_pool_does(database: Database) -> None:
    def connections(state: str) -> float:
        return value("voltbus_postgres_connections", pool="main", state=state) or 0

    assert (value("voltbus_postgres_pool_size", pool="main"), connections("in_use")) == (8, 0)
    enough = asyncio.Event()

    async def hold() -> None:
        async with database.connection():
            await enough.wait()

    held = [asyncio.create_task(hold()) for _ in range(10)]
    try:
        await until(lambda: connections("in_use") == 8 and value("voltbus_postgres_waiting", pool="main") == 2)
    finally:
        enough.set()
        await asyncio.gather(*held)
    assert (connections("in_use"), value("voltbus_postgres_waiting", pool="main")) == (0, 0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(GIVE_UP):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
