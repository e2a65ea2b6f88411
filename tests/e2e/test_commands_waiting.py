"""Commands to a station that is away: sent when it comes, expired, cancelled."""

import asyncio
from typing import Any

import httpx

from services.ocpp.versions import Version
from tests.clients.events import enum_word
from tests.clients.system import System
from tests.e2e.conftest import Connect, Known
from tests.e2e.triggers import (
    ACCEPTED,
    ACCEPTS,
    HEARTBEAT,
    LATER,
    TRIGGER,
    ask,
    became,
    each_version,
    ended,
    works,
)


@each_version
async def test_it_waits_for_a_station_that_is_away(
    voltbus: System, known: Known, connect: Connect, version: Version
) -> None:
    asked = await voltbus.command(known.id, TRIGGER, HEARTBEAT)
    assert (asked.status_code, asked.json()["status"], asked.json()["outcome"]) == (202, "accepted", None)
    assert asked.headers["Location"] == f"/v1/commands/{asked.json()['command_id']}"
    station = await connect(version.subprotocol, answers=ACCEPTS)
    told = await became(voltbus, asked.json())
    assert (*ended(told), told["version"]) == ("answered", "answered", version.name)
    assert await station.asked.get() == (TRIGGER, HEARTBEAT)


@each_version
async def test_it_expires(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    asked = await ask(voltbus, known.id, expires_in=0.5)
    told = await became(voltbus, asked)
    assert (*ended(told), told["error_code"], told["sent_at"]) == ("expired", "expired", "Expired", None)
    steps = await voltbus.life(known.id, asked["command_id"], "expired")
    assert [(enum_word(step.body), enum_word(step.body, "outcome")) for step in steps] == [
        ("accepted", ""),
        ("expired", "expired"),
    ]
    station = await connect(version.subprotocol)
    await works(voltbus, known, station)
    assert station.asked.qsize() == 1


@each_version
async def test_it_is_cancelled_while_it_waits(
    voltbus: System, known: Known, connect: Connect, version: Version
) -> None:
    asked = await ask(voltbus, known.id)
    waiting = asyncio.create_task(became(voltbus, asked))
    assert (await cancel(voltbus, asked)).json()["status"] == "cancelled"
    assert ended(await waiting) == ("cancelled", "cancelled")
    steps = await voltbus.life(known.id, asked["command_id"], "cancelled")
    assert [enum_word(step.body) for step in steps] == ["accepted", "cancelled"]
    station = await connect(version.subprotocol)
    await works(voltbus, known, station)
    assert station.asked.qsize() == 1


@each_version
async def test_it_is_too_late_to_cancel(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    station = await connect(version.subprotocol, answers=LATER)
    asked = await ask(voltbus, known.id)
    await station.asked.get()
    refused = await cancel(voltbus, asked)
    assert (refused.status_code, refused.json()["detail"]) == (409, "too late: the command is sent")
    await station.answer_now(TRIGGER, ACCEPTED)
    assert ended(await became(voltbus, asked)) == ("answered", "answered")
    assert (await cancel(voltbus, asked)).status_code == 409
    assert (await cancel(voltbus, {"command_id": "never-given"})).status_code == 404


async def cancel(voltbus: System, asked: Any) -> httpx.Response:
    return await voltbus.ask("POST", "firmware", f"/v1/commands/{asked['command_id']}/cancel")
