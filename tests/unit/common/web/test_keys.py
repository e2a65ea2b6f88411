"""The keys of an issuer: kept, read again when they must be, and there while the issuer is away."""

import asyncio
from typing import Any

import jwt
import pytest

from services.common.web.issuer import IssuerUnavailable
from services.common.web.keys import AGAIN, FRESH, RETRY, STALE, IssuerKeys
from services.common.web.problems import Problem
from tests.unit.common.web.issuers import EC_KEY, RSA_KEY, ec_jwk, rsa_jwk


class World:
    """An issuer and a clock."""

    def __init__(self, *keys: Any) -> None:
        self.keys: Any = list(keys)
        self.now, self.reads, self.away = 1000.0, 0, False
        self.sut = IssuerKeys(self.published, lambda: self.now)

    async def published(self) -> tuple[Any, frozenset[str] | None]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.away:
            raise IssuerUnavailable("away")
        return self.keys, None

    async def finds(self, kid: str) -> bool:
        """Raises Problem."""
        token = jwt.encode({}, RSA_KEY, "RS256", headers={"kid": kid})
        try:
            await self.sut.signer(token)
        except jwt.PyJWTError:
            return False
        return True

    async def settled(self) -> None:
        assert self.sut._reading
        await self.sut._reading


async def test_keys_are_read_once_for_all_who_wait() -> None:
    world = World(rsa_jwk("one"))
    assert await asyncio.gather(*(world.finds("one") for _ in range(5))) == [True] * 5
    assert world.reads == 1


async def test_a_key_that_is_new_is_found_and_strangers_do_not_make_us_ask_on_and_on() -> None:
    world = World(rsa_jwk("old"))
    assert await world.finds("old")
    world.keys = [rsa_jwk("new")]
    assert not await world.finds("new")
    world.now += AGAIN
    assert await world.finds("new")
    assert not await world.finds("old")
    for n in range(20):
        assert not await world.finds(f"stranger {n}")
    assert world.reads == 2


async def test_keys_are_read_again_now_and_then_and_nobody_waits_for_that() -> None:
    world = World(rsa_jwk("old"))
    assert await world.finds("old")
    world.keys, world.now = [rsa_jwk("new")], world.now + FRESH
    assert await world.finds("old")
    await world.settled()
    assert world.reads == 2
    assert not await world.finds("old")


async def test_who_is_away_leaves_the_keys_that_are_there_for_a_day() -> None:
    world = World(rsa_jwk("one"))
    assert await world.finds("one")
    world.away = True
    for passed in (FRESH, STALE - FRESH - 1):
        world.now += passed
        assert await world.finds("one")
        await world.settled()
    world.now += 1
    with pytest.raises(Problem) as refused:
        await world.finds("one")
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "5"})
    world.away, world.now = False, world.now + RETRY
    assert await world.finds("one")


async def test_whether_a_key_is_new_cannot_be_told_while_the_issuer_is_away() -> None:
    world = World(rsa_jwk("one"))
    assert await world.finds("one")
    world.away, world.now = True, world.now + AGAIN
    with pytest.raises(Problem) as refused:
        await world.finds("new")
    assert refused.value.status == 503
    assert await world.finds("one")


@pytest.mark.parametrize(
    ("said", "algorithms"),
    [
        (rsa_jwk("k"), ["RS256"]),
        (rsa_jwk("k", alg="PS384"), ["PS384"]),
        (ec_jwk("k"), ["ES256"]),
        (rsa_jwk("k", use="enc"), None),
        (rsa_jwk("k", alg="HS256"), None),
        (rsa_jwk("k", alg="none"), None),
        (rsa_jwk("k", kty="oct", k="c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"), None),
        (rsa_jwk("k", n="!"), None),
        (ec_jwk("k", alg="RS256"), None),
        ({"kty": "what", "kid": "k"}, None),
        ({"kid": "k"}, None),
        ("key", None),
        (None, None),
    ],
)
async def test_an_algorithm_belongs_to_a_key(said: Any, algorithms: list[str] | None) -> None:
    """None that a token names, never a secret, and none for what does not sign."""
    world = World(said, ec_jwk("another"))
    token = jwt.encode({}, EC_KEY, "ES256", headers={"kid": "k"})
    if algorithms is None:
        with pytest.raises(jwt.PyJWTError):
            await world.sut.signer(token)
    else:
        assert (await world.sut.signer(token)).algorithms == algorithms
