"""Several commands for one station: one at a time, each once, none for ever."""

import asyncio
import json

from services.gateway.settings import Settings
from services.ocpp.versions import Version
from tests.clients.system import System
from tests.e2e.conftest import Connect, Known
from tests.e2e.triggers import (
    ACCEPTED,
    ACCEPTS,
    HEARTBEAT,
    LATER,
    SILENT,
    TRIGGER,
    ask,
    became,
    each_version,
    ended,
    message_id,
    works,
)


@each_version
async def test_one_at_a_time(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    """Also of two services: the next CALL goes out when the one before is answered (§4.1.1 of both specifications)."""
    station = await connect(version.subprotocol, answers=LATER | {"ClearCache": ACCEPTED})
    first = await ask(voltbus, known.id)
    second = (await voltbus.command(known.id, "ClearCache", {})).json()
    assert await station.asked.get() == (TRIGGER, HEARTBEAT)
    # A reply that was produced after the second command has come, so it has come to the gateway, too.
    await station.call("DataTransfer", {"vendorId": "com.example"})
    assert station.asked.empty()
    await station.answer_now(TRIGGER, ACCEPTED)
    assert await station.asked.get() == ("ClearCache", {})
    assert ended(await became(voltbus, first)) == ("answered", "answered")
    told = await voltbus.get("auth", f"/v1/commands/{second['command_id']}", wait="10")
    assert ended(told) == ("answered", "answered")


@each_version
async def test_many_at_once(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    """Each comes once, and each has its answer."""
    station = await connect(version.subprotocol, answers=ACCEPTS)
    told = await asyncio.gather(*(ask(voltbus, known.id, wait=20) for _ in range(30)))
    assert {ended(one) for one in told} == {("answered", "answered")}
    await station.call("Heartbeat", {})
    calls = [it["id"] for it in station.happened if it["event"] == "call"]
    assert sorted(calls) == sorted(one["command_id"] for one in told)


@each_version
async def test_more_than_may_wait_for_the_line(
    voltbus: System, known: Known, connect: Connect, version: Version
) -> None:
    await connect(version.subprotocol, answers=SILENT)
    held = 1 + Settings.model_fields["call_queue"].default
    await asyncio.gather(*(ask(voltbus, known.id) for _ in range(held)))
    told = await ask(voltbus, known.id, wait=10)
    assert ended(told) == ("undeliverable", "undelivered")
    assert told["error_description"] == "too many commands wait for this station"


@each_version
async def test_it_expires_behind_another(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    station = await connect(version.subprotocol, answers=LATER)
    first = await ask(voltbus, known.id)
    assert ended(await ask(voltbus, known.id, expires_in=0.5, wait=10)) == ("expired", "expired")
    await station.answer_now(TRIGGER, ACCEPTED)
    assert ended(await became(voltbus, first)) == ("answered", "answered")
    await works(voltbus, known, station)
    assert station.asked.qsize() == 2


@each_version
async def test_a_second_answer_changes_nothing(
    voltbus: System, known: Known, connect: Connect, version: Version
) -> None:
    station = await connect(version.subprotocol, answers=SILENT)
    asked = await ask(voltbus, known.id)
    about = await message_id(station)
    for answer in (ACCEPTED, {"status": "Rejected"}):
        await station.raw(json.dumps([3, about, answer]))
    await works(voltbus, known, station)
    assert (await became(voltbus, asked))["response"] == ACCEPTED


@each_version
async def test_the_same_idempotency_key(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    """It is the same command, and the station gets it once; another body under it is refused."""
    station = await connect(version.subprotocol, answers=ACCEPTS)
    key = f"key of {known.id}"
    at_once = await asyncio.gather(*(ask(voltbus, known.id, key=key, wait=10) for _ in range(5)))
    again = await ask(voltbus, known.id, key=key)
    assert all(told == again for told in at_once)
    assert ended(again) == ("answered", "answered")
    other = await voltbus.command(known.id, TRIGGER, {"requestedMessage": "BootNotification"}, key=key)
    assert other.status_code == 409
    elsewhere = await voltbus.command("CP-elsewhere", TRIGGER, HEARTBEAT, key=key)
    assert elsewhere.status_code == 409
    await station.call("Heartbeat", {})
    assert station.asked.qsize() == 1
