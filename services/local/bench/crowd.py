"""The stations of one load process: together they connect, open, call for a while, and leave."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from services.local.bench.driver import Driver, Told
from services.local.bench.orders import Connect, Run
from services.local.bench.pace import dues
from services.local.bench.tally import Tally
from services.local.errors import LocalError


class Crowd:
    """Made by an order to connect."""

    def __init__(self, order: Connect, told: Told | None = None) -> None:
        self._order = order
        self._drivers = [
            Driver(f"{order.prefix}{number:05}", number, order.version, order.script, told) for number in order.numbers
        ]

    async def connect(self) -> Tally:
        """All, some at a time. `answered` counts those that are in, `took` is the time it took each."""
        tally, gate = Tally(), asyncio.Semaphore(self._order.at_a_time)

        async def one(driver: Driver) -> None:
            async with gate:
                began = time.perf_counter()
                tally.sent += 1
                try:
                    await driver.connect(self._order.url)
                except LocalError as error:
                    tally.refused += 1
                    tally.complain(str(error))
                    return
                tally.answered += 1
                tally.took.append(round((time.perf_counter() - began) * 1e6))

        return await _timed(tally, map(one, self._drivers))

    async def open(self) -> Tally:
        """Every station gets into the state that is to be measured."""
        tally = Tally()

        async def one(driver: Driver) -> None:
            for _ in range(driver.opening):
                if _able(driver):
                    await driver.turn(tally)

        return await _timed(tally, map(one, self._drivers))

    async def run(self, order: Run) -> Tally:
        """Calls for some seconds: at a rate, or as fast as answers come."""
        tally = Tally()
        await asyncio.sleep(max(0.0, order.at - time.perf_counter()))
        began = time.perf_counter()

        async def closed(driver: Driver) -> None:
            while time.perf_counter() < began + order.seconds and _able(driver):
                await driver.turn(tally)

        async def paced(driver: Driver) -> None:
            assert order.rate is not None
            for due in dues(order.rate, order.seconds, self._order.of, driver.number):
                # Far behind, there is nothing left to learn.
                if not _able(driver) or time.perf_counter() > began + 2 * order.seconds:
                    tally.unsent += 1
                    continue
                await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
                await driver.turn(tally, began + due)

        one: Callable[[Driver], Awaitable[None]] = closed if order.rate is None else paced
        return await _timed(tally, map(one, self._drivers))

    async def leave(self) -> Tally:
        """Ends all connections; what the links have counted over their whole life."""
        await asyncio.gather(*(driver.leave() for driver in self._drivers))
        return _sum(self._drivers)


def _able(driver: Driver) -> bool:
    return driver.connected and not driver.over


async def _timed(tally: Tally, work: Iterable[Awaitable[None]]) -> Tally:
    tally.began = time.perf_counter()
    await asyncio.gather(*work)
    tally.seconds = time.perf_counter() - tally.began
    return tally


def _sum(drivers: Sequence[Driver]) -> Tally:
    books = [driver.books for driver in drivers]
    return Tally(
        sent=sum(book.sent for book in books),
        answered=sum(book.answered for book in books),
        refused=sum(book.refused for book in books),
        unanswered=sum(book.sent - book.answered - book.refused for book in books),
    )
