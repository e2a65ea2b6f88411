"""What can become of a command: each has an outcome of its own that REST and events show, in every version."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from ocpp.exceptions import NotSupportedError

from services.local.stack import Stack as Processes
from services.ocpp.commands import OWNERS
from services.ocpp.versions import VERSIONS, Version
from tests.clients import library
from tests.clients.rpc import Node, Station
from tests.clients.system import System, bearer
from tests.conftest import Stack
from tests.e2e.conftest import Connect, Known

each_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
# A command that all versions write alike.
TRIGGER, HEARTBEAT = "TriggerMessage", {"requestedMessage": "Heartbeat"}
ACCEPTED = {"status": "Accepted"}
ACCEPTS, SILENT, LATER = ({TRIGGER: answer} for answer in (ACCEPTED, {"silence": True}, {"later": True}))
# As a station of the version writes it (OCPP-J 1.6 §4.2.3, 2.0.1 part 4 §4.3), and as it is called here.
CODES = {
    "1.6": {
        "NotImplemented": "NotImplemented",
        "NotSupported": "NotSupported",
        "InternalError": "InternalError",
        "ProtocolError": "ProtocolError",
        "SecurityError": "SecurityError",
        "FormationViolation": "FormatViolation",
        "PropertyConstraintViolation": "PropertyConstraintViolation",
        "OccurenceConstraintViolation": "OccurrenceConstraintViolation",
        "TypeConstraintViolation": "TypeConstraintViolation",
        "GenericError": "GenericError",
    },
    "2.0.1": {
        "FormatViolation": "FormatViolation",
        "GenericError": "GenericError",
        "InternalError": "InternalError",
        "MessageTypeNotSupported": "MessageTypeNotSupported",
        "NotImplemented": "NotImplemented",
        "NotSupported": "NotSupported",
        "OccurrenceConstraintViolation": "OccurrenceConstraintViolation",
        "PropertyConstraintViolation": "PropertyConstraintViolation",
        "ProtocolError": "ProtocolError",
        "RpcFrameworkError": "RpcFrameworkError",
        "SecurityError": "SecurityError",
        "TypeConstraintViolation": "TypeConstraintViolation",
    },
}
OWN_CODE = {"ItRains": "ItRains"}


async def ask(voltbus: System, station_id: str, **query: Any) -> Any:
    """Asks for the command; what REST says."""
    response = await voltbus.command(station_id, TRIGGER, HEARTBEAT, **query)
    response.raise_for_status()
    return response.json()


async def became(voltbus: System, asked: Any) -> Any:
    """A command when it has ended."""
    return await voltbus.get("firmware", f"/v1/commands/{asked['command_id']}", wait="10")


async def message_id(station: Station) -> str:
    """Of the CALL that the station gets next."""
    await station.asked.get()
    calls = [it["id"] for it in station.happened if it["event"] == "call"]
    return str(calls[-1])


def ended(told: Any) -> tuple[str, str]:
    return told["status"], told["outcome"]


async def works(voltbus: System, known: Known, station: Station) -> None:
    """The station is asked, and answers."""
    await station.prepare(TRIGGER, ACCEPTED)
    assert ended(await ask(voltbus, known.id, wait=10)) == ("answered", "answered")


@pytest.fixture(scope="module")
async def hasty(voltbus: System, stack: Stack) -> AsyncIterator[str]:
    """Another gateway of the same system, which waits a second for an answer: where stations connect."""
    env = voltbus.env | {"VOLTBUS_COMMAND_TIMEOUT": "1", "VOLTBUS_UNKNOWN_STATIONS": "accept"}
    async with Processes(stack.servers, ("gateway-2",), env=env, prepare=False) as processes:
        yield processes.station_url("", "gateway-2").removesuffix("/")


# A CALLERROR.


@each_version
async def test_each_code_of_a_callerror(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    """Also one that no specification knows, which stays as it is."""
    station = await connect(version.subprotocol, answers=SILENT)
    for written, code in (CODES[version.name] | OWN_CODE).items():
        asked = await ask(voltbus, known.id)
        await station.raw(json.dumps([4, await message_id(station), written, "as it is", {"more": 1}]))
        told = await became(voltbus, asked)
        assert ended(told) == ("rejected", "refused")
        assert (told["error_code"], told["error_description"], told["response"]) == (code, "as it is", None)
    [*_, last] = await voltbus.life(known.id, told["command_id"], "refused")
    assert (last.body.status, last.body.error_code, last.body.error_description) == ("rejected", code, "as it is")


@each_version
async def test_a_callerror_of_ocpp_rpc(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    await connect(version.subprotocol, answers={TRIGGER: {"error": "SecurityError"}})
    told = await ask(voltbus, known.id, wait=10)
    assert (*ended(told), told["error_code"]) == ("rejected", "refused", "SecurityError")


@each_version
async def test_a_callerror_of_the_library(voltbus: System, known: Known, version: Version) -> None:
    kind = library.STATIONS[version.name]
    async with library.station(kind, voltbus.endpoint(), known.id, known.password) as station:
        await station.prepare(TRIGGER, NotSupportedError("not today"))
        told = await ask(voltbus, known.id, wait=10)
    assert (*ended(told), told["error_code"]) == ("rejected", "refused", "NotSupported")
    assert told["error_description"] == "not today"


# An answer that breaks its schema.


@each_version
@pytest.mark.parametrize(
    ("answer", "code", "about"),
    [
        ({"status": "Maybe"}, "PropertyConstraintViolation", "status: breaks enum of its schema"),
        ({"status": 7}, "TypeConstraintViolation", "status: breaks type of its schema"),
        ({}, "OccurrenceConstraintViolation", 'payload: "status" is a required property'),
        ([], "TypeConstraintViolation", "payload: breaks type of its schema"),
    ],
)
async def test_an_answer_that_breaks_its_schema(
    voltbus: System, known: Known, connect: Connect, version: Version, answer: Any, code: str, about: str
) -> None:
    """What the station said is shown, and what is wrong with it; the station can be asked again."""
    station = await connect(version.subprotocol, answers=SILENT)
    asked = await ask(voltbus, known.id)
    await station.raw(json.dumps([3, await message_id(station), answer]))
    told = await became(voltbus, asked)
    assert ended(told) == ("rejected", "invalid")
    assert (told["response"], told["error_code"], told["error_description"]) == (answer, code, about)
    [*_, last] = await voltbus.life(known.id, asked["command_id"], "invalid")
    assert (last.body.error_code, json.loads(last.body.response)) == (code, answer)
    await works(voltbus, known, station)


# No answer in time.


@each_version
async def test_no_answer(voltbus: System, known: Known, connect: Connect, hasty: str, version: Version) -> None:
    station = await connect(version.subprotocol, hasty, answers=SILENT)
    told = await ask(voltbus, known.id, wait=10)
    assert (*ended(told), told["error_code"], told["response"]) == ("expired", "timed_out", "TimedOut", None)
    await works(voltbus, known, station)


async def test_what_the_simulator_has_no_answer_for(voltbus: System, known: Known, simulator: Node, hasty: str) -> None:
    station = await simulator.connect(hasty, known.id, "ocpp1.6", known.password)
    told = (await voltbus.command(known.id, "ClearCache", {}, wait=10)).json()
    assert ended(told) == ("expired", "timed_out")
    await station.close()


@each_version
async def test_an_answer_that_comes_late(
    voltbus: System, known: Known, connect: Connect, hasty: str, version: Version
) -> None:
    """It is shown; the command stays expired, for whoever gave it may have given it again."""
    station = await connect(version.subprotocol, hasty, answers=LATER)
    told = await ask(voltbus, known.id, wait=10)
    assert ended(told) == ("expired", "timed_out")
    await works(voltbus, known, station)
    await station.answer_now(TRIGGER, ACCEPTED)
    steps = await voltbus.life(known.id, told["command_id"], "late")
    assert [(step.body.status, step.body.outcome) for step in steps] == [
        ("accepted", ""),
        ("sent", ""),
        ("expired", "timed_out"),
        ("expired", "late"),
    ]
    assert json.loads(steps[-1].body.response) == ACCEPTED
    told = await became(voltbus, told)
    assert (*ended(told), told["response"], told["error_code"]) == ("expired", "late", ACCEPTED, None)


@each_version
async def test_a_callerror_that_comes_late(
    voltbus: System, known: Known, connect: Connect, hasty: str, version: Version
) -> None:
    station = await connect(version.subprotocol, hasty, answers=SILENT)
    told = await ask(voltbus, known.id, wait=10)
    await station.raw(json.dumps([4, await message_id(station), "NotSupported", "after all", {}]))
    await voltbus.life(known.id, told["command_id"], "late")
    told = await became(voltbus, told)
    assert (*ended(told), told["error_code"], told["error_description"]) == (
        "expired",
        "late",
        "NotSupported",
        "after all",
    )


@each_version
async def test_the_connection_is_lost_while_it_waits(
    voltbus: System, known: Known, connect: Connect, version: Version
) -> None:
    """One was on the wire, another had not left: of the first nobody knows whether it was done."""
    station = await connect(version.subprotocol, answers=SILENT)
    first = await ask(voltbus, known.id)
    await station.asked.get()
    second = await ask(voltbus, known.id)
    # It has come to the gateway when a reply that was produced after it has.
    await station.call("DataTransfer", {"vendorId": "com.example"})
    await station.close()
    told = await became(voltbus, first)
    assert (*ended(told), told["error_description"]) == ("expired", "timed_out", "disconnected")
    told = await became(voltbus, second)
    assert ended(told) == ("undeliverable", "undelivered")
    station = await connect(version.subprotocol, answers=ACCEPTS)
    await works(voltbus, known, station)
    assert station.asked.qsize() == 1


# A station that is away.


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
    assert [(step.body.status, step.body.outcome) for step in steps] == [("accepted", ""), ("expired", "expired")]
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
    assert [step.body.status for step in steps] == ["accepted", "cancelled"]
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


# Commands that are not taken at all.


@each_version
@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"requestedMessage": "MakeCoffee"}, "body.requestedMessage"),
        ({}, "body.requestedMessage"),
        (HEARTBEAT | {"noSuchProperty": 1}, "body"),
        ([], "body"),
    ],
)
async def test_a_payload_that_breaks_the_schema_of_the_stations_version(
    voltbus: System, known: Known, connect: Connect, version: Version, payload: Any, field: str
) -> None:
    """Nothing is kept, and nothing is sent."""
    station = await connect(version.subprotocol)
    refused = await voltbus.command(known.id, TRIGGER, payload)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    await works(voltbus, known, station)
    assert station.asked.qsize() == 1
    given = await voltbus.get("firmware", "/v1/commands", station_id=known.id)
    assert [ended(command) for command in given["items"]] == [("answered", "answered")]


@each_version
async def test_an_action_of_the_other_version(
    voltbus: System, known: Known, connect: Connect, version: Version
) -> None:
    await connect(version.subprotocol)
    [other] = [name for name in OWNERS if name != version.name]
    for action in sorted(OWNERS[other].keys() - OWNERS[version.name].keys()):
        refused = await voltbus.command(known.id, action, {})
        assert (refused.status_code, refused.json()["detail"]) == (409, f"OCPP {version.name} has no {action}")


async def test_an_action_that_nobody_knows(voltbus: System, known: Known) -> None:
    refused = await voltbus.command(known.id, "MakeCoffee", {}, owner="firmware")
    assert (refused.status_code, refused.json()["detail"]) == (404, "there is no action MakeCoffee")


async def test_an_action_of_another_service(voltbus: System, known: Known) -> None:
    """Each service knows who owns it."""
    owners = {action: owner for table in OWNERS.values() for action, owner in table.items()}
    for action, owner in owners.items():
        for other in {*owners.values()} - {owner}:
            refused = await voltbus.command(known.id, action, {}, owner=other)
            assert refused.status_code == 404
            assert f"{action} belongs to {owner}" in refused.json()["detail"]


async def test_who_may_not(voltbus: System, known: Known) -> None:
    """No token; a token that may only read; one that may write elsewhere."""
    path = f"/v1/stations/{known.id}/commands/{TRIGGER}"
    for scope, status in ((None, 401), ("firmware:read auth:write", 403), ("", 403)):
        headers = {"Authorization": bearer(voltbus.env, scope) if scope is not None else ""}
        refused = await voltbus.ask("POST", "firmware", path, json=HEARTBEAT, headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert not (await voltbus.get("firmware", "/v1/commands", station_id=known.id))["items"]


# The same command again.


@each_version
async def test_the_same_idempotency_key(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    """It is the same command, and the station gets it once; another body under it is refused."""
    station = await connect(version.subprotocol, answers=ACCEPTS)
    key = f"key of {known.id}"
    first, again = [await ask(voltbus, known.id, key=key, wait=10) for _ in range(2)]
    assert first == again
    other = await voltbus.command(known.id, TRIGGER, {"requestedMessage": "BootNotification"}, key=key)
    assert other.status_code == 409
    elsewhere = await voltbus.command("CP-elsewhere", TRIGGER, HEARTBEAT, key=key)
    assert elsewhere.status_code == 409
    await station.call("Heartbeat", {})
    assert station.asked.qsize() == 1
