"""Stations come to show the labels that are desired of them: the room knows nothing of what it reconciles."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from services.common.desired import reconciler as module
from services.common.desired.progress import RETRY_AFTER, Step
from services.common.desired.reconciler import DEFAULT_TIMING, Reconciler, Timing
from services.common.process.errors import Unavailable
from tests.unit.common.desired.labels import World


def reconciler(world: World, most: int = 10, timing: Timing = DEFAULT_TIMING) -> Reconciler[str, None]:
    parts: Any = world
    return Reconciler(
        resource=parts.labels,
        groups=parts.groups,
        progress=parts.progress,
        database=parts.database,
        command_service=parts.commands,
        most=most,
        clock=parts.clock,
        timing=timing,
    )


@asynccontextmanager
async def running(one: Reconciler[str, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_station_is_read_and_then_sent_what_differs() -> None:
    world = World()
    await world.wants("vienna", "grün", "blau")
    world.member("CP1", "vienna")
    one = reconciler(world)
    assert await one.once() == 1
    assert (world.commands.sent("CP1"), world.step("CP1")) == (["GetLabels"], Step.READING)
    assert await one.once() == 0
    world.answer("CP1", "rot", "blau")
    await one.once()
    assert world.commands.sent("CP1") == ["GetLabels", "RemoveLabel rot", "AddLabel grün"]
    assert (world.step("CP1"), world.labels.pending) == (Step.IDLE, ["c1", "c2"])
    assert world.progress.rows["CP1"].applied_at == world.clock()


async def test_each_version_gets_it_in_its_own_words() -> None:
    world = World()
    await world.wants("vienna", "grün")
    world.member("CP1", "vienna", version="1.6")
    one = reconciler(world)
    await one.once()
    world.answer("CP1")
    await one.once()
    assert world.commands.sent("CP1")[1:] == ["AddLabel gruen"]


async def test_all_groups_of_a_station_have_their_say() -> None:
    world = World()
    await world.wants("vienna", "grün")
    await world.wants("austria", "blau")
    world.member("CP1", "vienna", "nobody", "austria")
    one = reconciler(world)
    await one.once()
    world.answer("CP1")
    await one.once()
    assert world.commands.sent("CP1")[1:] == ["AddLabel grün", "AddLabel blau"]


async def test_a_station_that_is_as_desired_is_sent_nothing() -> None:
    world = World()
    await world.wants("vienna", "blau")
    world.member("CP1", "vienna")
    one = reconciler(world)
    await one.once()
    world.answer("CP1", "blau")
    await one.once()
    assert (world.commands.sent("CP1"), world.step("CP1")) == (["GetLabels"], Step.IDLE)


async def test_a_station_with_nothing_to_read_is_done() -> None:
    world = World()
    world.member("CP1", "vienna", version="mute")
    await reconciler(world).once()
    assert (world.commands.sent("CP1"), world.step("CP1")) == ([], Step.IDLE)


async def test_who_is_away_is_looked_at_again_later() -> None:
    world = World()
    world.member("CP1", "vienna")
    del world.labels.here["CP1"]
    one = reconciler(world)
    assert await one.once() == 1
    assert world.progress.rows["CP1"].due_at == world.clock() + DEFAULT_TIMING.away
    assert await one.once() == 0
    world.labels.here["CP1"] = "2.0.1"
    world.clock.passes(DEFAULT_TIMING.away.total_seconds())
    await one.once()
    assert world.step("CP1") is Step.READING


async def test_who_was_not_reached_is_read_again() -> None:
    world = World()
    world.member("CP1", "vienna")
    one = reconciler(world)
    await one.once()
    world.answer("CP1", undelivered=True)
    assert await one.once() == 0
    world.clock.passes(RETRY_AFTER.total_seconds())
    await one.once()
    assert world.commands.sent("CP1") == ["GetLabels", "GetLabels"]


async def test_only_so_many_are_read_at_a_time() -> None:
    """And those that are away take no place."""
    world = World()
    for number in range(5):
        world.member(f"CP{number}", "vienna")
    del world.labels.here["CP0"]
    one = reconciler(world, most=2)
    await one.once()
    await one.once()
    assert [id_ for id_ in world.progress.rows if world.step(id_) is Step.READING] == ["CP1", "CP2"]
    world.answer("CP1")
    await one.once()
    assert world.step("CP1") is Step.IDLE
    await one.once()
    assert world.step("CP3") is Step.READING


async def test_none_is_read_where_none_may_be() -> None:
    world = World()
    world.member("CP1", "vienna")
    assert await reconciler(world, most=0).once() == 0
    assert world.step("CP1") is Step.DUE


async def test_more_than_a_turn_takes_goes_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    world = World()
    for number in range(5):
        world.member(f"CP{number}", "vienna")
    async with running(reconciler(world, timing=Timing(every=3600))):
        await world.until(lambda: all(world.step(id_) is Step.READING for id_ in world.progress.rows))


async def test_a_database_that_is_away_is_tried_again() -> None:
    world, tries = World(), 0
    world.member("CP1", "vienna")
    transaction = world.database.transaction

    def away_at_first() -> Any:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("Postgres: away")
        return transaction()

    world.database.transaction = away_at_first
    async with running(reconciler(world, timing=Timing(every=0.001, longest=0.002))):
        await world.until(lambda: world.step("CP1") is Step.READING)
    assert tries >= 3


async def test_news_begin_a_turn_at_once() -> None:
    world = World()
    world.member("CP1", "vienna")
    one = reconciler(world, timing=Timing(every=3600))
    async with running(one):
        await world.until(lambda: world.step("CP1") is Step.READING)
        world.member("CP2", "vienna")
        one.nudge()
        await world.until(lambda: world.step("CP2") is Step.READING)
