"""The example consumer of the documentation, run as its reader would run it."""

import asyncio
import os
import sys
from pathlib import Path

from tests.clients.sessions import Session
from tests.clients.system import System
from tests.e2e.conftest import Connect, Known
from tests.patience import GIVE_UP

ROOT = Path(__file__).parents[2]


async def test_it_prints_a_session(voltbus: System, known: Known, session: Session, connect: Connect) -> None:
    station = await connect(session.protocol)
    await station.call(*session.boot())
    session.started(await station.call(*session.start(1000)))
    await station.call(*session.stop(3500))

    consumer = await asyncio.create_subprocess_exec(
        sys.executable,
        "docs/examples/consumer.py",
        cwd=ROOT,
        env={**os.environ, **voltbus.env, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(GIVE_UP):
            lines = await printed(consumer, known.id)
    finally:
        consumer.kill()
        await consumer.wait()
    assert [line.split()[1] for line in lines] == ["TransactionStarted", "TransactionEnded"]
    assert lines[-1].endswith("2.500 kWh (to be billed)")


async def printed(consumer: asyncio.subprocess.Process, station_id: str) -> list[str]:
    """Its lines about one station, until that station's session has ended."""
    assert consumer.stdout is not None
    lines: list[str] = []
    async for line in consumer.stdout:
        lines += [line.decode().strip()] if station_id in line.decode() else []
        if lines and "TransactionEnded" in lines[-1]:
            break
    return lines
