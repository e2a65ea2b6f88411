"""A whole charging session of 1.6 with em-ocpp-chargepoint-simulator, which an operator starts and stops."""

from typing import Any

from tests.clients.rpc import Node
from tests.clients.sessions import Session16
from tests.clients.system import System
from tests.e2e.conftest import Known

ACCEPTED = {"status": "Accepted"}
ANSWERS = dict.fromkeys(("RemoteStartTransaction", "RemoteStopTransaction"), ACCEPTED)


async def test_a_session_from_boot_to_stop(voltbus: System, known: Known, id_token: str, simulator: Node) -> None:
    session = Session16(id_token)
    station = await simulator.connect(voltbus.endpoint(), known.id, session.protocol, known.password, answers=ANSWERS)
    assert (await station.call(*session.boot()))["status"] == "Accepted"
    assert await station.call("Heartbeat", {})
    await station.call(*session.status())
    assert (await station.call(*session.authorize()))["idTagInfo"] == ACCEPTED

    asked = await order(voltbus, f"/v1/stations/{known.id}/start", {"id_token": id_token, "evse_id": 1})
    assert (asked["status"], asked["response"]) == ("answered", ACCEPTED)
    assert await station.asked.get() == ("RemoteStartTransaction", {"connectorId": 1, "idTag": id_token})
    assert session.started(await station.call(*session.start(1000))) == "Accepted"
    for meter in (1500, 2250):
        await station.call(*session.meter(meter))
    asked = await order(voltbus, f"/v1/stations/{known.id}/stop", {"transaction_id": str(session.transaction_id)})
    assert (asked["status"], asked["response"]) == ("answered", ACCEPTED)
    assert await station.asked.get() == ("RemoteStopTransaction", {"transactionId": session.transaction_id})
    await station.call(*session.stop(4200))
    await station.close()

    transaction = await voltbus.transaction(known.id)
    assert (transaction["status"], transaction["energy_wh"]) == ("ended", 3200)
    energy = [reading["value"] for sample in await voltbus.samples(transaction) for reading in sample["readings"]]
    assert [wh for wh in energy if wh in (1500, 2250)] == [1500, 2250]
    await voltbus.feed.event(known.id, "TransactionEnded")
    await voltbus.feed.event(known.id, "StationDisconnected")


async def order(voltbus: System, path: str, body: dict[str, Any]) -> Any:
    """What becomes of a command within ten seconds."""
    response = await voltbus.ask("POST", "transactions", f"{path}?wait=10", json=body)
    response.raise_for_status()
    return response.json()
