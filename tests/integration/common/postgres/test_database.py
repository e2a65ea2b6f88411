"""What Postgres says of the moment is tried again, and is no fault of a record."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import SecretStr

from services.common.postgres.database import Database, DatabaseTiming
from services.common.postgres.migrate import prepare
from services.common.process.errors import Misconfigured, Unavailable, VoltbusError
from services.common.process.readiness import NotReady
from services.common.process.settings import CommonSettings
from tests.clients.system import eventually
from tests.conftest import Stack
from tests.integration.common.running import settings_of

READ = "select * from command limit 1"


async def read(database: Database) -> None:
    async with database.transaction() as db:
        await db.fetch(READ)


async def test_a_migration_under_a_running_process_is_tried_again(stack: Stack) -> None:
    """An upgrade prepares the schemas while processes of the version before still run."""
    database = Database(settings_of(CommonSettings, await stack.fresh(topics=False)), "auth")
    await database.start()
    try:
        await read(database)
        async with database.connection() as db:
            await db.execute("alter table command add column later json")
        with pytest.raises(Unavailable):
            await read(database)
        await read(database)
    finally:
        await database.close()


async def test_many_may_ask_at_once_whether_it_is_there(stack: Stack) -> None:
    database = Database(settings_of(CommonSettings, await stack.fresh(topics=False)), "auth")
    await database.start()

    async def ask() -> None:
        for _ in range(30):
            assert await database.ready() is True

    try:
        await asyncio.gather(*(ask() for _ in range(20)))
    finally:
        await database.close()


async def test_a_check_does_not_wait_for_connections_that_hang(stack: Stack) -> None:
    """So that metrics, which ask as well, are told in time."""
    settings = settings_of(CommonSettings, await stack.fresh(topics=False), postgres_connections=4)
    database = Database(settings, "auth", DatabaseTiming(acquire=600, ready=0.05))
    await database.start()
    async with AsyncExitStack() as held:
        for _ in range(4):
            await held.enter_async_context(database.connection())
        assert await database.ready() == NotReady("no answer within 0.05 s")
        assert not await database.ready()
    await eventually(database.ready, bool)
    await database.close()


async def refusal(settings: CommonSettings) -> str:
    """What is said of it; /readyz has the same."""
    database = Database(settings, "auth")
    with pytest.raises(Unavailable) as caught:
        await database.start()
    answer = await database.ready()
    assert isinstance(answer, NotReady)
    assert answer.reason == str(caught.value).removeprefix("Postgres: ")
    return str(caught.value)


async def test_a_process_waits_for_the_schema_that_it_needs(stack: Stack) -> None:
    """It may start before an upgrade has prepared; it runs on the schema of the next release, too."""
    settings = settings_of(CommonSettings, await stack.fresh(topics=False))
    db = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), server_settings={"search_path": "auth"})
    taken = await db.fetchrow(
        "delete from _yoyo_migration where migration_id = '0014_create_password_change' returning *"
    )
    assert await refusal(settings) == (
        "the schema auth lacks 0014_create_password_change: run python -m voltbus.operator.prepare"
    )
    assert taken
    insert = "insert into _yoyo_migration (migration_hash, migration_id, applied_at_utc) values ($1, $2, now())"
    await db.execute(insert, taken["migration_hash"], taken["migration_id"])
    await db.execute(insert, "of the next release", "9999_next")
    await db.close()
    database = Database(settings, "auth")
    await database.start()
    await read(database)
    await database.close()


async def test_a_database_that_was_never_prepared_is_told_as_such(stack: Stack) -> None:
    settings = settings_of(CommonSettings, await stack.fresh(topics=False))
    db = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    await db.execute("drop schema auth cascade")
    await db.close()
    assert await refusal(settings) == 'Postgres, for auth: relation "_yoyo_migration" does not exist'


@pytest.mark.parametrize(
    ("user", "port", "database", "said"),
    [
        ("nobody:secret", None, None, 'Postgres: password authentication failed for user "nobody"'),
        (None, None, "nothing", 'Postgres, for auth: database "nothing" does not exist'),
        (None, 9, None, "Postgres: [Errno 111] Connect call failed ('127.0.0.1', 9)"),
    ],
)
async def test_what_is_wrong_with_an_address_is_told(
    stack: Stack, user: str | None, port: int | None, database: str | None, said: str
) -> None:
    parts = urlsplit(stack.servers.postgres_dsn)
    netloc = f"{user or parts.netloc.partition('@')[0]}@{parts.hostname}:{port or parts.port}"
    dsn = urlunsplit(parts._replace(netloc=netloc, path=f"/{database}" if database else parts.path))
    assert await refusal(CommonSettings(postgres_dsn=SecretStr(dsn))) == said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("target_session_attrs=both", "target_session_attrs is expected to be one of"),
        ("sslmod=require", 'unrecognized configuration parameter "sslmod"'),
    ],
)
async def test_words_that_nobody_knows_end_a_process(stack: Stack, query: str, said: str) -> None:
    """No Postgres would ever take them: to wait for it would be for ever."""
    settings = CommonSettings(postgres_dsn=SecretStr(f"{stack.servers.postgres_dsn}?{query}"))
    with pytest.raises(Misconfigured) as caught:
        await Database(settings, "auth").start()
    assert str(caught.value).startswith(f"VOLTBUS_POSTGRES_DSN: {said}")
    with pytest.raises(VoltbusError, match=r"sslmod|target_session_attrs") as prepared:
        prepare(settings.postgres_dsn.get_secret_value(), "auth", Path())
    assert str(urlsplit(stack.servers.postgres_dsn).password) not in str(prepared.value)
