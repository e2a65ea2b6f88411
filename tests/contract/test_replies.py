"""Every message a station may send, to the service that owns it: its reply is legal, in each version."""

import asyncio
import inspect
import itertools
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from services.common.kafka.bus import Record
from services.common.postgres.database import Database
from services.common.process.clock import now
from services.common.process.service import Service
from services.common.testing.memory import MemoryBus
from services.ocpp.services import SERVICES
from services.ocpp.versions import VERSIONS
from tests.conftest import Stack
from tests.contract import examples
from tests.patience import GIVE_UP
from voltbus.v1.bus_pb2 import Call, Outbound, Reply

MAKERS = {"minimal": examples.minimal, "full": examples.full}
CASES = [
    (version.name, action, kind)
    for version in VERSIONS.values()
    for action in sorted(version.from_station)
    for kind in MAKERS
    # The gateway says what time it is, and to what is sent nobody answers.
    if action not in {"Heartbeat", *version.schemas.sends}
]
SLOT = 1


def payload(version: str, action: str, kind: str) -> Any:
    return MAKERS[kind](VERSIONS[version].schemas.request_document(action))


def build(name: str, bus: MemoryBus, env: Mapping[str, str]) -> Service:
    """The real wiring of a service, on a bus in memory and the real Postgres."""
    app = import_module(f"services.{name}.app")
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in env.items():
            patch.setenv(variable, value)
        settings = import_module(f"services.{name}.settings").Settings.read()
    # Services that send commands ask Redis where a station is.
    parts = {"database": Database(settings, name), "redis": Redis.from_url(settings.redis_url)}
    wanted = inspect.signature(app.build).parameters
    service: Service = app.build(settings, bus, **{key: parts[key] for key in parts if key in wanted}, clock=now)
    return service


async def ask(service: Service, bus: MemoryBus, cases: Mapping[str, tuple[str, str, str]]) -> dict[str, Reply]:
    """Lets the service answer calls; its replies by message id."""
    topic, outbound = service.settings.topic(f"ocpp.calls.{service.name}"), service.settings.topic("ocpp.outbound")
    for step in service.opens:
        await step()
    tasks = [asyncio.create_task(task()) for task in service.tasks.values()]
    await bus.publish([call(topic, message_id, *case) for message_id, case in cases.items()])
    replies: dict[str, Reply] = {}
    async with asyncio.timeout(GIVE_UP):
        while len(replies) < len(cases):
            await bus.wait()
            sent = (Outbound.FromString(record.value or b"") for record in bus.all(outbound))
            replies = {body.reply.message_id: body.reply for body in sent}
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for close in service.closes:
        await close()
    return replies


def call(topic: str, message_id: str, version: str, action: str, kind: str) -> Record:
    """A call as the gateway publishes it; none is answered by the gateway, so that all replies can be seen."""
    record = Call(
        id=f"connection.{message_id}",
        station_id=f"CP-{version}-{kind}",
        connection_id="connection",
        slot=SLOT,
        message_id=message_id,
        version=version,
        action=action,
        payload=orjson.dumps(payload(version, action, kind)),
        received_at=now(),
    )
    return Record(topic, record.station_id.encode(), record.SerializeToString())


@pytest.fixture(scope="module")
async def replies(stack: Stack) -> dict[tuple[str, str, str], Reply]:
    """What every service says to everything."""
    env, numbers = await stack.fresh(topics=False), itertools.count()
    answers: dict[tuple[str, str, str], Reply] = {}
    for name in SERVICES:
        bus = MemoryBus()
        cases = {str(next(numbers)): case for case in CASES if VERSIONS[case[0]].from_station[case[1]] == name}
        told = await ask(build(name, bus, env), bus, cases)
        answers |= {cases[message_id]: reply for message_id, reply in told.items()}
    return answers


@pytest.mark.parametrize(("version", "action", "kind"), CASES)
def test_the_reply_is_legal(replies: dict[tuple[str, str, str], Reply], version: str, action: str, kind: str) -> None:
    reply = replies[version, action, kind]
    assert reply.WhichOneof("outcome") == "payload", reply.refusal
    VERSIONS[version].schemas.check_response(action, orjson.loads(reply.payload))
    if VERSIONS[version].schemas.answered_empty(action):
        assert orjson.loads(reply.payload) == {}
