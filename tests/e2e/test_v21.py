"""OCPP 2.1 in raw frames: every message, what is sent, answers that are refused, a session that is resumed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import websockets

from services.ocpp.versions import VERSIONS
from tests.clients.library import dial
from tests.clients.system import System
from tests.contract import examples
from tests.e2e.conftest import Known
from tests.patience import GIVE_UP

VERSION = VERSIONS["2.1"]
SENT = "NotifyPeriodicEventStream"
VALUES = {"id": 1, "pending": 0, "basetime": "2026-03-01T12:00:00Z", "data": [{"t": 0, "v": "230.4"}]}


class Line:
    """Raw frames: the package ocpp has neither SEND nor CALLRESULTERROR."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection
        self.count = 0

    async def send(self, *frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def receive(self) -> Any:
        return json.loads(await self.connection.recv())

    async def call(self, action: str, payload: Any) -> Any:
        self.count += 1
        await self.send(2, f"c{self.count}", action, payload)
        while (answer := await self.receive())[0] == 2:
            # What the CSMS asks of a station that has just booted.
            await self.send(4, answer[1], "NotSupported", "", {})
        assert answer[:2] == [3, f"c{self.count}"], (action, answer)
        reply = answer[2]
        VERSION.schemas.check_response(action, reply)
        return reply


@pytest.fixture
async def line(voltbus: System, known: Known) -> AsyncIterator[Line]:
    """Offers all versions that there are, 2.1 first."""
    offered = (VERSION.subprotocol, "ocpp2.0.1", "ocpp1.6")
    async with dial(voltbus.endpoint(), known.id, *offered, password=known.password) as connection:
        assert connection.subprotocol == VERSION.subprotocol
        yield Line(connection)


async def test_every_message_is_answered_and_kept_by_its_owner(voltbus: System, known: Known, line: Line) -> None:
    kept = {}
    for action, owner in sorted(VERSION.from_station.items()):
        payload = examples.full(VERSION.schemas.request_document(action))
        if action == SENT:
            await line.send(6, "s1", action, payload)
        else:
            await line.call(action, payload)
        if action not in FOLDED:
            kept[action] = owner, payload
    told = await voltbus.feed.until(lambda: all_of(voltbus.feed.of(known.id, "MessageRecorded"), len(kept)))
    bodies = {event.body.action: event.body for event in told}
    for action, (owner, payload) in kept.items():
        assert (bodies[action].version, json.loads(bodies[action].payload)) == (VERSION.name, payload)
        page = await voltbus.get(owner, f"/v1/stations/{known.id}/messages", action=action)
        assert [message["payload"] for message in page["items"]] == [payload]


# What lives on in states, and in events of its own.
FOLDED = ("Authorize", "BootNotification", "Heartbeat", "MeterValues", "StatusNotification", "TransactionEvent")


async def test_what_is_sent_is_kept_and_never_answered(voltbus: System, known: Known, line: Line) -> None:
    """N15.FR.02; what cannot be used stands in the station's log."""
    await line.send(6, "s1", SENT, VALUES)
    await line.send(6, "s2", SENT, 7)
    await line.send(6, "s3", "Heartbeat", {})
    await line.call("Heartbeat", {})
    event = await voltbus.feed.event(known.id, "MessageRecorded")
    assert (event.body.action, json.loads(event.body.payload)) == (SENT, VALUES)
    log = await logged(voltbus, known, lambda entry: entry["kind"] == "refused", 2)
    assert {(entry["message_id"], entry["error_code"]) for entry in log} == {
        ("s2", "FormatViolation"),
        ("s3", "NotSupported"),
    }


async def test_an_answer_that_one_side_cannot_use(voltbus: System, known: Known, line: Line) -> None:
    """Part 4 §4.2.3: both ways."""
    await line.send(2, "h", "Heartbeat", {})
    await line.receive()
    await line.send(5, "h", "FormatViolation", "the time is not one", {})
    [entry] = await logged(voltbus, known, lambda entry: entry.get("outcome") == "result_refused", 1)
    assert (entry["kind"], entry["message_id"]) == ("dropped", "h")
    asked = await voltbus.command(known.id, "Reset", {"type": "OnIdle"})
    _, message_id, *_ = await line.receive()
    await line.send(3, message_id, {"statusInfo": {}})
    kind, about, code, *_ = await line.receive()
    assert (kind, about, code) == (5, message_id, "OccurrenceConstraintViolation")
    became = await voltbus.get("firmware", f"/v1/commands/{asked.json()['command_id']}", wait="10")
    assert became["outcome"] == "invalid"


async def test_a_session_goes_on_after_a_boot(voltbus: System, known: Known, line: Line) -> None:
    """B13, E17.FR.14: the same transaction, with what 2.1 says of it."""

    def event(kind: str, trigger: str, number: int, **info: Any) -> Any:
        return {
            "eventType": kind,
            "timestamp": f"2026-03-01T12:0{number}:00Z",
            "triggerReason": trigger,
            "seqNo": number,
            "transactionInfo": {"transactionId": f"tx-{known.id}", **info},
        }

    boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
    await line.call("BootNotification", boot)
    token = {"idToken": "E" * 255, "type": "EVCCID"}
    begun = event("Started", "Authorized", 0, tariffId="T-1") | {"evse": {"id": 1}, "idToken": token}
    assert (await line.call("TransactionEvent", begun))["idTokenInfo"]["status"] == "Unknown"
    await line.call("BootNotification", boot | {"reason": "ScheduledReset"})
    limit = {"maxCost": 20}
    await line.call("TransactionEvent", event("Updated", "TxResumed", 1, transactionLimit=limit))
    await line.call("TransactionEvent", event("Ended", "EVDeparted", 2, stoppedReason="Local"))
    page = await voltbus.get("transactions", "/v1/transactions", station_id=known.id)
    [shown] = page["items"]
    assert (shown["transaction_id"], shown["complete"], shown["id_token"]) == (f"tx-{known.id}", True, "E" * 255)
    assert shown["details"] == {"tariff_id": "T-1", "transaction_limit": limit}


def all_of(found: list[Any], count: int) -> list[Any]:
    return found if len(found) >= count else []


async def logged(voltbus: System, known: Known, wanted: Callable[[Any], bool], count: int) -> list[Any]:
    """So many entries of the station's log, which is written by and by."""
    found: list[Any] = []
    async with asyncio.timeout(GIVE_UP):
        while len(found) < count:
            page = await voltbus.get("firmware", f"/v1/stations/{known.id}/log")
            found = [entry for entry in page["items"] if wanted(entry)]
    return found
