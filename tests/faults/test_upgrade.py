"""Processes of the last release beside those of this one, on the same servers: an upgrade, and back again."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from services.common.kafka.broker import KafkaBus
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.services import SERVICES
from tests.clients import release, system
from tests.clients.persistent import Persistent
from tests.clients.rpc import Node
from tests.clients.sessions import SESSIONS, Session
from tests.clients.system import System, eventually
from tests.conftest import Stack, dsn_of, execute, settings_of, unused_name
from voltbus.local.stack import PROCESSES

METERS = (1700, 2400)
PREPARE = "-m", "voltbus.operator.prepare"
# What makes a process one of this release: nothing.
THIS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Charger:
    """A station and what it says."""

    id: str
    station: Persistent
    session: Session

    async def begin(self) -> None:
        for message in (self.session.boot(), self.session.status()):
            await self.station.saying(message).answer
        assert self.session.started(await self.station.saying(self.session.start(1000)).answer) == "Accepted"

    async def meter(self, wh: int) -> None:
        await self.station.saying(self.session.meter(wh)).answer

    async def end(self) -> None:
        await self.station.saying(self.session.stop(4200)).answer


@pytest.fixture(scope="module")
async def last(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What makes a process one of the last release."""
    folder = release.unpack(tmp_path_factory.mktemp("last"))
    environment = release.environment(folder)
    where = await python("-c", "import services, voltbus; print(services.__path__, voltbus.__path__)", env=environment)
    assert where.count(str(folder)) == 2
    return environment


@pytest.fixture(scope="module")
async def voltbus(stack: Stack, last: Mapping[str, str]) -> AsyncIterator[System]:
    """All of the last release, on the topics and tables that it has made."""
    environment, name = await stack.fresh(topics=False), unused_name()
    await execute(stack.servers.postgres_dsn, f"create database {name}")
    environment["VOLTBUS_POSTGRES_DSN"] = dsn_of(stack.servers, name)
    await python(*PREPARE, env={**environment, **last})
    async with system.running(stack.servers, environment, PROCESSES, dict.fromkeys(PROCESSES, last)) as started:
        yield started


async def python(*arguments: str, env: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **env}, stdout=-1, stderr=-2
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def chargers(voltbus: System, node: Node, name: str) -> list[Charger]:
    """One of each version, whose session has begun."""
    made = []
    for version, session_of in SESSIONS.items():
        station_id, token = f"{name}-{version}", f"TAG-{name}-{version}"
        await voltbus.admit(token)
        session, password = session_of(token), await voltbus.register(station_id)
        station = await Persistent.connect(node, voltbus.endpoint(), station_id, session.protocol, password)
        made.append(Charger(station_id, station, session))
    await asyncio.gather(*(one.begin() for one in made))
    return made


async def say(some: Sequence[Charger], wh: int | None = None) -> None:
    await asyncio.gather(*(one.end() if wh is None else one.meter(wh) for one in some))


async def reach(voltbus: System, one: Charger) -> None:
    """A command to a station is answered; one that went to the connection of before ends there, and is given again."""

    async def outcome() -> str:
        asked = await voltbus.command(one.id, "ClearCache", {}, wait=5)
        return str(asked.json()["status"])

    assert await eventually(outcome, lambda status: status not in ("accepted", "sent", "undeliverable")) == "answered"


async def become(voltbus: System, names: Iterable[str], environment: Mapping[str, str]) -> None:
    """Processes are replaced by those of a release. environment: what it adds to that of this one."""

    async def replace_one(name: str) -> None:
        part = voltbus.processes[name]
        kept = {key: value for key, value in part.spec.env.items() if key not in release.NAMES}
        part.spec = replace(part.spec, env={**kept, **environment})
        await part.restart(25)

    await asyncio.gather(*map(replace_one, names))


async def test_an_upgrade_and_a_rollback(voltbus: System, last: Mapping[str, str], node: Node) -> None:
    """Sessions go on through both; each is told once; stations can be commanded at each step."""
    early = await chargers(voltbus, node, "EARLY")

    # The last release on the schemas of this one, then one process of each in a consumer group.
    await python(*PREPARE, env=voltbus.env)
    await say(early, METERS[0])
    second = voltbus.processes.add("transactions-1")
    await second.start()
    between = await chargers(voltbus, node, "BETWEEN")
    await say(early, METERS[1])
    await second.stop(25)

    # This release, behind gateways of the last; then all of it.
    await become(voltbus, SERVICES, THIS)
    await say(between, METERS[0])
    await say(early)
    await reach(voltbus, between[0])
    await become(voltbus, ["gateway"], THIS)
    late = await chargers(voltbus, node, "LATE")
    await reach(voltbus, between[1])

    # Back: services first, behind gateways of this release; then all of it.
    await become(voltbus, SERVICES, last)
    await say(between, METERS[1])
    await say(late, METERS[0])
    await say(between)
    await reach(voltbus, late[0])
    await become(voltbus, ["gateway"], last)
    await say(late, METERS[1])
    await say(late)
    await reach(voltbus, late[1])

    for one in (*early, *between, *late):
        await check(voltbus, one)
        await one.station.close()
    await check_nothing_was_put_aside(voltbus)


async def check(voltbus: System, one: Charger) -> None:
    """One transaction, whole; each sample once; its start and its end told once."""
    transaction = await eventually(lambda: voltbus.transaction(one.id), lambda found: found["status"] == "ended")
    assert transaction["energy_wh"] == 3200
    values = [reading["value"] for sample in await voltbus.samples(transaction) for reading in sample["readings"]]
    assert [values.count(wh) for wh in METERS] == [1, 1], values
    await voltbus.feed.event(one.id, "TransactionEnded")
    kinds = {event.id: event.kind for event in voltbus.feed.of(one.id)}
    assert [list(kinds.values()).count(kind) for kind in ("TransactionStarted", "TransactionEnded")] == [1, 1]
    assert "TransactionRevised" not in kinds.values()


async def check_nothing_was_put_aside(voltbus: System) -> None:
    settings = settings_of(CommonSettings, voltbus.env)
    bus = KafkaBus(settings)
    await bus.start()
    try:
        for name in SERVICES:
            dead = await bus.bounds(settings.topic(topics.dead(name).name))
            assert all(one.end == 0 for one in dead.values()), f"{name} has dead letters"
    finally:
        await bus.close()
