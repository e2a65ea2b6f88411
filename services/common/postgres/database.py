"""Postgres as a service uses it: a pool that sees one schema as one role, and whose errors have one name."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import asyncpg
from prometheus_client import Gauge

import services
from services.common.postgres import dsn, metrics
from services.common.process.errors import Misconfigured, Unavailable, reason
from services.common.process.readiness import NotReady
from services.common.process.settings import CommonSettings

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record] | None"

# Errors of the moment, not of the work: it is tried again.
UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidPasswordError,
    # A migration changed a table of a prepared statement: the statement is prepared anew.
    asyncpg.InvalidCachedStatementError,
)
# What a login, a database or a role is wrong by, until an operator has mended it.
WRONG = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidParameterValueError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedTableError,
)
# What an address says that no server and no client takes.
NEVER = (asyncpg.ClientConfigurationError, asyncpg.UndefinedObjectError, asyncpg.CantChangeRuntimeParamError)
COMMON_MIGRATIONS = Path(__file__).parent / "migrations"
APPLIED = "select migration_id from _yoyo_migration"
# Statements are prepared once, when tables may still be empty: by default they would then be scanned sequentially,
# however long they grow, until they are analyzed again.
SETTINGS = {"jit": "off", "enable_seqscan": "off", "idle_in_transaction_session_timeout": "60s"}
# Where a whole table is looked at, that is what is wanted.
SCAN = "set local enable_seqscan = on"
# And planned once: for a small batch, planning takes longer than execution.
PLAN_ONCE = {"plan_cache_mode": "force_generic_plan"}


WAITING_MAIN, WAITING_LISTS = metrics.ACQUIRING.labels("main"), metrics.ACQUIRING.labels("lists")


@dataclass(frozen=True, slots=True)
class DatabaseTiming:
    """When Postgres is taken to be unavailable, in seconds: a free connection, a statement, the query of readiness."""

    acquire: float = 10
    statement: float = 60
    ready: float = 2


class Database:
    """The schema of one service.

    schema: its name; the role is voltbus_<schema>, which the login role of the DSN is a member of. timing: see
    DatabaseTiming. Raises Misconfigured.
    """

    def __init__(self, settings: CommonSettings, schema: str, timing: DatabaseTiming = DatabaseTiming()) -> None:
        self.schema, self._timing = schema, timing
        self._dsn = settings.postgres_dsn.get_secret_value()
        dsn.check(self._dsn)
        self._most, self._most_lists = settings.postgres_connections, settings.postgres_list_connections
        self._pool: Pool = None
        self._lists: Pool = None
        self._question: asyncio.Task[bool | NotReady] | None = None
        # Why it is not started, for people.
        self._problem = ""

    async def start(self) -> None:
        """Raises Unavailable if Postgres does not answer, refuses, or lacks a migration that this release needs.

        Raises Misconfigured for words of the DSN that nobody knows.
        """
        try:
            await self._start()
        except Unavailable as problem:
            self._problem = _told(problem)
            raise
        self._problem = ""

    async def _start(self) -> None:
        try:
            with translating_errors():
                self._pool = await self._open(2, self._most, SETTINGS | PLAN_ONCE)
                self._lists = await self._open(0, self._most_lists, SETTINGS)
                await self._await_migrations()
        except NEVER as error:
            await self.close()
            raise Misconfigured(f"{dsn.VARIABLE}: {reason(error)}") from error
        except WRONG as error:
            await self.close()
            raise Unavailable(f"Postgres, for {self.schema}: {reason(error)}") from error
        _tell("main", self._pool)
        _tell("lists", self._lists)

    async def _await_migrations(self) -> None:
        """A release runs on its own schema and on the next one."""
        async with self.connection() as db:
            applied = {row["migration_id"] for row in await db.fetch(APPLIED)}
        if missing := migrations(self.schema) - applied:
            await self.close()
            raise Unavailable(f"the schema {self.schema} lacks {min(missing)}: run python -m voltbus.operator.prepare")

    async def close(self) -> None:
        if self._question:
            self._question.cancel()
        for pool in (self._pool, self._lists):
            if pool:
                await pool.close()

    async def ready(self) -> bool | NotReady:
        """Whether a query is answered now.

        A Postgres that hangs holds nobody up for longer than `timing.ready`: the question is left there, and asked
        again when it has come to its end.
        """
        question = self._question
        if question is None or question.done():
            question = self._question = asyncio.create_task(self._answers())
        # Meanwhile another may be asked for somebody else.
        done, _ = await asyncio.wait({question}, timeout=self._timing.ready)
        return question.result() if done else NotReady(f"no answer within {self._timing.ready:g} s")

    async def _answers(self) -> bool | NotReady:
        if self._problem:
            return NotReady(self._problem)
        try:
            async with self.connection() as db:
                return bool(await db.fetchval("select true", timeout=self._timing.ready))
        except Unavailable as problem:
            return NotReady(_told(problem))

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection without a transaction; raises Unavailable for the errors of Postgres itself."""
        return _acquire(self._pool, self._timing.acquire, WAITING_MAIN)

    def list_connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for statements whose filters may be left out: planned for those that are not."""
        return _acquire(self._lists, self._timing.acquire, WAITING_LISTS)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that is committed at the end of the block."""
        async with self.connection() as db, db.transaction():
            yield db

    async def _open(self, least: int, most: int, settings: Mapping[str, str]) -> Pool:
        server_settings = {
            **settings,
            "search_path": self.schema,
            "role": role(self.schema),
            "application_name": f"voltbus {self.schema}",
        }
        return await asyncpg.create_pool(
            self._dsn,
            min_size=least,
            max_size=most,
            command_timeout=self._timing.statement,
            server_settings=server_settings,
            reset=_no_reset,
        )


@asynccontextmanager
async def _acquire(pool: Pool, seconds: float, waiting: Gauge) -> AsyncIterator[Connection]:
    if pool is None:
        raise Unavailable("Postgres: not connected yet")
    with translating_errors():
        with waiting.track_inprogress():
            db = await pool.acquire(timeout=seconds)
        try:
            yield db
        finally:
            await pool.release(db)


def _told(problem: Unavailable) -> str:
    """Where it is known that it is of Postgres."""
    return str(problem).removeprefix("Postgres: ")


def _tell(name: str, pool: Pool) -> None:
    assert pool
    metrics.POOL_SIZE.labels(name).set(pool.get_max_size())
    metrics.CONNECTIONS.labels(name, "idle").set_function(pool.get_idle_size)
    metrics.CONNECTIONS.labels(name, "in_use").set_function(lambda: pool.get_size() - pool.get_idle_size())


async def _no_reset(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Connections are released as they are: nothing is set for longer than a transaction.

    asyncpg's reset would cost a round trip after each.
    """


def migrations(schema: str) -> set[str]:
    """What a service's tables need, by name."""
    own = Path(services.__file__).parent / schema / "migrations"
    return {file.stem for folder in (COMMON_MIGRATIONS, own) for file in folder.glob("*.sql")}


def role(schema: str) -> str:
    """The role that owns a schema and sees nothing else."""
    return f"voltbus_{schema}"


@contextmanager
def translating_errors() -> Iterator[None]:
    """Raises Unavailable for the errors of Postgres itself."""
    try:
        yield
    except asyncpg.ClientConfigurationError:
        raise
    except UNAVAILABLE as error:
        raise Unavailable(f"Postgres: {reason(error)}") from error
