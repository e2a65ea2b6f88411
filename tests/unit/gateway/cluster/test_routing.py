"""Slots and routes: what gateways tell each other through the directory."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from structlog.testing import capture_logs

from services.common.process.errors import Unavailable
from services.common.process.readiness import NotReady
from services.gateway.cluster.directory import Route
from services.gateway.cluster.memory import MemoryDirectory
from services.gateway.cluster.routing import Routing
from services.gateway.cluster.slot_lease import SlotLease, SlotLost
from tests.unit.gateway.running import until

HERE = Route(station_id="CP1", slot=0, connection_id="here-1", version="1.6", since=100.0)
THERE = Route(station_id="CP1", slot=1, connection_id="there-1", version="2.0.1", since=101.0)
EARLIER = Route(station_id="CP1", slot=1, connection_id="there-0", version="2.0.1", since=99.0)


class World:
    """A routing that runs, and what it has called back with."""

    def __init__(self) -> None:
        self.directory = MemoryDirectory()
        self.replaced: list[Route] = []
        self.outdated: list[Route] = []
        self.routing = Routing(
            self.directory,
            renewal=0.02,
            retry=0.1,
            on_replaced=self.replaced.append,
            on_outdated=self.outdated.append,
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    task = asyncio.create_task(made.routing.run())
    yield made
    task.cancel()


async def test_a_route_comes_and_goes(world: World) -> None:
    world.routing.add(HERE)
    await world.routing.flush()
    assert world.directory.routes == {"CP1": HERE}
    world.routing.remove(HERE.connection_id)
    await world.routing.flush()
    assert world.directory.routes == {}
    assert world.replaced == world.outdated == []


async def test_a_connection_that_is_gone_at_once_leaves_nothing(world: World) -> None:
    world.routing.add(HERE)
    world.routing.remove(HERE.connection_id)
    await world.routing.flush()
    assert world.directory.routes == {}


async def test_a_new_route_wins_and_the_old_one_is_told(world: World) -> None:
    world.directory.routes["CP1"] = EARLIER
    world.routing.add(HERE)
    await world.routing.flush()
    assert world.directory.routes == {"CP1": HERE}
    assert world.replaced == [EARLIER]


async def test_a_route_that_is_written_late_does_not_replace_a_newer_one(world: World) -> None:
    world.directory.broken = True
    world.routing.add(HERE)
    world.directory.routes["CP1"] = THERE
    world.directory.broken = False
    await world.routing.flush()
    assert world.directory.routes == {"CP1": THERE}
    assert HERE in world.outdated
    assert world.replaced == []


async def test_when_redis_was_emptied_the_newer_connection_comes_out_on_top(world: World) -> None:
    world.routing.add(HERE)
    await world.routing.flush()
    world.directory.routes["CP1"] = EARLIER
    world.routing.restore()
    await until(lambda: world.replaced)
    assert world.replaced == [EARLIER]
    assert world.directory.routes == {"CP1": HERE}
    assert world.outdated == []


async def test_an_old_close_never_removes_a_new_route(world: World) -> None:
    world.routing.add(HERE)
    await world.routing.flush()
    world.directory.routes["CP1"] = THERE
    world.routing.remove(HERE.connection_id)
    await world.routing.flush()
    assert world.directory.routes == {"CP1": THERE}


async def test_renewal_finds_out_that_a_station_has_moved(world: World) -> None:
    world.routing.add(HERE)
    await world.routing.flush()
    world.directory.routes["CP1"] = THERE
    await until(lambda: world.outdated)
    assert world.outdated[0] == HERE
    assert world.directory.routes == {"CP1": THERE}


async def test_lost_routes_are_restored(world: World) -> None:
    world.routing.add(HERE)
    await world.routing.flush()
    world.directory.routes.clear()
    await until(lambda: world.directory.routes)


async def test_routes_wait_while_redis_is_away(world: World) -> None:
    world.directory.broken = True
    world.routing.add(HERE)
    await asyncio.sleep(0.05)
    world.routing.remove(HERE.connection_id)
    newer = Route(station_id="CP1", slot=0, connection_id="here-2", version="1.6", since=102.0)
    world.routing.add(newer)
    world.directory.broken = False
    await world.routing.flush()
    assert world.directory.routes == {"CP1": newer}


async def test_a_route_that_goes_while_it_is_renewed_does_not_come_back(world: World) -> None:
    class Slow(MemoryDirectory):
        async def register(self, routes: Sequence[Route]) -> list[Route | None]:
            world.routing.remove(HERE.connection_id)
            await world.routing.flush()
            return await super().register(routes)

    world.routing.add(HERE)
    await world.routing.flush()
    slow = Slow()
    slow.routes = world.directory.routes
    world.routing._directory = slow
    await until(lambda: not slow.routes)
    await world.routing.flush()
    await asyncio.sleep(0.05)
    assert slow.routes == {}


async def eight() -> int:
    return 8


def lease(
    directory: MemoryDirectory, owner: str = "me", first: int = 0, partitions: Callable[[], Awaitable[int]] = eight
) -> tuple[SlotLease, list[str]]:
    resets: list[str] = []
    made = SlotLease(
        directory,
        owner=owner,
        count=3,
        partitions=partitions,
        ttl=0.05,
        first=first,
        on_redis_reset=lambda: resets.append("reset"),
        monotonic=time.monotonic,
    )
    return made, resets


async def test_the_first_free_slot_is_taken() -> None:
    directory = MemoryDirectory()
    mine, _ = lease(directory)
    other, _ = lease(directory, "other")
    third, _ = lease(directory, "third", first=2)
    for each in (mine, other, third):
        assert not each.held
        await each.acquire()
    assert (mine.slot, other.slot, third.slot) == (0, 1, 2)
    late, _ = lease(directory, "late")
    with pytest.raises(Unavailable, match="VOLTBUS_SLOTS"):
        await late.acquire()
    await mine.release()
    await late.acquire()
    assert late.slot == 0


async def test_a_slot_without_a_partition_is_left_out() -> None:
    """Its gateway would get no replies. Why there is none is told."""

    async def two() -> int:
        return 2

    directory = MemoryDirectory()
    mine, _ = lease(directory, first=2, partitions=two)
    other, _ = lease(directory, "other", first=2, partitions=two)
    late, _ = lease(directory, "late", partitions=two)
    assert late.ready() is False
    with capture_logs() as logs:
        await mine.acquire()
    told = {"event": "slots without a partition are left out", "slots": 3, "partitions": 2, "log_level": "warning"}
    assert told in logs
    await other.acquire()
    assert (mine.slot, other.slot) == (0, 1)
    assert mine.ready() is True
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"all 2 gateway slots .* ocpp.outbound has only 2 of 3 partitions"):
                await late.acquire()
    assert logs.count(told) == 1, "it is tried again and again"
    assert isinstance(answer := late.ready(), NotReady)
    assert "only 2 of 3 partitions" in answer.reason


async def test_why_there_is_no_slot_is_told() -> None:
    async def away() -> int:
        raise Unavailable("Kafka does not show ocpp.outbound")

    mine, _ = lease(MemoryDirectory(), partitions=away)
    with pytest.raises(Unavailable):
        await mine.acquire()
    assert mine.ready() == NotReady("Kafka does not show ocpp.outbound")


async def test_a_slot_of_another_is_not_released() -> None:
    directory = MemoryDirectory()
    mine, _ = lease(directory)
    await mine.acquire()
    directory.slots[0] = "other"
    await mine.release()
    assert directory.slots == {0: "other"}


async def test_a_lease_that_is_gone_is_taken_again() -> None:
    directory = MemoryDirectory()
    mine, resets = lease(directory)
    await mine.acquire()
    task = asyncio.create_task(mine.run())
    directory.slots.clear()
    await until(lambda: resets)
    assert directory.slots == {0: "me"}
    task.cancel()


async def test_a_lease_that_another_has_ends_the_gateway() -> None:
    directory = MemoryDirectory()
    mine, _ = lease(directory)
    await mine.acquire()
    directory.slots[0] = "other"
    with pytest.raises(SlotLost):
        await mine.run()


async def test_without_redis_a_lease_is_kept_and_routes_are_written_when_it_is_back() -> None:
    directory = MemoryDirectory()
    mine, resets = lease(directory)
    await mine.acquire()
    task = asyncio.create_task(mine.run())
    directory.broken = True
    await until(lambda: not mine.valid)
    assert not task.done()
    assert mine.held
    assert resets == []
    directory.broken = False
    await until(lambda: resets)
    assert mine.valid
    task.cancel()


async def test_after_a_freeze_the_lease_is_not_valid_until_the_lease_is_renewed() -> None:
    directory, now = MemoryDirectory(), [0.0]
    mine = SlotLease(
        directory,
        owner="me",
        count=3,
        partitions=eight,
        ttl=10,
        first=0,
        on_redis_reset=lambda: None,
        monotonic=lambda: now[0],
    )
    assert not mine.valid
    await mine.acquire()
    now[0] = 9.9
    assert mine.valid
    now[0] = 10.0
    assert not mine.valid
    task = asyncio.create_task(mine.run())
    await until(lambda: mine.valid)
    directory.slots[0] = "other"
    task.cancel()
    with pytest.raises(SlotLost):
        await mine.run()
    assert not mine.valid
