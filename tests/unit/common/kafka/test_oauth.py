"""A token is used for as long as it counts, and what is no token is said."""

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.common.kafka import oauth
from services.common.kafka.oauth import ClientCredentials, NoToken, TokenProvider
from tests.clients.tokens import TokenAddress, token_address


@pytest.fixture
def tokens() -> Iterator[TokenAddress]:
    with token_address() as address:
        yield address


def provider(url: str, clock: Callable[[], float] = lambda: 0.0) -> TokenProvider:
    return TokenProvider(ClientCredentials(url, "voltbus", "the secret"), ssl.create_default_context(), clock)


@pytest.mark.parametrize(
    ("lifetime", "fresh_for"), [(300, 270), (40, 20), (None, oauth.DEFAULT_LIFETIME - oauth.MARGIN)]
)
async def test_it_is_got_anew_before_it_expires(tokens: TokenAddress, lifetime: int | None, fresh_for: float) -> None:
    now = 1000.0
    tokens.answer, one = {"access_token": "first", "expires_in": lifetime}, provider(tokens.url, lambda: now)
    assert await one.token() == "first"
    tokens.answer = {"access_token": "second", "expires_in": lifetime}
    now += fresh_for - 1
    assert await one.token() == "first"
    now += 1
    assert await one.token() == "second"
    assert len(tokens.asked) == 2


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, {"error": "invalid_scope"}, "400 invalid_scope"),
        (503, b"<html>", "503 what it says is no token"),
        (200, {}, "200 what it says is no token"),
        (200, [], "200 what it says is no token"),
        (200, {"access_token": 7}, "200"),
        (200, {"access_token": "x", "expires_in": "soon"}, "200 what it says is no token"),
        (200, b"x" * (oauth.MOST_READ + 1), "it says too much"),
    ],
)
async def test_what_is_no_token_is_said(tokens: TokenAddress, status: int, answer: Any, said: str) -> None:
    tokens.status, tokens.answer = status, answer
    with pytest.raises(NoToken) as raised:
        await provider(tokens.url).token()
    assert raised.value.args[0] == f"no token from {tokens.url}: {said}"


async def test_an_address_that_is_away_is_said() -> None:
    with pytest.raises(NoToken, match=r"no token from http://127\.0\.0\.1:9/: ") as raised:
        await provider("http://127.0.0.1:9/").token()
    assert "the secret" not in str(raised.value) + repr(raised.value.__context__)
