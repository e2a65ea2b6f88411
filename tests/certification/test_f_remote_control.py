"""F, remote control: remote start and stop, unlocking, triggers."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.certification import seen
from tests.certification.operator import Command, Operator
from tests.certification.states import ACCEPTED, Session, admitted, booted, connectors
from tests.certification.station import Station, now

TRIGGERED = {"value": 1500.0, "context": "Trigger"}


async def test_tc_f_01(station: Station, session: Session, operator: Operator) -> None:
    """A remote start of an EVSE whose cable is plugged in already (F01)."""
    await booted(station)
    await session.ev_connected_pre_session()
    command = await operator.start(station.id, session.token.id, evse_id=session.evse_id)
    asked = await station.expects("RequestStartTransaction", ACCEPTED | {"transactionId": session.transaction_id})
    assert (asked["idToken"], asked["evseId"]) == (session.token.payload, session.evse_id)
    await command.answered("accepted")
    await session.event("Updated", "RemoteStart", info={"remoteStartId": asked["remoteStartId"]})
    session.authorized = True
    await session.energy_transfer_started()
    await seen_started_by(operator, session, command, asked["remoteStartId"])


async def test_tc_f_02(station: Station, session: Session, operator: Operator) -> None:
    """A remote start, of which the station asks first whether the idToken may charge (F02.FR.01, F01.FR.01)."""
    await booted(station)
    command, remote_start_id = await remotely_started(station, session, operator)
    await session.token_accepted()
    await session.event("Started", "RemoteStart", info={"remoteStartId": remote_start_id})
    session.authorized = True
    await session.energy_transfer_started()
    await seen_started_by(operator, session, command, remote_start_id)


async def test_tc_f_03(station: Station, session: Session, operator: Operator) -> None:
    """A remote start before the cable is plugged in (F02.FR.01, F01.FR.02)."""
    await booted(station)
    command, remote_start_id = await remotely_started(station, session, operator)
    await session.event("Started", "RemoteStart", info={"remoteStartId": remote_start_id})
    session.authorized = True
    await session.energy_transfer_started()
    await seen_started_by(operator, session, command, remote_start_id)


async def test_tc_f_04(station: Station, session: Session, operator: Operator) -> None:
    """A remote start after which nobody plugs in (E03.FR.04, FR.05)."""
    await booted(station)
    command, remote_start_id = await remotely_started(station, session, operator)
    await session.event("Started", "RemoteStart", info={"remoteStartId": remote_start_id})
    await session.event("Updated", "EVConnectTimeout")
    told = await operator.event(
        station.id, "TransactionUpdated", lambda told: told.trigger_reason == "EVConnectTimeout"
    )
    assert (told.transaction.transaction_id, told.transaction.command_id) == (session.transaction_id, command.id)
    shown = await seen.active(operator, session, None)
    assert (shown["command_id"], shown["evse_id"], shown["missing_seq_nos"]) == (command.id, None, [])


async def test_tc_f_06(station: Station, operator: Operator) -> None:
    """A connector is unlocked remotely, without a transaction (F05)."""
    await booted(station)
    command = await operator.act("firmware", station.id, "unlock", {"evse_id": 2, "connector_id": 1})
    asked = await station.expects("UnlockConnector", {"status": "Unlocked"})
    assert asked == {"evseId": 2, "connectorId": 1}
    await command.answered("accepted")


async def test_tc_f_11(station: Station, operator: Operator) -> None:
    """Meter values of one EVSE are asked for (F06.FR.01, FR.02)."""
    await booted(station)
    await triggered(station, operator, "meter_values", {"requestedMessage": "MeterValues", "evse": {"id": 2}})
    await station.call("MeterValues", {"evseId": 2, "meterValue": meter_value()})
    await seen_values(station, operator, 2)


async def test_tc_f_12(station: Station, operator: Operator) -> None:
    """Meter values of all EVSEs are asked for (F06.FR.01)."""
    await booted(station)
    await triggered(station, operator, "meter_values", {"requestedMessage": "MeterValues"})
    for evse_id in (1, 2):
        await station.call("MeterValues", {"evseId": evse_id, "meterValue": meter_value()})
    await seen_values(station, operator, 1, 2)


async def test_tc_f_13(station: Station, session: Session, operator: Operator) -> None:
    """The transaction of one EVSE is asked for (F06.FR.01, FR.02)."""
    await booted(station)
    await session.energy_transfer_started()
    evse = {"evse": {"id": session.evse_id}}
    await triggered(station, operator, "transaction", {"requestedMessage": "TransactionEvent"} | evse)
    await session.event("Updated", "Trigger", "Charging", evse=session.evse, meterValue=meter_value())
    await seen_triggered(operator, session)


async def test_tc_f_14(station: Station, session: Session, operator: Operator) -> None:
    """The transactions of all EVSEs are asked for (F06.FR.01)."""
    other = Session(station, await admitted(operator, f"{session.token.id}-2"), evse_id=2)
    await booted(station)
    await session.energy_transfer_started()
    await other.energy_transfer_started()
    await triggered(station, operator, "transaction", {"requestedMessage": "TransactionEvent"})
    for one in (session, other):
        await one.event("Updated", "Trigger", "Charging", meterValue=meter_value())
        await seen_triggered(operator, one)


async def test_tc_f_15(station: Station, operator: Operator) -> None:
    """The state of a log upload is asked for: there is none (F06.FR.01)."""
    await booted(station)
    await triggered(station, operator, "log_status", {"requestedMessage": "LogStatusNotification"})
    await station.call("LogStatusNotification", {"status": "Idle"})
    [told] = await operator.messages("firmware", station.id, "LogStatusNotification")
    assert told["payload"] == {"status": "Idle"}


async def test_tc_f_18(station: Station, operator: Operator) -> None:
    """The state of a firmware update is asked for: there is none (F06.FR.01)."""
    await booted(station)
    await triggered(station, operator, "firmware_status", {"requestedMessage": "FirmwareStatusNotification"})
    await station.call("FirmwareStatusNotification", {"status": "Idle"})
    await operator.station(station.id, lambda shown: shown["firmware_status"] == "Idle")


async def test_tc_f_20(station: Station, operator: Operator) -> None:
    """A heartbeat is asked for (F06.FR.01)."""
    await booted(station)
    await triggered(station, operator, "heartbeat", {"requestedMessage": "Heartbeat"})
    begin = datetime.now(UTC)
    answer = await station.call("Heartbeat")
    assert datetime.fromisoformat(answer["currentTime"]) >= begin.replace(microsecond=0)
    await operator.station(station.id, lambda shown: datetime.fromisoformat(shown["last_seen_at"]) >= begin)


async def test_tc_f_23(station: Station, operator: Operator) -> None:
    """The state of a connector that is available is asked for (F06.FR.01, FR.02, FR.13)."""
    await booted(station)
    await status_triggered(station, operator)
    await connectors(station, "Available", 1)
    await operator.connector(station.id, "Available")


async def test_tc_f_24(station: Station, operator: Operator) -> None:
    """The state of a connector that is occupied is asked for (F06.FR.01, FR.02, FR.13)."""
    await booted(station)
    await connectors(station, "Occupied", 1)
    await status_triggered(station, operator)
    await connectors(station, "Occupied", 1)
    await operator.connector(station.id, "Occupied")


async def test_tc_f_27(station: Station, operator: Operator) -> None:
    """A station cannot tell what it is asked for (F06.FR.08)."""
    await booted(station)
    asked = {"requestedMessage": "SignCombinedCertificate"}
    command = await operator.command(station.id, "TriggerMessage", asked)
    assert await station.expects("TriggerMessage", {"status": "NotImplemented"}) == asked
    shown = await command.answered("refused")
    assert shown["response"] == {"status": "NotImplemented"}


async def remotely_started(station: Station, session: Session, operator: Operator) -> tuple[Command, int]:
    """A remote start is accepted, and no transaction has begun yet; the command, and its remoteStartId."""
    command = await operator.start(station.id, session.token.id)
    asked = await station.expects("RequestStartTransaction", ACCEPTED)
    assert asked["idToken"] == session.token.payload
    await command.answered("accepted")
    return command, int(asked["remoteStartId"])


async def seen_started_by(operator: Operator, session: Session, command: Command, remote_start_id: int) -> None:
    """The transaction charges, and is known to come from that remote start."""
    shown = await seen.active(operator, session, "Charging")
    assert (shown["remote_start_id"], shown["command_id"]) == (remote_start_id, command.id)
    assert (shown["evse_id"], shown["missing_seq_nos"]) == (session.evse_id, [])


async def triggered(station: Station, operator: Operator, message: str, wanted: Any) -> None:
    """The station is asked to tell something, in these words, and will."""
    evse = {"evse_id": wanted["evse"]["id"]} if "evse" in wanted else {}
    command = await operator.trigger(station.id, message, **evse)
    assert await station.expects("TriggerMessage", ACCEPTED) == wanted
    await command.answered("accepted")


async def status_triggered(station: Station, operator: Operator) -> None:
    """The station is asked how a connector of EVSE 1 is: F06.FR.13 wants the connector named."""
    command = await operator.trigger(station.id, "status", evse_id=1)
    asked = await station.expects("TriggerMessage", ACCEPTED)
    assert (asked["requestedMessage"], asked["evse"]) == ("StatusNotification", {"id": 1, "connectorId": 1})
    await command.answered("accepted")


def meter_value() -> list[Any]:
    """What the energy register says because somebody asked."""
    return [{"timestamp": now(), "sampledValue": [TRIGGERED]}]


async def seen_values(station: Station, operator: Operator, *evses: int) -> None:
    """The operator has what the registers of these EVSEs said outside of transactions; others have heard of it."""

    def told(page: Any) -> list[tuple[int, float, str]]:
        readings = [(one["evse_id"], one["readings"][0]) for one in page["items"]]
        return sorted((evse_id, reading["value"], reading["context"]) for evse_id, reading in readings)

    wanted = [(evse_id, TRIGGERED["value"], TRIGGERED["context"]) for evse_id in evses]
    path = f"/v1/stations/{station.id}/samples"
    await operator.until("transactions", path, lambda page: told(page) == wanted)
    for evse_id in evses:
        await operator.event(station.id, "MeterValuesRecorded", partial(is_of_evse, evse_id))


def is_of_evse(evse_id: int, told: Any) -> bool:
    return bool(told.evse_id == evse_id)


async def seen_triggered(operator: Operator, session: Session) -> None:
    """The operator has the values that were asked for, in the transaction; others have heard of them."""
    shown = await seen.active(operator, session, "Charging")
    page = await operator.until(
        "transactions", f"/v1/transactions/{shown['id']}/samples", lambda page: bool(page["items"])
    )
    [[reading]] = [sample["readings"] for sample in page["items"]]
    assert (reading["value"], reading["context"]) == (1500.0, "Trigger")
    told = await operator.event(
        session.station.id,
        "TransactionUpdated",
        lambda told: (told.transaction.transaction_id, told.trigger_reason) == (session.transaction_id, "Trigger"),
    )
    assert len(told.meter_values) == 1
