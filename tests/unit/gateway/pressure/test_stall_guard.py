"""A gateway that stood still: what stations send waits until it is known whose the slot is."""

import json
import time
from math import inf

import pytest
import websockets

from tests.unit.gateway.running import Running, ask, running, until

HEARTBEAT = json.dumps([2, "1", "Heartbeat", {}])


async def stand_still(one: Running) -> None:
    """As after a freeze: nothing has been seen for an hour, and the next renewal is still to come."""
    await until(lambda: one.gateway.stall_guard.last_tick < inf)
    one.gateway.stall_guard.last_tick -= 3600


async def test_what_comes_meanwhile_is_handled_when_the_slot_is_still_ours() -> None:
    async with running(slot_ttl=1.0) as one, await one.connect() as socket:
        await ask(socket, HEARTBEAT.encode())
        renewed_at = one.gateway.lease.renewed_at
        await stand_still(one)
        await socket.send(HEARTBEAT)
        await until(lambda: not one.gateway.stall_guard.lease_uncertain(time.monotonic()))
        assert one.gateway.lease.renewed_at > renewed_at
        assert json.loads(await socket.recv())[:2] == [3, "1"]
        await one.call("firmware", 2)


async def test_in_a_slot_that_is_anothers_it_still_counts_and_nobody_is_served() -> None:
    async with running(slot_ttl=1.0) as one:
        socket = await one.connect()
        await stand_still(one)
        one.directory.slots[one.gateway.lease.slot] = "another"
        await socket.send(HEARTBEAT)
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
        assert one.done is not None
        assert await one.done == 1
        [record] = one.calls("firmware")
        assert (record.message_id, record.slot) == ("1", one.gateway.lease.slot)


async def test_nobody_is_let_in_meanwhile() -> None:
    async with running(slot_ttl=1.0) as one:
        await stand_still(one)
        with pytest.raises(websockets.InvalidStatus) as refused:
            await one.connect()
        assert refused.value.response.status_code == 503
        await until(lambda: not one.gateway.stall_guard.lease_uncertain(time.monotonic()))
        await (await one.connect()).close()


async def test_without_redis_stations_are_served() -> None:
    """Nobody else can take the slot then either."""
    async with running(slot_ttl=1.0) as one, await one.connect() as socket:
        one.directory.broken = True
        await stand_still(one)
        await socket.send(HEARTBEAT)
        assert json.loads(await socket.recv())[:2] == [3, "1"]
