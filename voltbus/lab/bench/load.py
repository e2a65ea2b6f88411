"""python -m voltbus.lab.bench.load [BOOKS]: stations in a process of their own, by orders on standard input.

BOOKS is a file that takes a line for every CALL: [station, action, payload, response].
"""

import asyncio
import contextlib
import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import uvloop

from voltbus.lab.bench import load_requests
from voltbus.lab.bench.crowd import Crowd
from voltbus.lab.bench.driver import OnCall
from voltbus.lab.bench.tally import Tally
from voltbus.simulator.station.types import Payload


async def handle(crowd: Crowd, order: load_requests.Request) -> Tally:
    """What came of the order."""
    match order:
        case load_requests.Make():
            tally = crowd.make(order)
            gc.freeze()  # they stay: the collector need not look through them while it is measured
            return tally
        case load_requests.Connect():
            return await crowd.connect(order)
        case load_requests.Open():
            return await crowd.open()
        case load_requests.Run():
            return await crowd.run(order)
        case load_requests.Leave():
            return await crowd.leave()


async def main(told: OnCall | None) -> None:
    """Until standard input ends."""
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    crowd = Crowd(told)
    while line := await reader.readline():
        tally = await handle(crowd, load_requests.read(line))
        sys.stdout.buffer.write(orjson.dumps(tally.dump()) + b"\n")
        sys.stdout.buffer.flush()


@contextlib.contextmanager
def books(file: str | None) -> Iterator[OnCall | None]:
    """Writes every CALL down, where a file is given."""
    if file is None:
        yield None
        return
    with Path(file).open("ab") as out:

        def told(station_id: str, action: str, payload: Payload, response: Payload | None) -> None:
            out.write(orjson.dumps([station_id, action, payload, response]) + b"\n")

        yield told


if __name__ == "__main__":
    with books(sys.argv[1] if len(sys.argv) > 1 else None) as kept:
        uvloop.run(main(kept))
