"""Postgres as a service uses it: a pool that sees one schema as one role, and whose troubles have one name."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import asyncpg

from services.common.errors import Unavailable
from services.common.settings import CommonSettings

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

# What says nothing about the work and everything about the moment: tried again.
AWAY = (
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
)
# Statements are prepared once, when tables may still be empty: without a word they would be read through from then on,
# however long they grow, until Postgres counts them anew.
CALM = {"jit": "off", "enable_seqscan": "off", "idle_in_transaction_session_timeout": "60s"}


class Database:
    """The schema of one service.

    schema: its name; the role is voltbus_<schema>, which the login role of the DSN is a member of.
    """

    def __init__(self, settings: CommonSettings, schema: str) -> None:
        self.schema = schema
        self._dsn = settings.postgres_dsn.get_secret_value()
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def start(self) -> None:
        """Raises Unavailable where Postgres does not answer."""
        server_settings = CALM | {
            "search_path": self.schema,
            "role": role(self.schema),
            "application_name": f"voltbus {self.schema}",
        }
        with named():
            self._pool = await asyncpg.create_pool(
                self._dsn, min_size=2, max_size=8, command_timeout=60, server_settings=server_settings, reset=_as_it_is
            )

    async def close(self) -> None:
        if self._pool:
            await self._pool.close()

    async def ready(self) -> bool:
        """Whether a query is answered now."""
        try:
            async with self.connection() as db:
                return bool(await db.fetchval("select true", timeout=2))
        except Unavailable:
            return False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection without a transaction; raises Unavailable for whatever is Postgres' own trouble."""
        if self._pool is None:
            raise Unavailable("Postgres: not connected yet")
        with named():
            async with self._pool.acquire(timeout=10) as db:
                yield db

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that is committed at the end of the block."""
        async with self.connection() as db, db.transaction():
            yield db


async def _as_it_is(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """A connection is given back as it was taken: nobody sets anything for longer than a transaction.

    To have Postgres make sure of it would cost a round trip after each.
    """


def role(schema: str) -> str:
    """The role that owns a schema and sees nothing else."""
    return f"voltbus_{schema}"


@contextmanager
def named() -> Iterator[None]:
    """Gives Postgres' troubles their name."""
    try:
        yield
    except AWAY as error:
        raise Unavailable(f"Postgres: {type(error).__name__}") from error
