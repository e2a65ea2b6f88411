"""All stations of a run, of all versions, on both gateways; and how they are served at this moment."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from voltbus.lab.chaos.expected import Expected
from voltbus.lab.chaos.script import StationScript
from voltbus.lab.chaos.station import Station
from voltbus.simulator.station.habits import Habit, Habits, is_sloppy

VERSIONS = ("1.6", "2.0.1", "2.1")
# Of so many stations one roams.
_ROAMS = 12


class Crowd:
    """interval: seconds between two messages of a station. sloppy: the share of stations that have these habits."""

    def __init__(
        self,
        stations: int,
        gateways: Sequence[str],
        interval: float,
        expected: Expected,
        seed: int,
        sloppy: float,
        habits: Collection[Habit],
    ) -> None:
        self._interval, self._seed, self._sloppy, self._habits = interval, seed, sloppy, habits
        self._stop = asyncio.Event()
        self._lives: list[asyncio.Task[None]] = []
        self.stations = [
            self._station(number, gateways, expected, random.Random(f"{seed}/station/{number}"))
            for number in range(stations)
        ]

    def _station(self, number: int, gateways: Sequence[str], expected: Expected, dice: random.Random) -> Station:
        # Half of each version on each gateway.
        version, own = VERSIONS[number % len(VERSIONS)], number // len(VERSIONS) % len(gateways)
        habits = Habits(f"{self._seed}/{number}", self._habits if is_sloppy(number, self._sloppy) else ())
        life = StationScript(f"CHAOS-{number:04}", version, expected, habits)
        order = [*gateways[own:], *gateways[:own]]
        return Station(life, order, self._interval, expected, dice, roams=number % _ROAMS == _ROAMS - 1)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Stations keep their connections until the block ends."""
        keeping = [asyncio.create_task(station.keep()) for station in self.stations]
        try:
            yield
        finally:
            for task in (*self._lives, *keeping):
                task.cancel()
            await asyncio.gather(*self._lives, *keeping, return_exceptions=True)

    def begin(self) -> None:
        """They begin to speak, one after the other."""
        begin, count = time.time(), len(self.stations)
        for number, station in enumerate(self.stations):
            at = begin + self._interval * number / count
            self._lives.append(asyncio.create_task(station.live(at, self._stop)))

    async def finish(self) -> None:
        """Every station comes to the end of its session."""
        self._stop.set()
        await asyncio.gather(*self._lives)

    def check(self) -> None:
        """Raises what has ended a station."""
        for life in self._lives:
            if life.done():
                life.result()

    def longest_wait(self) -> float:
        """Seconds that the station which is worst off waits by now, for an answer or a connection."""
        now = time.time()
        return max((now - station.saying.due for station in self.stations if station.saying), default=0.0)

    def missing(self) -> int:
        """Stations that want to be connected and are not."""
        return sum(not (station.connected or station.away) for station in self.stations)
