"""Whole charging sessions with ocpp-rpc in strict mode: what the charger says, REST shows and Kafka tells."""

import asyncio
from typing import Any

from tests.clients.events import enum_word
from tests.clients.sessions import Session
from tests.clients.system import System, eventually
from tests.e2e.conftest import Connect, Known

ACCEPTED = {"status": "Accepted"}
REMOTE = dict.fromkeys(
    ("RemoteStartTransaction", "RemoteStopTransaction", "RequestStartTransaction", "RequestStopTransaction"), ACCEPTED
)


async def test_a_session_from_boot_to_stop(voltbus: System, known: Known, session: Session, connect: Connect) -> None:
    station = await connect(session.protocol)
    assert (await station.call(*session.boot()))["status"] == "Accepted"
    await station.call(*session.status())
    authorized = await station.call(*session.authorize())
    assert (authorized.get("idTagInfo") or authorized["idTokenInfo"])["status"] == "Accepted"
    assert session.started(await station.call(*session.start(1000))) == "Accepted"
    for meter in (1500, 2250, 3100):
        await station.call(*session.meter(meter))
    await station.call(*session.stop(4200))

    transaction = await voltbus.transaction(known.id)
    assert (transaction["status"], transaction["energy_wh"]) == ("ended", 3200)
    assert str(transaction["transaction_id"]) == str(session.transaction_id)
    assert transaction["started_at"] < transaction["stopped_at"]
    energy = [reading["value"] for sample in await voltbus.samples(transaction) for reading in sample["readings"]]
    assert [wh for wh in energy if wh in (1500, 2250, 3100)] == [1500, 2250, 3100]
    # A StatusNotification is acknowledged as soon as Kafka has it.
    seen = await eventually(
        lambda: voltbus.get("firmware", f"/v1/stations/{known.id}"),
        lambda seen: session.connector_status in statuses(seen),
    )
    assert (seen["online"], seen["version"]) == (True, session.version)


def statuses(seen: dict[str, Any]) -> list[str]:
    """Of all connectors of a station."""
    return [connector["status"] for evse in seen["evses"] for connector in evse["connectors"]]


async def test_its_events_in_order_on_kafka(voltbus: System, known: Known, session: Session, connect: Connect) -> None:
    station = await connect(session.protocol)
    await station.call(*session.boot())
    await station.call(*session.authorize())
    session.started(await station.call(*session.start(0)))
    await station.call(*session.meter(700))
    await station.call(*session.stop(900))
    await voltbus.feed.event(known.id, "TransactionEnded")

    told = voltbus.feed.of(known.id, "TransactionStarted", "TransactionUpdated", "TransactionEnded")
    assert [event.kind for event in told] == ["TransactionStarted", "TransactionUpdated", "TransactionEnded"]
    assert len({event.id for event in told}) == 3
    for event in told:
        assert event.key == known.id
        assert event.headers["ce_specversion"] == "1.0"
        assert event.headers["ce_partitionkey"] == event.key
        assert event.headers["ce_source"] == "/voltbus/transactions"
        assert event.headers["ce_type"] == f"voltbus.v1.{event.kind}"
        assert event.headers["content-type"] == "application/protobuf"
    ended = told[-1].body.transaction
    assert (ended.station_id, ended.energy_wh, enum_word(ended)) == (known.id, 900, "ended")
    await voltbus.feed.event(known.id, "StationBooted")
    await voltbus.feed.event(known.id, "StationConnected")
    await voltbus.feed.event(known.id, "AuthorizationDecided")


async def test_started_and_stopped_by_an_operator(
    voltbus: System, known: Known, id_token: str, session: Session, connect: Connect
) -> None:
    station = await connect(session.protocol, answers=REMOTE)
    await station.call(*session.boot())
    body = {"id_token": id_token, "type": "ISO14443", "evse_id": 1}
    asked = await voltbus.ask("POST", "transactions", f"/v1/stations/{known.id}/start?wait=10", json=body)
    assert (asked.status_code, asked.json()["status"], asked.json()["response"]) == (200, "answered", ACCEPTED)
    called = (await station.until("call", lambda it: "Start" in it["action"]))["payload"]
    assert id_token in (called.get("idTag"), called.get("idToken", {}).get("idToken"))

    session.started(await station.call(*session.start(100)))
    transaction = await voltbus.transaction(known.id)
    path = f"/v1/stations/{known.id}/stop?wait=10"
    asked = await voltbus.ask("POST", "transactions", path, json={"transaction_id": transaction["transaction_id"]})
    assert (asked.status_code, asked.json()["status"]) == (200, "answered")
    called = (await station.until("call", lambda it: "Stop" in it["action"]))["payload"]
    assert called == {"transactionId": session.transaction_id}
    await station.call(*session.stop(600))
    assert (await voltbus.transaction(known.id))["energy_wh"] == 500
    command = await voltbus.get("transactions", f"/v1/commands/{asked.json()['command_id']}")
    assert command["status"] == "answered"


async def test_a_refusing_station_is_told_as_such(
    voltbus: System, known: Known, id_token: str, session: Session, connect: Connect
) -> None:
    station = await connect(session.protocol, answers={action: {"error": "InternalError"} for action in REMOTE})
    await station.call(*session.boot())
    body = {"id_token": id_token, "type": "ISO14443"}
    asked = await voltbus.ask("POST", "transactions", f"/v1/stations/{known.id}/start?wait=10", json=body)
    assert asked.json()["status"] == "rejected"


async def test_a_new_connection_takes_the_place_of_the_old(
    voltbus: System, known: Known, id_token: str, session: Session, connect: Connect
) -> None:
    old = await connect(session.protocol, answers=REMOTE)
    await old.call(*session.boot())
    new = await connect(session.protocol, answers=REMOTE)
    await old.until("disconnect")
    await new.call("Heartbeat", {})
    body = {"id_token": id_token, "type": "ISO14443"}
    asked = await voltbus.ask("POST", "transactions", f"/v1/stations/{known.id}/start?wait=10", json=body)
    assert asked.json()["status"] == "answered"
    await new.until("call", lambda it: "Start" in it["action"])
    assert not [it for it in old.happened if it["event"] == "call" and "Start" in it["action"]]


async def test_the_inventory_follows_a_station_that_goes(
    voltbus: System, known: Known, session: Session, connect: Connect
) -> None:
    station = await connect(session.protocol)
    await asyncio.gather(station.call(*session.boot()), station.call("Heartbeat", {}))
    await station.close()
    await voltbus.feed.event(known.id, "StationDisconnected")
    seen = await eventually(
        lambda: voltbus.get("firmware", f"/v1/stations/{known.id}"), lambda station: not station["online"]
    )
    assert seen["last_seen_at"]
