"""Whatever a lost Redis looks like, it is Unavailable."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from services.common.process.errors import Unavailable
from services.common.process.redis import translating_errors


@pytest.mark.parametrize(
    "trouble",
    [
        RedisConnectionError("gone"),
        ConnectionResetError(),
        TimeoutError(),
        # As uvloop says it, when the connection was lost right after it was opened.
        RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"),
    ],
)
async def test_it_is_away(trouble: Exception) -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    answer.set_exception(trouble)
    with pytest.raises(Unavailable, match=r"^Redis: "):
        await translating_errors(answer)
