"""Tables of before become partitions while processes of the release before go on writing into them, and reading."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

import services
from services.common.calls import message_log
from services.common.postgres import migrate, partitions
from services.common.postgres.database import COMMON_MIGRATIONS, Database
from services.common.postgres.partitions import BEGINNING
from services.common.postgres.retention import TimeTable, make_ahead
from services.common.process.settings import CommonSettings
from services.firmware import reads, store
from services.firmware.kept import TABLES
from tests.conftest import Stack, settings_of, unused_name

FIRMWARE = Path(services.__file__).parent / "firmware" / "migrations"
NOW = datetime.now(UTC)
# What the release before says.
OLD_MESSAGE = """
insert into message (call_id, station_id, version, action, message_id, payload, received_at)
values ($1, 'CP1', '1.6', 'DataTransfer', $1, '{}', $2) on conflict (call_id) do nothing returning call_id"""
OLD_BOOT = """
insert into boot (call_id, station_id, version, status, interval_seconds, payload, received_at)
values ($1, 'CP1', '1.6', 'Accepted', 300, '{}', $2) on conflict (call_id) do nothing"""
NEW_BOOT = store.SAVE_BOOTS


@pytest.fixture
async def environment(stack: Stack) -> dict[str, str]:
    """Of an empty database."""
    name = unused_name()
    admin = await asyncpg.connect(stack.servers.postgres_dsn)
    await admin.execute(f"create database {name}")
    await admin.close()
    return {"VOLTBUS_POSTGRES_DSN": urlunsplit(urlsplit(stack.servers.postgres_dsn)._replace(path=f"/{name}"))}


def prepare_before(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema of the release before."""
    common, own = tmp_path / "common", tmp_path / "own"
    for source, target, beyond in ((COMMON_MIGRATIONS, common, "0015"), (FIRMWARE, own, "0023")):
        target.mkdir()
        for path in source.glob("*.sql"):
            if path.name < beyond:
                shutil.copy(path, target)
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "COMMON_MIGRATIONS", common)
        migrate.prepare(dsn, "firmware", own)


async def test_processes_of_before_go_on_beside_new_ones(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = environment["VOLTBUS_POSTGRES_DSN"]
    prepare_before(dsn, tmp_path, monkeypatch)
    before = await asyncpg.connect(dsn, server_settings={"search_path": "firmware", "role": "voltbus_firmware"})
    old = NOW - timedelta(days=900)
    for call_id, at in (("a", old), ("b", NOW)):
        await before.execute(OLD_MESSAGE, call_id, at)
        await before.execute(OLD_BOOT, call_id, at)
    files = await before.fetch("select pg_relation_filenode(name) from unnest('{message,boot}'::text[]) name")
    migrate.prepare(dsn, "firmware", FIRMWARE)
    assert files == await before.fetch("select pg_relation_filenode(name) from unnest('{message,boot}'::text[]) name")

    database = Database(settings_of(CommonSettings, environment), "firmware")
    await database.start()
    try:
        async with database.connection() as db:
            # Told twice, by whichever of them, it is there once.
            assert await before.fetch(OLD_MESSAGE, "b", NOW) == []
            assert len(await before.fetch(OLD_MESSAGE, "c", NOW)) == 1
            for call_id, new in (("b", 0), ("c", 0), ("d", 1)):
                row = ([call_id], ["CP1"], ["1.6"], ["DataTransfer"], [call_id], ["{}"], [NOW])
                assert len(await db.fetch(message_log.SAVE, *row, [None], [None], [None])) == new
            assert await before.fetch(OLD_MESSAGE, "d", NOW) == []
            for call_id in ("b", "d"):
                await db.execute(NEW_BOOT, [call_id], ["CP1"], ["1.6"], ["Pending"], [30], ["{}"], [NOW])
            await before.execute(OLD_BOOT, "d", NOW)
            page = await message_log.page(db, "CP1", None, None, 3)
            more = await message_log.page(db, "CP1", None, (page[-1]["received_at"], page[-1]["call_id"]), 3)
            assert [row["call_id"] for row in [*page, *more]] == ["d", "c", "b", "a"]
            assert [(one.id, one.status) for one in await reads.boots(db, "CP1", None, 9)] == [
                *(("d", "Pending"), ("b", "Accepted"), ("a", "Accepted")),
            ]
            found = await partitions.found(db)
        # The release before can be gone back to for a month and more.
        for table, name in (("recorded_message", "message"), ("recorded_boot", "boot")):
            [oldest] = found[table]
            assert (oldest.name, oldest.start) == (name, BEGINNING)
            assert timedelta(days=28) < oldest.end - NOW
    finally:
        await database.close()
        await before.close()


async def test_a_migration_that_was_interrupted_can_be_run_again(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was: what is there stays, what is half done is done anew."""
    dsn = environment["VOLTBUS_POSTGRES_DSN"]
    prepare_before(dsn, tmp_path, monkeypatch)
    db = await asyncpg.connect(dsn, server_settings={"search_path": "firmware", "role": "voltbus_firmware"})
    await db.execute("alter table message add constraint older check (received_at < '2020-01-01') not valid")
    await db.execute("create unique index message_by_time on message (received_at, call_id)")
    migrate.prepare(dsn, "firmware", FIRMWARE)
    await db.execute("delete from _yoyo_migration where migration_id ~ '^0016_partition'")
    migrate.prepare(dsn, "firmware", FIRMWARE)
    assert await db.fetchval("select count(*) from pg_inherits where inhparent = 'recorded_message'::regclass") == 2
    await db.execute("insert into recorded_message select 'x', 'CP1', '1.6', 'A', 'x', '{}', now()")
    await db.close()


async def test_a_page_reads_no_partition_that_is_younger(environment: dict[str, str]) -> None:
    dsn = environment["VOLTBUS_POSTGRES_DSN"]
    migrate.prepare(dsn, "firmware", FIRMWARE)
    database = Database(settings_of(CommonSettings, environment), "firmware")
    await database.start()
    try:
        [messages] = [one for one in TABLES if one.table == "recorded_message"]
        assert isinstance(messages, TimeTable)
        later = NOW + timedelta(days=150)
        await make_ahead(database, messages, later)
        async with database.list_connection() as db:
            names = [one.name for one in (await partitions.found(db))["recorded_message"]]
            assert len(names) == 6
            await db.execute(f"prepare page (text, text, timestamptz, text, bigint) as {message_log.NEWEST}")
            asked = f"explain execute page ('CP1', null, '{later}', 'x', 10)"
            plan = "\n".join(row[0] for row in await db.fetch(asked))
            await db.execute("deallocate page")
        assert "Seq Scan" not in plan
        assert [name in plan for name in names] == [True, True, True, False, False, False]
    finally:
        await database.close()
