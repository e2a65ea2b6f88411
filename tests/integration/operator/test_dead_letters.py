"""`voltbus dead` on a real Kafka: a record dies, is seen, comes back and is handled."""

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import MAX_RECORD_BYTES, Record
from services.common.kafka.consumer import Consumer
from services.common.process.clock import now
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from tests.clients.system import eventually
from tests.conftest import Stack
from tests.integration.common.running import settings_of
from tests.patience import GIVE_UP
from voltbus.cli import app
from voltbus.v1.bus_pb2 import Call

CALLS, DEAD = topics.calls("transactions").name, topics.dead("transactions").name
# What fits into Kafka by itself, and does not with the headers of a dead letter.
LARGE = MAX_RECORD_BYTES - 120


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    """What the service logs beside the command line is not what that says."""
    with capture_logs():
        yield


@dataclass
class Service:
    """Reads calls; what stations of `broken` say it cannot handle. handled: message ids."""

    broken: set[str] = field(default_factory=set)
    handled: list[str] = field(default_factory=list)

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        calls = [Call.FromString(record.value or b"") for record in records]
        if found := self.broken & {call.station_id for call in calls}:
            raise ValueError(f"no idea of {min(found)}")
        self.handled += [call.message_id for call in calls]
        return []


@dataclass
class World:
    """A system with one service, and the command line beside it."""

    env: dict[str, str]
    bus: KafkaBus
    settings: CommonSettings
    service: Service = field(default_factory=Service)

    async def say(self, station_id: str, message_id: str, payload: bytes = b'{"idTag":"04A2B3C4D5E6F7"}') -> None:
        call = Call(station_id=station_id, message_id=message_id, action="Authorize", payload=payload, version="1.6")
        record = Record(self.settings.topic(CALLS), station_id.encode(), call.SerializeToString(), (("h", b"1"),))
        await self.bus.publish([record])

    async def voltbus(self, words: str, answer: str | None = None) -> Result:
        run = asyncio.to_thread(CliRunner().invoke, app, shlex.split(words), input=answer, env=self.env)
        return await run

    async def listed(self, words: str = "") -> Any:
        return json.loads((await self.voltbus(f"dead list --json {words}")).stdout)

    async def waiting(self, count: int) -> Any:
        """The letters that wait, when there are so many."""
        return await eventually(self.listed, lambda letters: len(letters) == count, 60)

    async def handled(self, message_id: str) -> None:
        """Until the service has handled it."""

        async def ids() -> list[str]:
            return self.service.handled

        await eventually(ids, lambda handled: message_id in handled, 60)

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[None]:
        topic, dead = self.settings.topic(CALLS), self.settings.topic(DEAD)
        consumer = Consumer(self.bus, "transactions", [topic], handle=self.service.handle, dead_topic=dead, clock=now)
        running = asyncio.create_task(consumer.run())
        async with asyncio.timeout(GIVE_UP):
            yield
            await consumer.stop()
            await running


@pytest.fixture
async def world(stack: Stack) -> AsyncIterator[World]:
    env = await stack.fresh()
    settings: CommonSettings = settings_of(CommonSettings, env)
    bus = KafkaBus(settings)
    await bus.start()
    yield World(env, bus, settings)
    await bus.close()


async def test_a_poison_record_dies_is_seen_comes_back_and_is_handled(world: World) -> None:
    service = world.service
    service.broken = {"CP2", "CP3"}
    for number in range(3):
        for station in ("CP1", "CP2", "CP3"):
            await world.say(station, f"{station}/{number}")
    async with world.consuming():
        await world.say("CP1", "CP1/last")
        await world.handled("CP1/last")
        await world.waiting(6)
        assert [one for one in service.handled if one.startswith("CP1")] == ["CP1/0", "CP1/1", "CP1/2", "CP1/last"]

        table = (await world.voltbus("dead list --station CP2")).stdout
        assert table.count("transactions-") == 3
        assert all(word in table for word in ("CP2", "Authorize", "no idea of CP2", CALLS, "open", "3 dead letters"))

        first = (await world.listed("--station CP2"))[0]
        shown = json.loads((await world.voltbus(f"dead show {first['id']} --json")).stdout)
        assert shown["content"]["message_id"] == "CP2/0"
        assert shown["content"]["payload"] == {"idTag": "…E6F7"}
        assert (shown["topic"], shown["headers"]) == (world.settings.topic(CALLS), {"h": "1"})
        page = (await world.voltbus(f"dead show {first['id']}")).stdout
        assert "CP2/0" in page
        assert "04A2B3C4" not in page

        service.broken = {"CP3"}
        refused = await world.voltbus("dead replay --station CP2", answer="n\n")
        assert (refused.exit_code, len(await world.listed())) == (1, 6)
        assert (
            "3 dead letters would be sent back" in (await world.voltbus("dead replay --station CP2 --dry-run")).stdout
        )
        back = await world.voltbus("dead replay --station CP2 --reason 'no idea'", answer="y\n")
        assert back.exit_code == 0, back.output
        assert "3 dead letters sent back" in back.stdout
        await world.handled("CP2/2")
        assert [one for one in service.handled if one.startswith("CP2")] == ["CP2/0", "CP2/1", "CP2/2"]

        assert {one["station_id"] for one in await world.listed()} == {"CP3"}
        states = {one["station_id"]: one["state"] for one in await world.listed("--all")}
        assert states == {"CP2": "replayed", "CP3": "open"}
        assert "nothing to send back" in (await world.voltbus("dead replay --station CP2 --yes")).stdout


async def test_one_that_dies_again_says_so(world: World) -> None:
    world.service.broken = {"CP1"}
    async with world.consuming():
        await world.say("CP1", "1")
        letters = await world.waiting(1)
        await world.voltbus(f"dead replay {letters[0]['id']}")
        letters = await world.waiting(1)
        assert [one["replayed_before"] for one in letters] == [1]
        assert "after 1 replay" in (await world.voltbus("dead list")).stdout


async def test_a_record_that_is_too_large_to_be_put_aside_holds_up_nobody(world: World) -> None:
    world.service.broken = {"CP1"}
    async with world.consuming():
        await world.say("CP1", "large", payload=bytes(LARGE))
        await world.say("CP2", "after")
        await world.handled("after")
        letters = await world.waiting(1)
        refused = await world.voltbus(f"dead replay {letters[0]['id']}")
        assert refused.exit_code == 1
        assert "has no value" in refused.stderr
        shown = json.loads((await world.voltbus(f"dead show {letters[0]['id']} --json")).stdout)
        assert shown["value_left_out"]
        assert shown["bytes"] > LARGE


async def test_the_value_as_it_is(world: World) -> None:
    world.service.broken = {"CP1"}
    async with world.consuming():
        await world.say("CP1", "1")
        letters = await world.waiting(1)
    raw = await world.voltbus(f"dead show {letters[0]['id']} --raw")
    assert Call.FromString(raw.stdout_bytes).payload == b'{"idTag":"04A2B3C4D5E6F7"}'


async def test_a_system_that_is_not_there(world: World) -> None:
    world.env["VOLTBUS_TOPIC_PREFIX"] = "nobodys."
    said = await world.voltbus("dead list")
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith("voltbus: cannot read nobodys.dead.auth (Kafka does not show nobodys.dead.auth)")
    assert said.stderr.count("\n") == 1
