"""The tables of an invented kind of desired state, made of the template as a service does; on a real Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

import services.common.desired
from services.common.desired.group_store import GroupDocument, GroupStore
from services.common.desired.progress import Progress, Step, applied, read, reading
from services.common.desired.progress_store import ProgressStore
from services.common.postgres.database import Connection, Database
from services.common.process.settings import CommonSettings
from tests.conftest import Stack
from tests.integration.common.running import settings_of

TEMPLATE = Path(services.common.desired.__file__).with_name("tables.sql").read_text().replace("thing_", "label_")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROGRESS, GROUPS = ProgressStore("label_progress"), GroupStore("label_desired")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> CommonSettings:
    made: CommonSettings = settings_of(CommonSettings, await stack.fresh(topics=False))
    return made


@pytest.fixture
async def db(settings: CommonSettings) -> AsyncIterator[Connection]:
    """Within a transaction that is taken back."""
    database = Database(settings, "auth")
    await database.start()
    try:
        async with database.connection() as db:
            transaction = db.transaction()
            await transaction.start()
            await db.execute(TEMPLATE)
            yield db
            await transaction.rollback()
    finally:
        await database.close()


async def one(db: Connection, station_id: str = "CP1") -> Progress:
    return (await PROGRESS.lock(db, [station_id], at(999)))[station_id]


async def test_a_station_that_is_new_is_due(db: Connection) -> None:
    assert await PROGRESS.lock(db, ["CP2", "CP1"], START) == {
        id_: Progress(id_, Step.DUE, START) for id_ in ("CP1", "CP2")
    }


async def test_everything_is_kept(db: Connection) -> None:
    known = read(reading(await one(db), {"command", "report/7"}), "1.2", at(5))
    await PROGRESS.save(db, [known])
    assert await one(db) == known
    idle = applied(replace(known, waiting=frozenset()), at(6))
    await PROGRESS.save(db, [idle])
    assert await one(db) == idle
    await PROGRESS.save(db, [])


async def test_a_station_that_is_back_need_not_wait(db: Connection) -> None:
    """One that is idle is left alone."""
    late, idle = Progress("CP1", Step.READY, at(600)), Progress("CP2", Step.IDLE, at(600))
    await PROGRESS.lock(db, ["CP1", "CP2"], START)
    await PROGRESS.save(db, [late, idle])
    await PROGRESS.connected(db, {"CP1", "CP2", "CP3"}, at(60))
    assert await one(db) == replace(late, due_at=at(60))
    assert await one(db, "CP2") == idle
    assert await one(db, "CP3") == Progress("CP3", Step.DUE, at(60))


@pytest.mark.parametrize(
    ("known", "firmware", "everything"),
    [
        pytest.param(None, "1", True, id="never read"),
        pytest.param(("1", at(0)), "1", False, id="as it was read"),
        pytest.param(("1", at(0)), "2", True, id="another firmware (B07.FR.14)"),
        pytest.param(("1", at(0)), None, True, id="a firmware that it does not say"),
        pytest.param((None, at(0)), None, False, id="that it never said"),
    ],
)
async def test_a_boot_makes_it_due(
    db: Connection, known: tuple[str | None, datetime] | None, firmware: str | None, everything: bool
) -> None:
    before = reading(await one(db), {"command"})
    await PROGRESS.save(db, [read(before, *known) if known else before])
    await PROGRESS.booted(db, {"CP1": firmware, "CP2": firmware}, at(60))
    after = await one(db)
    assert (after.step, after.due_at, after.waiting, after.everything) == (Step.DUE, at(60), frozenset(), everything)
    assert (await one(db, "CP2")).everything


async def test_those_whose_turn_it_is_are_claimed(db: Connection) -> None:
    """The longest due first."""
    rows = [
        Progress("CP1", Step.DUE, at(5)),
        Progress("CP2", Step.DUE, at(3)),
        Progress("CP3", Step.DUE, at(11)),
        Progress("CP4", Step.READY, at(1)),
        Progress("CP5", Step.READING, at(1)),
    ]
    await PROGRESS.lock(db, [row.station_id for row in rows], START)
    await PROGRESS.save(db, rows)
    assert await PROGRESS.claim(db, Step.DUE, at(10), 9) == [rows[1], rows[0]]
    assert await PROGRESS.claim(db, Step.DUE, at(10), 1) == [rows[1]]
    assert await PROGRESS.claim(db, Step.READY, at(10), 9) == [rows[3]]
    assert await PROGRESS.count_reading(db) == 1
    await PROGRESS.mark_due(db, ["CP5", "NEVER"], at(20))
    assert (await one(db, "CP5")).step is Step.DUE
    assert await PROGRESS.count_reading(db) == 0


async def test_what_is_desired_is_kept_as_it_is(db: Connection) -> None:
    document = GroupDocument("vienna", ["grün", {"n": 1.5}], START)
    await GROUPS.save(db, document)
    changed = GroupDocument("vienna", [], at(1))
    assert await GROUPS.load(db, ["vienna", "graz"]) == {"vienna": document}
    await GROUPS.save(db, changed)
    assert await GROUPS.load(db, ["vienna"]) == {"vienna": changed}
    assert [await GROUPS.remove(db, "vienna"), await GROUPS.remove(db, "vienna")] == [True, False]
    assert await GROUPS.load(db, []) == {}
