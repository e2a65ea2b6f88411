"""Whatever a lost Redis looks like, it is Unavailable."""

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from services.common.process.errors import Misconfigured, Unavailable
from services.common.process.readiness import NotReady
from services.common.process.redis import answers, connect, translating_errors
from services.common.process.settings import CommonSettings


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


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("databse=1", "'databse' in its query is unknown"),
        ("ssl_ca_certs=/ca.crt", "ssl_ca_certs: cannot read /ca.crt: No such file"),
        ("socket_timeout=long", "Invalid value for 'socket_timeout'"),
        ("protocol=9", "protocol must be either 2 or 3"),
    ],
)
def test_words_that_no_client_knows_are_told_at_the_start(query: str, why: str) -> None:
    settings = CommonSettings(redis_url=f"redis://:s3cret@127.0.0.1:1/0?{query}")
    with pytest.raises(Misconfigured, match=f"^VOLTBUS_REDIS_URL: {why}") as raised:
        connect(settings, 1)
    assert "s3cret" not in str(raised.value)


def test_a_file_of_authorities_has_some(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("not yet")
    settings = CommonSettings(redis_url=f"rediss://127.0.0.1:1/0?ssl_ca_certs={tmp_path}/ca.crt")
    with pytest.raises(Misconfigured, match=r"^VOLTBUS_REDIS_URL: ssl_ca_certs: no certificates in PEM in /"):
        connect(settings, 1)


async def test_why_it_does_not_answer_is_told() -> None:
    async with connect(CommonSettings(redis_url="redis://:s3cret@127.0.0.1:1/0"), 1) as redis:
        answer = await answers(redis)
    assert isinstance(answer, NotReady)
    assert "127.0.0.1:1" in answer.reason
    assert "s3cret" not in answer.reason
