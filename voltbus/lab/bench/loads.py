"""The load processes as the benchmark holds them: orders go to all of them, their tallies come back as one."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from voltbus.errors import LocalError
from voltbus.lab.bench import load_requests
from voltbus.lab.bench.plan import Rate, Scenario
from voltbus.lab.bench.tally import Tally, merged

_LONGEST_LINE = 2**28
# Until all processes have read the order to run.
_HEAD_START = 0.05
_GRACE = 5.0
# Handshakes under way.
_AT_ONCE = 200


class Loads:
    """`count` processes as an async context manager. books: a folder that takes every CALL and answer, in files of
    this name.
    """

    def __init__(self, count: int, books: Path | None = None, name: str = "books") -> None:
        self._count, self._books, self._name = count, books, name
        self._processes: list[Process] = []

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def beside(self, count: int, name: str) -> "Loads":
        """Further processes for other stations, which keep their books in the same folder."""
        return Loads(count, self._books, name)

    async def connect(self, scenario: Scenario, url: str, prefix: str) -> Tally:
        """Raises LocalError where a station is not let in."""
        await self.make(range(scenario.stations), prefix, scenario.version, scenario.script)
        return await self.arrive(url)

    async def make(
        self,
        stations: range,
        prefix: str,
        version: str,
        script: str,
        profile: int = 1,
        certificates: Path | None = None,
    ) -> None:
        """Further stations, which are to connect. certificates: of the authority, from profile 2 on."""
        shares = [list(stations[process :: self._count]) for process in range(self._count)]
        secured = (profile, str(certificates or ""))
        await self._tell(
            *(load_requests.Make(prefix, version, script, share, stations.stop, *secured) for share in shares)
        )

    async def arrive(self, url: str, boot: bool = False, deflate: bool = False) -> Tally:
        """Those that were made connect. Raises LocalError where one is not let in, or its boot not accepted."""
        tally = await self._tell(*[load_requests.Connect(url, boot, deflate, _AT_ONCE // self._count)] * self._count)
        if tally.answered != tally.sent:
            raise LocalError(f"{tally.sent - tally.answered} of {tally.sent} stations: {tally.complaint}")
        return tally

    async def open(self) -> Tally:
        """Gets the stations into the state that is measured. Raises LocalError where one does not get there."""
        tally = await self._tell(*[load_requests.Open()] * self._count)
        if tally.answered != tally.sent:
            raise LocalError(f"{tally.sent - tally.answered} of {tally.sent} CALLs failed: {tally.complaint}")
        return tally

    async def run(self, rate: Rate, seconds: float, overtime: float | None = None) -> Tally:
        """One phase. overtime: seconds in which what is late is still sent; None: as long again as the phase."""
        at, more = time.perf_counter() + _HEAD_START, seconds if overtime is None else overtime
        return await self._tell(*[load_requests.Run(rate, seconds, at, more)] * self._count)

    async def leave(self) -> Tally:
        """Disconnects; the books of the links themselves, over their whole life."""
        return await self._tell(*[load_requests.Leave()] * self._count)

    async def _tell(self, *told: load_requests.Request) -> Tally:
        for process, order in zip(self._processes, told, strict=True):
            assert process.stdin is not None
            process.stdin.write(load_requests.write(order))
        lines = await asyncio.gather(*(_line(process) for process in self._processes))
        return merged([Tally.load(orjson.loads(line)) for line in lines])

    async def __aenter__(self) -> Self:
        for number in range(self._count):
            files = [] if self._books is None else [str(self._books / f"{self._name}-{number}.jsonl")]
            self._processes.append(
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "voltbus.lab.bench.load",
                    *files,
                    stdin=PIPE,
                    stdout=PIPE,
                    limit=_LONGEST_LINE,
                    start_new_session=True,  # Ctrl-C is for the benchmark, which then ends them
                )
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*map(_ended, self._processes))


async def _ended(process: Process) -> None:
    """By itself when its orders end, so that its books are whole; by force where it is stuck."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_GRACE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _line(process: Process) -> bytes:
    assert process.stdout is not None
    if line := await process.stdout.readline():
        return line
    raise LocalError("a load process has ended: its error is printed above")
