"""A list read page by page, while rows come at both ends and others go: what was there all the time is seen once."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest

from services.common.postgres.database import Database
from services.common.web.pages import PAGE_SIZE
from tests.integration.common.running import Running, delete_all, running, settings_of
from tests.integration.rest.lists import LISTS, List, Row, message, sample, station_sample, transaction
from tests.integration.rest.serving import BUILDS

FIRST, LAST = 1000, 1060
# Rows that stay, with one between each two that comes or goes.
STAYING = range(FIRST + 1, LAST, 2)
LARGE = json.dumps({"data": "x" * 262_000})
READINGS = json.dumps([{"measurand": "Voltage", "unit": "V", "value": 230}] * 5000)


@pytest.fixture(scope="module")
async def worlds(environment: dict[str, str]) -> AsyncIterator[Mapping[str, Running]]:
    """Every service, for all tests: they only read what these put into its tables."""
    async with AsyncExitStack() as opened:
        yield {
            name: await opened.enter_async_context(running(name, build, settings_of(kind, environment)))
            for name, (build, kind) in BUILDS.items()
        }


@pytest.fixture
async def services(worlds: Mapping[str, Running]) -> AsyncIterator[Mapping[str, Running]]:
    """The same; what a test has put there is gone after it."""
    yield worlds
    for world in worlds.values():
        await delete_all(world.database)


@pytest.fixture(params=LISTS, ids=lambda one: f"{one.service} {one.path}")
def reading(request: pytest.FixtureRequest, services: Mapping[str, Running]) -> tuple[List, Running, Database]:
    world = services[request.param.service]
    return request.param, world, world.database


@pytest.mark.parametrize("limit", [1, 7])
async def test_what_stays_is_seen_once_and_in_order(reading: tuple[List, Running, Database], limit: int) -> None:
    one, world, database = reading
    change = Changes(one, database, Random(limit))
    await change.begin()
    seen: list[Any] = []
    cursor: dict[str, Any] = {}
    for _ in range(LAST):
        page = await world.get(one.path, limit=limit, **cursor)
        assert len(page["items"]) <= limit
        seen += [item[one.shown] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        await change.next(seen[-1])
    staying = [one.name(place) for place in STAYING]
    found = [name for name in seen if name in set(staying)]
    assert found in (staying, staying[::-1])
    assert len(set(seen)) == len(seen)


def large_message(place: int) -> Row:
    """Of every second one, which is read in other words, both are shown."""
    return {**message(place), "payload": LARGE, "normalised": LARGE if place % 2 else None}


def large_sample(place: int) -> Row:
    return {**sample(place), "readings": READINGS}


def large_station_sample(place: int) -> Row:
    return {**station_sample(place), "readings": READINGS}


LARGE_ONES = {
    "/v1/stations/CP1/messages": List("firmware", "", "message", "", "", large_message),
    "/v1/transactions/7/samples": List("transactions", "", "sample", "", "", large_sample),
    "/v1/stations/CP1/samples": List("transactions", "", "station_sample", "", "", large_station_sample),
}


@pytest.mark.parametrize("path", LARGE_ONES)
async def test_a_page_of_large_items_ends_earlier(services: Mapping[str, Running], path: str) -> None:
    """One station's messages of 262 kB, a thousand a page, were hundreds of MB in one answer."""
    one = LARGE_ONES[path]
    world = services[one.service]
    async with world.database.connection() as db:
        if one.service == "transactions":
            await List("", "", "transaction", "", "", transaction).add(db, 7)
        for place in range(40):
            await one.add(db, place)
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    sizes = []
    while cursor is not None:
        page = await world.get(path, limit=1000, **cursor)
        sizes.append(len(json.dumps(page)))
        seen += [json.dumps(item) for item in page["items"]]
        cursor = page["next"] and {"cursor": page["next"]}
    assert len(set(seen)) == len(seen) == 40
    assert len(sizes) >= 3
    # Readings are shown with what they left out.
    assert max(sizes) < 4 * PAGE_SIZE


class Changes:
    """What happens to the rows of a list between two pages."""

    def __init__(self, one: List, database: Database, random: Random) -> None:
        self._one, self._database, self._random = one, database, random
        self._going = {place for place in range(FIRST, LAST + 1) if place not in STAYING}
        self._ends = zip(range(FIRST - 1, FIRST - 11, -1), range(LAST + 1, LAST + 11), strict=True)

    async def begin(self) -> None:
        async with self._database.connection() as db:
            if self._one.service == "transactions":
                await List("", "", "transaction", "id", "id", transaction).add(db, 7)
            for place in self._random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST):
                await self._one.add(db, place)

    async def next(self, ended: Any) -> None:
        """ended: the name of the row that the page ended with, which goes if it may."""
        async with self._database.connection() as db:
            for place in next(self._ends, ()):
                await self._one.add(db, place)
            for place in self._leaving(ended):
                self._going.remove(place)
                await self._one.remove(db, place)

    def _leaving(self, ended: Any) -> Iterator[int]:
        last = {place for place in self._going if self._one.name(place) == ended}
        others = sorted(self._going - last)
        yield from last | set(self._random.sample(others, min(1, len(others))))
