"""A session as systems without Kafka see it: posted to them, and as server-sent events."""

import asyncio
import json

from tests.clients.receiver import receiving
from tests.clients.sessions import Session
from tests.clients.system import System
from tests.e2e.conftest import Connect, Known
from tests.patience import GIVE_UP

TOLD = ["TransactionStarted", "TransactionEnded"]


async def test_a_session_is_posted_and_streamed(
    voltbus: System, known: Known, session: Session, connect: Connect
) -> None:
    query = {"type": TOLD, "station_id": known.id, "since": "2020-01-01T00:00:00Z"}
    url = voltbus.processes.rest("transactions") + "/v1/events"
    async with receiving() as receiver:
        wanted = {"url": receiver.url, "types": TOLD, "stations": [known.id]}
        made = await voltbus.ask("PUT", "transactions", f"/v1/webhooks/{known.id}", json=wanted)
        assert made.status_code == 201
        station = await connect(session.protocol)
        await station.call(*session.boot())
        session.started(await station.call(*session.start(1000)))
        await station.call(*session.stop(3500))
        await receiver.until(lambda: len(receiver.took) == 2)
        async with voltbus.http.stream("GET", url, params=query, timeout=GIVE_UP) as answer, asyncio.timeout(GIVE_UP):
            streamed = []
            async for line in answer.aiter_lines():
                streamed += [json.loads(line[6:])] if line.startswith("data: ") else []
                if len(streamed) == 2:
                    break
        assert (await voltbus.ask("DELETE", "transactions", f"/v1/webhooks/{known.id}")).status_code == 204
    assert [one.event for one in receiver.took] == streamed
    assert [event["type"] for event in streamed] == [f"voltbus.v1.{name}" for name in TOLD]
    assert streamed[1]["data"]["transaction"]["energy_wh"] == 2500
