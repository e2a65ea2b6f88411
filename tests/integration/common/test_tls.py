"""Postgres and Redis over TLS, as their addresses ask for it: a certificate of another CA is refused."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from pydantic import SecretStr

from services.common.postgres.database import Database
from services.common.postgres.migrate import prepare
from services.common.process.errors import Unavailable
from services.common.process.redis import connect, translating_errors
from services.common.process.settings import CommonSettings
from tests.clients.brokers import Authority
from tests.clients.tls import tls_in_front_of
from tests.conftest import Stack
from tests.integration.common.running import settings_of

MIGRATIONS = Path("services/auth/migrations").absolute()


@pytest.fixture(params=["right", "wrong"])
def right(request: pytest.FixtureRequest) -> bool:
    """Whether the CA that is trusted is the one that signed."""
    return bool(request.param == "right")


@pytest.fixture
def authority(tmp_path: Path, right: bool) -> Authority:
    own = Authority.new("own")
    (tmp_path / "ca.pem").write_text((own if right else Authority.new("another")).pem)
    return own


async def test_postgres(stack: Stack, tmp_path: Path, authority: Authority, right: bool) -> None:
    settings = settings_of(CommonSettings, await stack.fresh(topics=False))
    parts = urlsplit(settings.postgres_dsn.get_secret_value())
    assert parts.hostname
    assert parts.port
    async with tls_in_front_of(parts.hostname, parts.port, tmp_path, authority, postgres=True) as port:
        netloc = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}"
        query = f"sslmode=verify-full&sslrootcert={tmp_path / 'ca.pem'}"
        dsn = urlunsplit(parts._replace(netloc=netloc, query=query))
        database = Database(CommonSettings(postgres_dsn=SecretStr(dsn)), "auth")
        if right:
            await asyncio.to_thread(prepare, dsn, "auth", MIGRATIONS)
            await database.start()
            async with database.connection() as db:
                assert await db.fetchval("select count(*) from station") == 0
            await database.close()
        else:
            with pytest.raises(Unavailable, match="certificate verify failed"):
                await database.start()
            with pytest.raises(Unavailable, match="certificate verify failed"):
                await asyncio.to_thread(prepare, dsn, "auth", MIGRATIONS)


async def test_redis(stack: Stack, tmp_path: Path, authority: Authority, right: bool) -> None:
    parts = urlsplit(await stack._fresh_redis())
    assert parts.hostname
    assert parts.port
    async with tls_in_front_of(parts.hostname, parts.port, tmp_path, authority) as port:
        netloc = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}"
        url = urlunsplit(parts._replace(scheme="rediss", netloc=netloc, query=f"ssl_ca_certs={tmp_path / 'ca.pem'}"))
        async with connect(CommonSettings(redis_url=url), 5) as redis:
            if right:
                assert await translating_errors(redis.ping())
            else:
                with pytest.raises(Unavailable, match="certificate verify failed"):
                    await translating_errors(redis.ping())
