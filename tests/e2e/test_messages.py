"""Every message a station may send, once, with everything in it: answered legally, and told to the world."""

import json
from typing import Any

import pytest

from services.ocpp.versions import VERSIONS, Version
from tests.clients.rpc import KNOWN
from tests.clients.system import System
from tests.contract import examples
from tests.e2e.conftest import Connect, Known

# What these say is decided upon, so that it leaves as an event of its own.
DECIDED = {
    "Authorize": "AuthorizationDecided",
    "BootNotification": "StationBooted",
    "StatusNotification": "ConnectorStatusChanged",
    "StartTransaction": "TransactionStarted",
    "StopTransaction": "OrphanStopRecorded",
    "MeterValues": "MeterValuesRecorded",
    "TransactionEvent": "TransactionEnded",
    "Heartbeat": "StationConnected",
}
ACTIONS = [(VERSIONS[name], action) for name in KNOWN for action in sorted(VERSIONS[name].from_station)]


@pytest.mark.parametrize(("version", "action"), ACTIONS, ids=[f"{v.name}-{a}" for v, a in ACTIONS])
async def test_a_message(voltbus: System, known: Known, connect: Connect, version: Version, action: str) -> None:
    payload = examples.full(version.schemas.request_document(action))
    station = await connect(version.subprotocol)
    reply = await station.call(action, payload)
    version.schemas.check_response(action, reply)
    kind = DECIDED.get(action, "MessageRecorded")
    event = await voltbus.feed.event(known.id, kind)
    if kind == "MessageRecorded":
        assert (event.body.action, event.body.version) == (action, version.name)
        assert json.loads(event.body.payload) == payload
        await is_kept(voltbus, known.id, action, payload, event.headers["ce_source"])


async def is_kept(voltbus: System, station_id: str, action: str, payload: Any, source: str) -> None:
    """Its owner shows it word for word."""
    owner = source.rpartition("/")[2]
    kept = await voltbus.get(owner, f"/v1/stations/{station_id}/messages", action=action)
    assert [message["payload"] for message in kept["items"]] == [payload]
