"""The directory on a real Redis does what the one in memory does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from services.common.process.errors import Unavailable
from services.gateway.cluster.directory import Directory, RedisDirectory, Renewal, Route
from services.gateway.cluster.memory import MemoryDirectory
from tests.conftest import Stack

OLD = Route(station_id="CP1", slot=0, connection_id="a-1", version="1.6", since=1780000000.25)
NEW = Route(station_id="CP1", slot=1, connection_id="b-1", version="2.0.1", since=1780000000.250001)
OTHER = Route(station_id="CP é/2", slot=0, connection_id="a-2", version="1.6", since=1780000000.5)


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    async with Redis.from_url(await stack._fresh_redis()) as client:
        yield client


@pytest.fixture(params=["memory", "redis"])
def directory(request: pytest.FixtureRequest, redis: Redis) -> Directory:
    return MemoryDirectory() if request.param == "memory" else RedisDirectory(redis, 30, 30)


async def test_a_slot_has_one_owner(directory: Directory) -> None:
    assert await directory.claim(0, "a")
    assert not await directory.claim(0, "b")
    assert await directory.claim(1, "b")
    await directory.release(0, "b")
    assert not await directory.claim(0, "b")
    await directory.release(0, "a")
    assert await directory.claim(0, "b")


async def test_whether_it_answers(directory: Directory) -> None:
    assert await directory.ready()


async def test_whether_it_answers_when_it_does_not() -> None:
    memory = MemoryDirectory()
    memory.broken = True
    assert not await memory.ready()
    async with Redis.from_url("redis://127.0.0.1:1/0") as nobody:
        assert not await RedisDirectory(nobody, 30, 30).ready()


async def test_renewals(directory: Directory) -> None:
    await directory.claim(0, "a")
    assert await directory.renew(0, "a") is Renewal.KEPT
    assert await directory.renew(0, "b") is Renewal.LOST
    assert await directory.renew(1, "b") is Renewal.RETAKEN
    assert not await directory.claim(1, "a")


async def test_registering_keeps_and_restores(directory: Directory) -> None:
    for _ in range(2):
        assert await directory.register([OLD, OTHER]) == [None, None]
    await directory.remove([OLD])
    assert await directory.register([OLD, OTHER]) == [None, None]


async def test_the_newest_connection_has_the_route_whoever_comes_last(directory: Directory) -> None:
    await directory.register([OLD])
    assert await directory.register([NEW]) == [OLD]
    assert await directory.register([OLD]) == [NEW]
    assert await directory.register([NEW]) == [None]


async def test_of_two_that_came_at_once_the_last_to_say_so_has_the_route(directory: Directory) -> None:
    twin = replace(NEW, since=OLD.since)
    await directory.register([OLD])
    assert await directory.register([twin]) == [OLD]
    assert await directory.register([twin]) == [None]


async def test_removing_is_only_for_what_is_there(directory: Directory) -> None:
    await directory.register([OLD, OTHER])
    await directory.register([NEW])
    await directory.remove([OLD, OTHER])
    assert await directory.register([OLD, OTHER]) == [NEW, None]


async def test_keys_and_values_that_services_read(redis: Redis) -> None:
    directory = RedisDirectory(redis, 30, 60)
    await directory.claim(3, "a")
    await directory.register([OLD])
    assert await redis.get("slot:3") == b"a"
    assert await redis.get("route:CP1") == b'{"slot":0,"connection_id":"a-1","version":"1.6","since":1780000000.25}'
    assert 0 < await redis.pttl("slot:3") <= 30_000 < await redis.pttl("route:CP1") <= 60_000


async def test_what_is_not_renewed_vanishes(redis: Redis) -> None:
    directory = RedisDirectory(redis, 0.05, 0.05)
    await directory.claim(0, "a")
    await directory.register([OLD])
    await asyncio.sleep(0.1)
    assert await directory.claim(0, "b")
    assert await directory.register([replace(OLD, since=0)]) == [None]


async def test_a_redis_that_does_not_answer_is_unavailable() -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as nobody:
        directory = RedisDirectory(nobody, 1, 1)
        for question in (directory.claim(0, "a"), directory.renew(0, "a"), directory.register([OLD])):
            with pytest.raises(Unavailable):
                await question


async def test_a_route_that_an_earlier_version_wrote_is_older_than_any(redis: Redis) -> None:
    """While gateways are upgraded one by one; the old ones do not say since when a connection is there."""
    directory = RedisDirectory(redis, 30, 30)
    await redis.set("route:CP1", b'{"slot":0,"connection_id":"a-1","version":"1.6"}')
    [other] = await directory.register([NEW])
    assert other is not None
    assert (other.connection_id, other.since) == ("a-1", 0)
    assert await redis.get("route:CP1") == NEW.dump()
