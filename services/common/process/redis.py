"""Redis as processes use it: its troubles have one name."""

import re
from collections.abc import Awaitable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.common.process import tls_files
from services.common.process.errors import Misconfigured, Unavailable, reason
from services.common.process.readiness import NotReady
from services.common.process.sentinel import SentinelAddress
from services.common.process.settings import CommonSettings

T = TypeVar("T")

VARIABLE = "VOLTBUS_REDIS_URL"

# uvloop says RuntimeError where a connection is lost between its opening and its first command.
UNAVAILABLE = (RedisError, OSError, RuntimeError)


def connect(settings: CommonSettings, seconds: float) -> Redis:
    """A client that has not connected yet. seconds: after which Redis is taken to be away. Raises Misconfigured."""
    tls_files.check(VARIABLE, settings.redis_url, "ssl_ca_certs", ("ssl_certfile", "ssl_keyfile"))
    try:
        redis = client(settings.redis_url, seconds)
        # Words of the query are arguments of its connections, which are made when they are needed.
        redis.connection_pool.connection_class(**redis.connection_pool.connection_kwargs)
    except TypeError as error:
        word = re.search("'[^']+'$", str(error))
        raise Misconfigured(f"{VARIABLE}: {word[0] if word else 'a word'} in its query is unknown") from None
    except (ValueError, RedisError) as error:
        raise Misconfigured(f"{VARIABLE}: {reason(error)}") from None
    return redis


def client(url: str, seconds: float) -> Redis:
    """The same, of an address. Raises ValueError where it is none."""
    if sentinel := SentinelAddress.read(url):
        return sentinel.client(seconds)
    return Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds)


async def translating_errors(answer: Awaitable[T]) -> T:
    """What Redis says; raises Unavailable while it does not answer."""
    try:
        return await answer
    except UNAVAILABLE as error:
        raise Unavailable(f"Redis: {reason(error)}") from error


async def answers(redis: Redis) -> bool | NotReady:
    """Whether it answers now."""
    try:
        return bool(await translating_errors(redis.ping()))
    except Unavailable as error:
        return NotReady(str(error))
