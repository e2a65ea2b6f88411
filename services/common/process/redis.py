"""Redis as processes use it: its troubles have one name."""

from collections.abc import Awaitable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.common.process.errors import Unavailable, reason
from services.common.process.settings import CommonSettings

T = TypeVar("T")

# uvloop says RuntimeError where a connection is lost between its opening and its first command.
UNAVAILABLE = (RedisError, OSError, RuntimeError)


def connect(settings: CommonSettings, seconds: float) -> Redis:
    """A client that has not connected yet. seconds: after which Redis is taken to be away."""
    return Redis.from_url(settings.redis_url, socket_timeout=seconds, socket_connect_timeout=seconds)


async def translating_errors(answer: Awaitable[T]) -> T:
    """What Redis says; raises Unavailable while it does not answer."""
    try:
        return await answer
    except UNAVAILABLE as error:
        raise Unavailable(f"Redis: {reason(error)}") from error


async def answers(redis: Redis) -> bool:
    """Whether it answers now."""
    try:
        return bool(await translating_errors(redis.ping()))
    except Unavailable:
        return False
