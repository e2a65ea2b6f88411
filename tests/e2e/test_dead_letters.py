"""A fault in a service puts a station's message aside; nobody else notices; when it is mended, it comes back."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.clients.sessions import Session16
from tests.clients.system import System, eventually
from tests.e2e.conftest import Connect, Known

# A fault that strikes one station: its transaction cannot be changed.
BREAK = "alter table transactions.transaction add constraint fault check (station_id <> '{0}') not valid"
MEND = "alter table transactions.transaction drop constraint if exists fault"


async def test_a_poison_record_is_put_aside_and_comes_back(
    voltbus: System, known: Known, id_token: str, connect: Connect
) -> None:
    session = Session16(id_token)
    station = await connect(session.protocol)
    await station.call(*session.boot())
    session.started(await station.call(*session.start(1000)))
    async with fault(voltbus, known.id):
        await station.call(*session.meter(1500))  # acknowledged, for Kafka has it
        [letter] = await eventually(lambda: dead(voltbus, "list", "--station", known.id), lambda found: len(found) == 1)
        assert (letter["action"], letter["state"]) == ("MeterValues", "open")
        assert "fault" in letter["reason"]
        shown = await dead(voltbus, "show", letter["id"])
        assert shown["content"]["station_id"] == known.id
        # Others are served meanwhile, also by the service that has the fault.
        authorized = await station.call(*session.authorize())
        assert authorized["idTagInfo"]["status"] == "Accepted"
    transaction = await voltbus.transaction(known.id)
    assert 1500 not in await energies(voltbus, transaction)

    await station.call(*session.meter(2000))
    await voltbus_dead(voltbus, "replay", letter["id"])
    found = await eventually(lambda: energies(voltbus, transaction), lambda found: 1500 in found)
    assert sorted(wh for wh in found if wh in (1500, 2000)) == [1500, 2000]
    assert await dead(voltbus, "list", "--station", known.id) == []
    await station.call(*session.stop(4200))
    assert (await voltbus.transaction(known.id))["energy_wh"] == 3200


async def test_a_call_that_comes_back_is_answered_to_nobody(
    voltbus: System, known: Known, id_token: str, connect: Connect
) -> None:
    """The station has long given up: the gateway drops the answer, and goes on."""
    session = Session16(id_token)
    station = await connect(session.protocol)
    await station.call(*session.boot())
    async with fault(voltbus, known.id):
        await station.raw(json.dumps([2, "unanswered", *session.start(0)]))
        [letter] = await eventually(lambda: dead(voltbus, "list", "--station", known.id), lambda found: len(found) == 1)
    await station.close()
    again = await connect(session.protocol)
    await voltbus_dead(voltbus, "replay", letter["id"])
    assert (await eventually(lambda: started(voltbus, known.id), bool))[0]["status"] == "active"
    await again.call(*session.boot())


async def started(voltbus: System, station_id: str) -> Any:
    return (await voltbus.get("transactions", "/v1/transactions", station_id=station_id))["items"]


async def energies(voltbus: System, transaction: dict[str, Any]) -> list[float]:
    return [reading["value"] for sample in await voltbus.samples(transaction) for reading in sample["readings"]]


@asynccontextmanager
async def fault(voltbus: System, station_id: str) -> AsyncIterator[None]:
    db = await asyncpg.connect(voltbus.env["VOLTBUS_POSTGRES_DSN"])
    try:
        await db.execute(BREAK.format(station_id))
        yield
    finally:
        await db.execute(MEND)
        await db.close()


async def dead(voltbus: System, *words: str) -> Any:
    """What `voltbus dead … --json` says."""
    return json.loads(await voltbus_dead(voltbus, *words, "--json"))


async def voltbus_dead(voltbus: System, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voltbus", "dead", *words),
        env={**os.environ, **voltbus.env},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()
