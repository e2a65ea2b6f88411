"""What a station may make of a command: each has an outcome of its own that REST and events show, in every version."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from ocpp.exceptions import NotSupportedError

from services.ocpp.versions import Version
from tests.clients import library
from tests.clients.events import enum_word
from tests.clients.rpc import Node
from tests.clients.system import System
from tests.conftest import Stack
from tests.e2e.conftest import Connect, Known, read_strictly
from tests.e2e.triggers import (
    ACCEPTED,
    ACCEPTS,
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
from voltbus.local.stack import Stack as Processes

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


@pytest.fixture(scope="module")
async def hasty(voltbus: System, stack: Stack) -> AsyncIterator[str]:
    """Another gateway of the same system, which waits two seconds for an answer: where stations connect."""
    env = voltbus.env | {"VOLTBUS_COMMAND_TIMEOUT": "2", "VOLTBUS_UNKNOWN_STATIONS": "accept"}
    async with Processes(stack.servers, ("gateway-2",), env=env, prepare=False) as processes:
        yield processes.station_url("", "gateway-2").removesuffix("/")


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
    assert (enum_word(last.body), last.body.error_code, last.body.error_description) == ("rejected", code, "as it is")


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


@each_version
async def test_a_callerror_with_what_no_database_can_hold(
    voltbus: System, known: Known, connect: Connect, version: Version
) -> None:
    station = await connect(version.subprotocol, answers=SILENT)
    asked = await ask(voltbus, known.id)
    await station.raw(json.dumps([4, await message_id(station), "x\0y", "\0" * 300, {}]))
    told = await became(voltbus, asked)
    assert (*ended(told), told["error_code"]) == ("rejected", "refused", "x\ufffdy")
    assert told["error_description"] == "\ufffd" * 255


@read_strictly
@each_version
@pytest.mark.parametrize(
    ("answer", "code", "about"),
    [
        ({"status": "Maybe"}, "PropertyConstraintViolation", "status: must be one of Accepted, Rejected"),
        ({"status": 7}, "TypeConstraintViolation", "status: must be a text"),
        ({}, "OccurrenceConstraintViolation", "status: is missing"),
        ([], "TypeConstraintViolation", "payload: must be an object"),
        (
            ACCEPTED | {"\0": 1},
            "FormatViolation",
            "\ufffd: is not known",
        ),
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
    assert (told["response"], told["error_code"]) == (answer, code)
    assert told["error_description"].startswith(about)  # versions have words of their own
    [*_, last] = await voltbus.life(known.id, asked["command_id"], "invalid")
    assert (last.body.error_code, json.loads(last.body.response)) == (code, answer)
    await works(voltbus, known, station)


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
    assert [(enum_word(step.body), enum_word(step.body, "outcome")) for step in steps] == [
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
