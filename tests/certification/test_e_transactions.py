"""E, transactions: how they start, go on and stop, and what is asked about them."""

from collections.abc import Mapping
from typing import Any

from tests.certification import seen
from tests.certification.operator import Operator, is_ended
from tests.certification.states import ACCEPTED, Session, booted, connectors
from tests.certification.station import Station, now

SIGNED = {
    "signedMeterData": "c2lnbmVk",
    "signingMethod": "ECDSA-secp256r1-SHA256",
    "encodingMethod": "OCMF",
    "publicKey": "a2V5",
}


async def test_tc_e_01(station: Station, session: Session, operator: Operator) -> None:
    """A transaction starts when the power path is closed (E01.FR.05)."""
    await booted(station)
    await session.token_accepted()
    await connectors(station, "Occupied", session.evse_id)
    answer = await started_with_token(session, "ChargingStateChanged", "SuspendedEVSE")
    assert answer["idTokenInfo"]["status"] == "Accepted"
    shown = await seen.active(operator, session, "SuspendedEVSE")
    assert (shown["evse_id"], shown["connector_id"], shown["id_token"]) == (1, 1, session.token.id)
    await session.event("Updated", "ChargingStateChanged", "Charging")
    await seen.active(operator, session, "Charging")


async def test_tc_e_02(station: Station, session: Session, operator: Operator) -> None:
    """A transaction starts when energy begins to flow (E01.FR.06)."""
    await booted(station)
    await session.token_accepted()
    await connectors(station, "Occupied", session.evse_id)
    answer = await started_with_token(session, "ChargingStateChanged", "Charging")
    assert answer["idTokenInfo"]["status"] == "Accepted"
    shown = await seen.active(operator, session, "Charging")
    assert (shown["evse_id"], shown["id_token"], shown["authorization"]) == (1, session.token.id, "Accepted")


async def test_tc_e_03(station: Station, session: Session, operator: Operator) -> None:
    """The driver plugs in first, and authorizes then (E02.FR.02)."""
    await booted(station)
    await session.ev_connected_pre_session()
    await session.authorize()
    await session.energy_transfer_started()
    shown = await seen.active(operator, session, "Charging")
    assert (shown["evse_id"], shown["id_token"], shown["authorization"]) == (1, session.token.id, "Accepted")


async def test_tc_e_04(station: Station, session: Session, operator: Operator) -> None:
    """The driver authorizes first, and plugs in then (E03.FR.02)."""
    await booted(station)
    await session.authorize()
    await session.energy_transfer_started()
    shown = await seen.active(operator, session, "Charging")
    assert (shown["evse_id"], shown["id_token"], shown["authorization"]) == (1, session.token.id, "Accepted")


async def test_tc_e_07(station: Station, session: Session, operator: Operator) -> None:
    """The driver stops at the station, and the transaction ends as the power path opens (E06.FR.06)."""
    await booted(station)
    await session.energy_transfer_started()
    await session.event("Ended", "StopAuthorized", info={"stoppedReason": "Local"})
    await seen.ended(operator, session, "Local")


async def test_tc_e_08(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends when energy flows no more, after the driver has stopped it (E06.FR.07)."""
    await booted(station)
    await session.stop_authorized()
    await session.event("Ended", "ChargingStateChanged", "EVConnected", {"stoppedReason": "Local"})
    shown = await seen.ended(operator, session, "Local")
    assert (shown["charging_state"], shown["stop_id_token"]) == ("EVConnected", session.token.id)


async def test_tc_e_09(station: Station, session: Session, operator: Operator) -> None:
    """A transaction starts when the cable is plugged in, before anybody has authorized (E01.FR.02)."""
    await booted(station)
    await connectors(station, "Occupied", session.evse_id)
    answer = await session.event("Started", "CablePluggedIn", "EVConnected", evse=session.evse)
    assert "idTokenInfo" not in answer
    shown = await seen.active(operator, session, "EVConnected")
    assert (shown["evse_id"], shown["connector_id"], shown["id_token"]) == (1, 1, None)
    await operator.connector(station.id, "Occupied")


async def test_tc_e_10(station: Station, session: Session, operator: Operator) -> None:
    """A transaction starts when the driver has authorized (E01.FR.03)."""
    await booted(station)
    await session.token_accepted()
    answer = await session.event("Started", "Authorized", idToken=session.token.payload)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    shown = await seen.active(operator, session, None)
    assert (shown["evse_id"], shown["id_token"], shown["authorization"]) == (None, session.token.id, "Accepted")


async def test_tc_e_11(station: Station, session: Session, operator: Operator) -> None:
    """A transaction starts with signed meter values, which are kept as they were signed (E01.FR.04)."""
    await booted(station)
    await session.token_accepted()
    await connectors(station, "Occupied", session.evse_id)
    values = meter_value(0.0, context="Transaction.Begin", signedMeterValue=SIGNED)
    answer = await started_with_token(session, "SignedDataReceived", meterValue=values)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await session.event("Updated", "ChargingStateChanged", "Charging")
    shown = await seen.active(operator, session, "Charging")
    assert (shown["meter_start_wh"], shown["id_token"]) == (0.0, session.token.id)
    page = await operator.get("transactions", f"/v1/transactions/{shown['id']}/samples")
    [[reading]] = [sample["readings"] for sample in page["items"]]
    assert (reading["value"], reading["context"], reading["signed"]) == (0.0, "Transaction.Begin", SIGNED)


async def test_tc_e_12(station: Station, session: Session, operator: Operator) -> None:
    """A transaction starts when a car stands in the parking bay (E01.FR.01)."""
    await booted(station)
    answer = await session.event("Started", "EVDetected")
    assert "idTokenInfo" not in answer
    shown = await seen.active(operator, session, None)
    assert (shown["evse_id"], shown["id_token"]) == (None, None)


async def test_tc_e_14(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends when the cable is taken out of the station (E06.FR.02)."""
    await booted(station)
    await session.ev_connected_post_session()
    await session.ev_disconnected()
    shown = await seen.ended(operator, session, "EVDisconnected")
    assert (shown["charging_state"], shown["stop_id_token"]) == ("Idle", session.token.id)
    await operator.connector(station.id, "Available")


async def test_tc_e_15(station: Station, session: Session, operator: Operator) -> None:
    """The driver stops the transaction at the station (E06.FR.03)."""
    await booted(station)
    await session.energy_transfer_started()
    await session.event("Ended", "StopAuthorized", info={"stoppedReason": "Local"}, idToken=session.token.payload)
    shown = await seen.ended(operator, session, "Local")
    assert (shown["id_token"], shown["stop_id_token"]) == (session.token.id, session.token.id)


async def test_tc_e_16(station: Station, session: Session, operator: Operator) -> None:
    """A transaction of an idToken that is not valid is ended by the station (E06.FR.04, E01.FR.11, FR.12)."""
    await booted(station)
    nobodys = {"idToken": f"{session.token.id}-INVALID", "type": "ISO14443"}
    answer = await session.event("Started", "Authorized", idToken=nobodys)
    assert answer["idTokenInfo"]["status"] in ("Invalid", "Unknown")
    await session.event("Ended", "Deauthorized", info={"stoppedReason": "DeAuthorized"})
    shown = await seen.ended(operator, session, "DeAuthorized")
    assert (shown["id_token"], shown["authorization"]) == (nobodys["idToken"], answer["idTokenInfo"]["status"])
    page = await operator.get("transactions", "/v1/decisions", station_id=station.id)
    assert [(one["rule"], one["transaction_id"]) for one in page["items"]] == [("unknown_token", shown["id"])]


async def test_tc_e_17(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends when the cable is taken out of the car, which had suspended it (E06.FR.04)."""
    await booted(station)
    await session.energy_transfer_suspended()
    await session.event("Ended", "EVCommunicationLost", "Idle", {"stoppedReason": "EVDisconnected"})
    shown = await seen.ended(operator, session, "EVDisconnected")
    assert (shown["charging_state"], shown["stop_id_token"]) == ("Idle", None)


async def test_tc_e_19(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends when the car leaves the parking bay; the station had told its end before (E06.FR.01)."""
    await booted(station)
    await session.ev_disconnected()
    await seen.ended(operator, session, "EVDisconnected")
    await session.event("Ended", "EVDeparted", info={"stoppedReason": "Local"})
    # Both events say Ended, and the later one counts: others, who had heard of the end, hear of the change.
    shown = await operator.transaction(session.transaction_id, lambda shown: shown["revision"] == 2, of=station.id)
    assert (shown["stop_reason"], shown["complete"], shown["missing_seq_nos"]) == ("Local", True, [])
    revised = await operator.event(station.id, "TransactionRevised")
    assert (revised.transaction.transaction_id, revised.transaction.stop_reason) == (session.transaction_id, "Local")


async def test_tc_e_20(station: Station, session: Session, operator: Operator) -> None:
    """A transaction that the car had suspended ends when the cable is taken out of the car (E06.FR.02)."""
    await booted(station)
    await session.energy_transfer_suspended()
    await session.ev_disconnected()
    shown = await seen.ended(operator, session, "EVDisconnected")
    assert (shown["charging_state"], shown["id_token"]) == ("Idle", session.token.id)
    await operator.connector(station.id, "Available")


async def test_tc_e_21(station: Station, session: Session, operator: Operator) -> None:
    """A transaction is stopped remotely (E06.FR.03, F03.FR.01, FR.09, FR.10)."""
    await booted(station)
    await session.energy_transfer_started()
    await seen.active(operator, session, "Charging")
    command = await operator.stop(station.id, session.transaction_id)
    asked = await station.expects("RequestStopTransaction", ACCEPTED)
    assert asked == {"transactionId": session.transaction_id}
    await command.answered("accepted")
    await session.event("Ended", "RemoteStop", info={"stoppedReason": "Remote"})
    await seen.ended(operator, session, "Remote")


async def test_tc_e_22(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends when the car takes no more energy (E06.FR.07)."""
    await booted(station)
    await session.energy_transfer_started()
    await session.event("Ended", "ChargingStateChanged", "SuspendedEV", {"stoppedReason": "StoppedByEV"})
    shown = await seen.ended(operator, session, "StoppedByEV")
    assert shown["charging_state"] == "SuspendedEV"


async def test_tc_e_26(station: Station, session: Session, operator: Operator) -> None:
    """A transaction goes on while its cable is out of the car, and charges again when it is back (E10.FR.01)."""
    await booted(station)
    await session.energy_transfer_suspended()
    await session.event("Updated", "EVCommunicationLost", "Idle")
    await connectors(station, "Available", session.evse_id)
    await operator.connector(station.id, "Available")
    await seen.active(operator, session, "Idle")
    await session.event("Updated", "CablePluggedIn", "EVConnected")
    await session.event("Updated", "ChargingStateChanged", "Charging")
    shown = await seen.active(operator, session, "Charging")
    assert (shown["missing_seq_nos"], shown["id_token"]) == ([], session.token.id)


async def test_tc_e_29(station: Station, session: Session, operator: Operator) -> None:
    """A transaction goes on, and messages of it are still to come (E14.FR.02, FR.04)."""
    await booted(station)
    await session.energy_transfer_started()
    await seen.active(operator, session, "Charging")
    await away_for_a_while(station, operator)
    status = {"ongoingIndicator": True, "messagesInQueue": True}
    assert await transaction_status(station, operator, status, session.transaction_id) == status
    await session.event("Updated", "MeterValuePeriodic", meterValue=meter_value(1500.0), offline=True)
    shown = await operator.transaction(session.transaction_id, lambda shown: shown["offline"], of=station.id)
    assert (shown["status"], shown["missing_seq_nos"]) == ("active", [])
    page = await operator.get("transactions", f"/v1/transactions/{shown['id']}/samples")
    assert [sample["readings"][0]["value"] for sample in page["items"]] == [1500.0]


async def test_tc_e_30(station: Station, session: Session, operator: Operator) -> None:
    """A transaction goes on, and all messages of it have come (E14.FR.02, FR.05)."""
    await booted(station)
    await session.energy_transfer_started()
    status = {"ongoingIndicator": True, "messagesInQueue": False}
    assert await transaction_status(station, operator, status, session.transaction_id) == status
    await seen.active(operator, session, "Charging")


async def test_tc_e_31(station: Station, session: Session, operator: Operator) -> None:
    """A transaction has ended, and messages of it come after its end (E14.FR.03, FR.04)."""
    await booted(station)
    await session.energy_transfer_started()
    await seen.active(operator, session, "Charging")
    await away_for_a_while(station, operator)
    free = {"evseId": session.evse_id, "connectorId": 1, "connectorStatus": "Available", "timestamp": now()}
    await station.call("StatusNotification", free)
    skipped = session.seq_no
    session.seq_no += 2
    await session.event("Ended", "EVCommunicationLost", "Idle", offline=True)
    shown = await operator.transaction(session.transaction_id, is_ended, of=station.id)
    assert (shown["complete"], shown["missing_seq_nos"]) == (False, [skipped, skipped + 1])
    status = {"ongoingIndicator": False, "messagesInQueue": True}
    assert await transaction_status(station, operator, status, session.transaction_id) == status
    session.seq_no = skipped
    await session.event("Updated", "StopAuthorized", offline=True)
    await session.event("Updated", "ChargingStateChanged", "EVConnected", offline=True)
    shown = await operator.transaction(session.transaction_id, lambda shown: shown["complete"], of=station.id)
    assert (shown["status"], shown["charging_state"], shown["missing_seq_nos"]) == ("ended", "Idle", [])
    await operator.event(station.id, "TransactionRevised", lambda told: told.transaction.complete)


async def test_tc_e_33(station: Station, session: Session, operator: Operator) -> None:
    """Of no transaction in particular: messages are still to come (E14.FR.06, FR.07)."""
    await booted(station)
    await session.energy_transfer_started()
    await seen.active(operator, session, "Charging")
    await away_for_a_while(station, operator)
    assert await transaction_status(station, operator, {"messagesInQueue": True}) == {"messagesInQueue": True}
    await session.event("Updated", "MeterValuePeriodic", meterValue=meter_value(1500.0), offline=True)
    shown = await operator.transaction(session.transaction_id, lambda shown: shown["offline"], of=station.id)
    assert (shown["status"], shown["missing_seq_nos"]) == ("active", [])


async def test_tc_e_34(station: Station, operator: Operator) -> None:
    """Of no transaction in particular: all messages have come (E14.FR.06, FR.08)."""
    await booted(station)
    assert await transaction_status(station, operator, {"messagesInQueue": False}) == {"messagesInQueue": False}


async def test_tc_e_38(station: Station, session: Session, operator: Operator) -> None:
    """A car that is plugged in after the driver has authorized is not ready yet (E03)."""
    await booted(station)
    await session.authorize()
    await session.ev_connected_pre_session()
    await session.event("Updated", "ChargingStateChanged", "SuspendedEV")
    shown = await seen.active(operator, session, "SuspendedEV")
    assert (shown["evse_id"], shown["id_token"]) == (1, session.token.id)


async def test_tc_e_39(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends because nobody plugs in (E03.FR.04, FR.05, E06.FR.04)."""
    await booted(station)
    await session.authorize()
    await session.event("Ended", "EVConnectTimeout", info={"stoppedReason": "Timeout"})
    shown = await seen.ended(operator, session, "Timeout")
    assert (shown["evse_id"], shown["id_token"]) == (None, session.token.id)


async def test_tc_e_53(station: Station, session: Session, operator: Operator) -> None:
    """The numbers of a station's events begin at 0 with each transaction (E01.FR.07)."""
    await booted(station)
    await session.ev_disconnected()
    await seen.ended(operator, session, "EVDisconnected")
    second = Session(station, session.token)
    assert second.seq_no == 0
    await second.energy_transfer_started()
    shown = await seen.active(operator, second, "Charging")
    assert (shown["missing_seq_nos"], shown["id_token"]) == ([], session.token.id)
    await second.ev_disconnected()
    await seen.ended(operator, second, "EVDisconnected")


async def started_with_token(session: Session, trigger: str, state: str | None = None, **more: Any) -> Any:
    """The transaction starts on its EVSE with the idToken that was accepted; the answer."""
    answer = await session.event("Started", trigger, state, evse=session.evse, idToken=session.token.payload, **more)
    session.authorized = session.connected = True
    return answer


def meter_value(value: float, **more: Any) -> list[Mapping[str, Any]]:
    """What the energy register says now."""
    return [{"timestamp": now(), "sampledValue": [{"value": value} | more]}]


async def away_for_a_while(station: Station, operator: Operator) -> None:
    """The connection of the station ends, and it comes back."""
    await station.close()
    await operator.station(station.id, lambda shown: not shown["online"])
    await station.connect()


async def transaction_status(
    station: Station, operator: Operator, status: Mapping[str, bool], transaction_id: str | None = None
) -> Any:
    """The operator asks how a transaction is, and the station says so; what the operator is told."""
    about = {} if transaction_id is None else {"transactionId": transaction_id}
    command = await operator.command(station.id, "GetTransactionStatus", about)
    assert await station.expects("GetTransactionStatus", status) == about
    return (await command.answered())["response"]
