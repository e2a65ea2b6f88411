"""`python -m voltbus.operator.prepare`: safe at once and again, with few rights; a service sees its schema only."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

import services.auth
from services.common.postgres import migrate
from services.common.postgres.database import Database
from services.common.process.errors import Unavailable
from services.common.process.settings import CommonSettings
from services.ocpp.services import SERVICES
from tests.conftest import Stack

OWN = Path(services.auth.__file__).parent / "migrations"
TABLES = """
select schemaname, count(*) from pg_tables
where schemaname = any($1::text[]) and tablename !~ 'yoyo' group by schemaname"""


async def prepare(environment: Mapping[str, str]) -> tuple[int, str]:
    """Its exit code, and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voltbus.operator.prepare", env=dict(environment), stdout=-1, stderr=-2
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def dsn_of(dsn: str, **changes: str) -> str:
    """The DSN with another user, password or database."""
    parts = urlsplit(dsn)
    user, password = changes.get("user", parts.username), changes.get("password", parts.password)
    path = f"/{changes['database']}" if "database" in changes else parts.path
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}", path=path))


@pytest.fixture
async def admin(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.servers.postgres_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def empty(stack: Stack, admin: asyncpg.Connection) -> dict[str, str]:
    """The environment of a system whose database is empty."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await admin.execute(f"create database {name}")
    return {
        "VOLTBUS_POSTGRES_DSN": dsn_of(stack.servers.postgres_dsn, database=name),
        **stack.servers.kafka_env,
        "VOLTBUS_TOPIC_PREFIX": f"{name}.",
        "VOLTBUS_PARTITIONS": "1",
        "VOLTBUS_SLOTS": "1",
    }


async def login(admin: asyncpg.Connection, dsn: str, rights: str) -> str:
    """The DSN of a new login."""
    name = f"login_{uuid.uuid4().hex[:12]}"
    await admin.execute(f"create role {name} login password 'secret' {rights}")
    return dsn_of(dsn, user=name, password="secret")


def create_role(service: str) -> str:
    """The roles are the cluster's: another test may have made them already."""
    return f"do $$ begin create role voltbus_{service}; exception when duplicate_object then null; end $$"


async def test_a_schema_that_is_not_its_roles_is_told_in_one_line(empty: dict[str, str]) -> None:
    """As after a dump that was restored where there were no roles."""
    db = await asyncpg.connect(empty["VOLTBUS_POSTGRES_DSN"])
    owner = await db.fetchval("select current_user")
    await db.execute("create schema auth")
    await db.close()
    code, said = await prepare(empty)
    assert (code, len(said.splitlines())) == (1, 1), said
    assert f"the schema auth belongs to {owner}, and not to its role voltbus_auth" in said


async def test_partitions_that_may_not_be_made_are_told_in_one_line(empty: dict[str, str]) -> None:
    """Rows go to the default partition: it is no reason to go no further."""
    assert await prepare(empty) == (0, "")
    db = await asyncpg.connect(empty["VOLTBUS_POSTGRES_DSN"])
    await db.execute("alter schema transactions owner to current_user")
    await db.execute("revoke create on schema transactions from voltbus_transactions")
    await db.execute("grant usage on schema transactions to voltbus_transactions")
    for name in await db.fetch(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'transactions.sample'::regclass"
    ):
        if not name[0].endswith("default"):
            await db.execute(f"drop table {name[0]}")
    await db.close()
    code, said = await prepare(empty)
    assert (code, len(said.splitlines())) == (0, 1), said
    assert "partitions wait to be made" in said
    assert "permission denied for schema transactions" in said


async def test_help_is_help() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voltbus.operator.prepare", "--help", stdout=-1, stderr=-2
    )
    said, _ = await process.communicate()
    assert (process.returncode, b"--check" in said) == (0, True)


async def test_two_at_once_and_one_again(empty: dict[str, str]) -> None:
    assert [code for code, _ in await asyncio.gather(prepare(empty), prepare(empty))] == [0, 0]
    assert await prepare(empty) == (0, "")
    db = await asyncpg.connect(empty["VOLTBUS_POSTGRES_DSN"])
    tables: dict[str, int] = {row[0]: row[1] for row in await db.fetch(TABLES, list(SERVICES))}
    await db.close()
    assert tables.keys() == set(SERVICES)
    assert all(count >= 2 for count in tables.values())


async def test_a_login_with_few_rights_is_enough(admin: asyncpg.Connection, empty: dict[str, str]) -> None:
    """CREATE on the database, where an operator has made the roles."""
    dsn = await login(admin, empty["VOLTBUS_POSTGRES_DSN"], "")
    user, database = urlsplit(dsn).username, urlsplit(dsn).path[1:]
    await admin.execute(f"grant create on database {database} to {user}")
    for service in SERVICES:
        await admin.execute(create_role(service))
        await admin.execute(f"grant voltbus_{service} to {user}")
    limited = empty | {"VOLTBUS_POSTGRES_DSN": dsn}
    assert await prepare(limited) == (0, "")
    assert await prepare(limited) == (0, "")


async def test_a_login_makes_the_roles_that_are_missing(admin: asyncpg.Connection, empty: dict[str, str]) -> None:
    """CREATEROLE, and CREATE on the database: a service that has no role yet gets one."""
    name = f"extra_{uuid.uuid4().hex[:12]}"
    dsn = await login(admin, empty["VOLTBUS_POSTGRES_DSN"], "createrole")
    await admin.execute(f"grant create on database {urlsplit(dsn).path[1:]} to {urlsplit(dsn).username}")
    for _ in range(2):
        await asyncio.to_thread(migrate.prepare, dsn, name, OWN)
    database = Database(CommonSettings(postgres_dsn=dsn), name)
    await database.start()
    async with database.connection() as db:
        assert await db.fetchval("select count(*) from station") == 0
    await database.close()


async def test_a_login_that_may_not_is_told_what_it_lacks(admin: asyncpg.Connection, empty: dict[str, str]) -> None:
    dsn = await login(admin, empty["VOLTBUS_POSTGRES_DSN"], "")
    code, said = await prepare(empty | {"VOLTBUS_POSTGRES_DSN": dsn})
    assert (code, said.count("\n")) == (1, 1)
    assert "permission denied" in said
    assert "secret" not in said


async def test_partitions_that_cannot_be_as_they_are_set_are_told(empty: dict[str, str]) -> None:
    """docs/partitions.md: nothing changes those of topics that are there."""
    assert await prepare(empty) == (0, "")
    code, said = await prepare(empty | {"VOLTBUS_PARTITIONS": "3"})
    assert code == 0
    assert said.startswith("voltbus: warning: ")
    assert said.endswith(": partitions 1, not 3\n")
    assert f"{empty['VOLTBUS_TOPIC_PREFIX']}ocpp.calls.auth, " in said
    assert "ocpp.outbound" not in said


async def test_a_postgres_that_is_away_is_one_line(empty: dict[str, str]) -> None:
    code, said = await prepare(empty | {"VOLTBUS_POSTGRES_DSN": "postgresql://u:secret@127.0.0.1:9/voltbus"})
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("voltbus: Postgres")
    assert "secret" not in said


@pytest.mark.parametrize(
    "statement", ["select * from {}.outbox", "delete from {}.message", "create table {}.x (y int)"]
)
async def test_a_service_sees_its_own_schema_only(stack: Stack, statement: str) -> None:
    environment = await stack.fresh(topics=False)
    for service in SERVICES:
        other = next(name for name in SERVICES if name != service)
        database = Database(CommonSettings(postgres_dsn=environment["VOLTBUS_POSTGRES_DSN"]), service)
        await database.start()
        async with database.connection() as db:
            await db.execute("select * from outbox")
            await db.execute(statement.format(service))
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(statement.format(other))
        await database.close()


async def test_a_login_of_its_own_keeps_a_service_in(stack: Stack, admin: asyncpg.Connection) -> None:
    """docs/adr/0005: operators who want more give each service a login that is a member of its one role."""
    environment = await stack.fresh(topics=False)
    dsn = await login(admin, environment["VOLTBUS_POSTGRES_DSN"], "in role voltbus_auth")
    database = Database(CommonSettings(postgres_dsn=dsn), "auth")
    await database.start()
    async with database.connection() as db:
        assert await db.fetchval("select count(*) from station") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute("set role voltbus_transactions")
    await database.close()
    other = Database(CommonSettings(postgres_dsn=dsn), "transactions")
    with pytest.raises(Unavailable, match='permission denied to set role "voltbus_transactions"'):
        await other.start()
