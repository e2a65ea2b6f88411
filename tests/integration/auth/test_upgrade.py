"""An installation whose topics were `stations`, and `tokens` without types in their keys, is taken along."""

import asyncio
import shutil
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

import services.auth
from services.auth.publication import Publication
from services.auth.store import PAGE_SIZE, Store
from services.common.kafka.events import Events
from services.common.postgres import migrate
from services.common.postgres.database import Connection
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from tests.conftest import Stack
from tests.integration.auth.conftest import credentials, registrations, tokens
from tests.integration.common.running import Running

MIGRATIONS = Path(services.auth.__file__).parent / "migrations"
MANY = 2 * PAGE_SIZE + 1


async def fill(db: "Connection | asyncpg.Connection", columns: str, values: str) -> None:
    """A station and an idToken for each number, as SQL."""
    await db.execute(
        f"insert into station (station_id, password_hash, {columns}, registered_at, changed_at) "
        f"select 'CP' || n, 'hash', {values}, now(), now() from generate_series(1, {MANY}) n"
    )
    await db.execute(
        "insert into token (key, id_token, type, status, registered_at, changed_at) "
        f"select 't' || n, 'T' || n, 'ISO14443', 'Accepted', now(), now() from generate_series(1, {MANY}) n"
    )


def store(auth: Running) -> Store:
    return Store(
        auth.database, Publication(CommonSettings(), Events(CommonSettings(), "auth", unassigned)), lambda: None
    )


async def test_the_migration_keeps_groups_and_asks_for_all_to_be_published(stack: Stack, tmp_path: Path) -> None:
    admin = await asyncpg.connect(stack.servers.postgres_dsn)
    name = f"test_{uuid.uuid4().hex[:12]}"
    await admin.execute(f"create database {name}")
    await admin.close()
    dsn = urlunsplit(urlsplit(stack.servers.postgres_dsn)._replace(path=f"/{name}"))
    for path in MIGRATIONS.glob("000[456]_*"):
        shutil.copy(path, tmp_path)
    migrate.prepare(dsn, "auth", tmp_path)
    db = await asyncpg.connect(dsn, server_settings={"search_path": "auth"})
    await fill(db, "group_name", "case n when 1 then 'vienna' when 2 then '' end")
    migrate.prepare(dsn, "auth", MIGRATIONS)
    rows = await db.fetch("select groups, location_id from station order by length(station_id), station_id limit 3")
    assert [tuple(row) for row in rows] == [(["vienna"], None), ([], None), ([], None)]
    assert await db.fetchval("select count(*) from republish") >= 1
    assert await db.fetchval("select count(*) from token") == MANY
    await db.close()


async def test_nothing_is_published_again_where_nothing_was_there(stack: Stack, auth: Running) -> None:
    environment = await stack.fresh(topics=False)
    db = await asyncpg.connect(environment["VOLTBUS_POSTGRES_DSN"], server_settings={"search_path": "auth"})
    assert await db.fetchval("select count(*) from republish") == 0
    await db.close()
    await store(auth).republish()
    await auth.settled()
    assert not credentials(auth)


async def test_all_state_is_published_once(auth: Running) -> None:
    async with auth.database.connection() as db:
        await fill(db, "groups, location_id", "array['vienna'], 'garage'")
        await db.execute("insert into republish values (now())")
    for _ in range(2):
        for step in auth.service.opens[2:]:
            await step()
    await auth.settled()
    records = auth.bus.all("credentials"), auth.bus.all("registrations"), auth.bus.all("tokens")
    assert [len(one) for one in records] == [MANY, MANY, 2 * MANY]
    names = {f"CP{number}" for number in range(1, MANY + 1)}
    assert credentials(auth).keys() == registrations(auth).keys() == names
    known = registrations(auth)["CP1"]
    assert known
    assert (list(known.groups), known.location_id) == (["vienna"], "garage")
    found = tokens(auth)
    assert {key for key, token in found.items() if token} == {f"ISO14443/t{number}" for number in range(1, MANY + 1)}
    assert {key for key, token in found.items() if not token} == {f"t{number}" for number in range(1, MANY + 1)}
    assert not auth.announced()


async def test_auth_is_not_ready_before_kafka_has_the_state_that_was_asked_for(auth: Running) -> None:
    """A gateway that starts after it must know every password."""
    async with auth.database.connection() as db:
        await db.execute("insert into republish values (now())")
        await fill(db, "groups", "array['vienna']")
    outbox = next(task for task in auth.tasks if task.get_name() == "outbox")
    outbox.cancel()
    await asyncio.wait({outbox})
    await auth.service.opens[-1]()
    assert "publication: stations and tokens are being published" in await auth.service.unready()
    await auth.restart()
    await auth.ready()
    assert len(credentials(auth)) == MANY
