"""The stations of one load process: together they connect, open, call for a while, and leave."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from voltbus.errors import LocalError
from voltbus.lab.bench.driver import Driver, OnCall
from voltbus.lab.bench.load_requests import Connect, Make, Run
from voltbus.lab.bench.pace import dues
from voltbus.lab.bench.secured import contexts
from voltbus.lab.bench.tally import Tally


class Crowd:
    """Grows with every order to make stations. told: hears of every CALL."""

    def __init__(self, told: OnCall | None = None) -> None:
        self._told = told
        self._drivers: list[Driver] = []
        self._new: list[Driver] = []
        self._of = 0

    def make(self, order: Make) -> Tally:
        """They connect with the next order to do so."""
        self._of = order.of
        secured = contexts(order.profile, Path(order.certificates))
        names = [(number, f"{order.prefix}{number:05}") for number in order.numbers]
        self._new = [
            Driver(name, number, order.version, order.script, self._told, tls=secured(name)) for number, name in names
        ]
        return Tally()

    async def connect(self, order: Connect) -> Tally:
        """All that were made, some at a time.

        `answered` counts those that are in, and accepted where they are to boot; `took` is the time it took each.
        """
        tally, gate = Tally(), asyncio.Semaphore(order.at_a_time)
        new, self._new = self._new, []
        self._drivers += new

        async def one(driver: Driver) -> None:
            async with gate:
                began = time.perf_counter()
                tally.sent += 1
                try:
                    await driver.connect(order.url, order.deflate)
                except LocalError as error:
                    tally.refused += 1
                    tally.complain(str(error))
                    return
            if order.boot and (complaint := await driver.boot()):
                tally.unanswered += 1
                tally.complain(complaint)
                return
            tally.answered += 1
            tally.took.append(round((time.perf_counter() - began) * 1e6))

        return await _timed(tally, map(one, new))

    async def open(self) -> Tally:
        """Every station gets into the state that is to be measured."""
        tally = Tally()

        async def one(driver: Driver) -> None:
            while driver.opening and _able(driver):
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
            for due in dues(order.rate, order.seconds, self._of, driver.number):
                # Far behind, there is nothing left to learn.
                if not _able(driver) or time.perf_counter() > began + order.seconds + order.overtime:
                    tally.unsent += 1
                    continue
                await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
                await driver.turn(tally, began + due)

        one: Callable[[Driver], Awaitable[None]] = closed if order.rate is None else paced
        return await _timed(tally, map(one, self._drivers))

    async def leave(self) -> Tally:
        """Ends all connections; what the links have counted over their whole life."""
        gone, self._drivers = self._drivers, []
        await asyncio.gather(*(driver.leave() for driver in gone))
        return _sum(gone)


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
