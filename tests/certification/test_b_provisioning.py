"""B, provisioning: booting, reading and setting variables, reports, resets, network profiles."""

from typing import Any

from tests.certification.operator import Operator, is_ended
from tests.certification.states import ACCEPTED, Session, boot, booted, connectors
from tests.certification.station import Payload, Station, now
from tests.clients.events import enum_word
from tests.contract import examples

SCHEDULED = {"status": "Scheduled"}
PROFILE = {
    "messageTimeout": 30,
    "ocppCsmsUrl": "wss://csms.example/ocpp",
    "ocppInterface": "Wired0",
    "ocppTransport": "JSON",
    "ocppVersion": "OCPP20",
    "securityProfile": 2,
}


def variable(component: str, name: str, instance: str | None = None) -> dict[str, Any]:
    """A component and its variable."""
    what = {"name": name} if instance is None else {"name": name, "instance": instance}
    return {"component": {"name": component}, "variable": what}


def named(item: Payload) -> dict[str, Any]:
    """Which variable an item of a message is about."""
    return {"component": item["component"], "variable": item["variable"]}


OFFLINE_THRESHOLD = variable("OCPPCommCtrlr", "OfflineThreshold")
AUTHORIZE_REMOTE_START = variable("AuthCtrlr", "AuthorizeRemoteStart")
GET_VARIABLES = variable("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables")
LIMITS = {
    "DeviceDataCtrlr.ItemsPerMessage(GetReport)": variable("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"),
    "DeviceDataCtrlr.ItemsPerMessage(GetVariables)": GET_VARIABLES,
    "DeviceDataCtrlr.BytesPerMessage(GetReport)": variable("DeviceDataCtrlr", "BytesPerMessage", "GetReport"),
    "DeviceDataCtrlr.BytesPerMessage(GetVariables)": variable("DeviceDataCtrlr", "BytesPerMessage", "GetVariables"),
    "AuthCtrlr.AuthorizeRemoteStart": AUTHORIZE_REMOTE_START,
}


def has(*values: str) -> Any:
    """The answer of a station to GetVariables: all of it is there, with these values in the order it was asked for."""

    def answer(asked: Payload) -> Payload:
        items = zip(asked["getVariableData"], values, strict=True)
        result = [named(item) | {"attributeStatus": "Accepted", "attributeValue": value} for item, value in items]
        return {"getVariableResult": result}

    return answer


def takes(asked: Payload) -> Payload:
    """The answer of a station to SetVariables: all of it is taken."""
    return {"setVariableResult": [named(item) | {"attributeStatus": "Accepted"} for item in asked["setVariableData"]]}


def reported(what: Payload, value: str) -> dict[str, Any]:
    """An item of a report."""
    characteristics = {"dataType": "string", "supportsMonitoring": False}
    return dict(what) | {"variableAttribute": [{"value": value}], "variableCharacteristics": characteristics}


async def report(station: Station, request_id: int, *parts: list[dict[str, Any]]) -> None:
    """The station sends a report in parts."""
    for seq_no, items in enumerate(parts):
        about = {"requestId": request_id, "generatedAt": now(), "seqNo": seq_no, "tbc": seq_no + 1 < len(parts)}
        await station.call("NotifyReport", about | {"reportData": items})


async def test_tc_b_01(station: Station, operator: Operator) -> None:
    """A station boots and is accepted (B01.FR.02)."""
    await booted(station)
    seen = await operator.connector(station.id, "Available")
    assert (seen["boot_status"], seen["boot_reason"], seen["online"]) == ("Accepted", "PowerUp", True)
    assert (await operator.event(station.id, "StationBooted")).station_id == station.id


async def test_tc_b_02(station: Station, operator: Operator) -> None:
    """A station is let wait, read meanwhile, and accepted when it boots again (B02.FR.01, FR.06)."""
    await operator.boot_verdict(station.id, "Pending")
    answer = await boot(station)
    assert answer["status"] == "Pending"
    assert answer["interval"] >= 0
    await operator.station(station.id, lambda seen: seen["boot_status"] == "Pending")
    command = await operator.command(station.id, "GetVariables", {"getVariableData": [OFFLINE_THRESHOLD]})
    await station.expects("GetVariables", has("60"))
    await command.answered()
    await operator.boot_verdict(station.id, "Accepted")
    await booted(station)
    await operator.station(station.id, lambda seen: seen["boot_status"] == "Accepted")


async def test_tc_b_06(station: Station, operator: Operator) -> None:
    """One variable is read (B06.FR.01, FR.02, FR.03, FR.04, FR.10, FR.11)."""
    await booted(station)
    await operator.refresh(station.id, names=["OCPPCommCtrlr.OfflineThreshold"])
    asked = await station.expects("GetVariables", has("60"))
    assert asked == {"getVariableData": [OFFLINE_THRESHOLD]}
    await operator.settings(station.id, {"OCPPCommCtrlr.OfflineThreshold": "60"})


async def test_tc_b_07(station: Station, operator: Operator) -> None:
    """Two variables are read with one message (B06.FR.01, FR.02, FR.03)."""
    await booted(station)
    names = ["OCPPCommCtrlr.OfflineThreshold", "AuthCtrlr.AuthorizeRemoteStart"]
    await operator.refresh(station.id, names=names)
    asked = await station.expects("GetVariables", has("60", "60"))
    assert_same(asked["getVariableData"], [OFFLINE_THRESHOLD, AUTHORIZE_REMOTE_START])
    await operator.settings(station.id, dict.fromkeys(names, "60"))


async def test_tc_b_08(station: Station, operator: Operator) -> None:
    """Five variables are read of a station that takes four with a message (B06.FR.05)."""
    await booted(station)
    command = await operator.command(station.id, "GetVariables", {"getVariableData": [GET_VARIABLES]})
    await station.expects("GetVariables", has("4"))
    await command.answered()
    await operator.settings(station.id, {"DeviceDataCtrlr.ItemsPerMessage(GetVariables)": "4"})
    await operator.refresh(station.id, names=list(LIMITS))
    first = await station.expects("GetVariables", has("4", "4", "4", "4"))
    second = await station.expects("GetVariables", has("4"))
    assert_same([*first["getVariableData"], *second["getVariableData"]], list(LIMITS.values()))
    await operator.settings(station.id, dict.fromkeys(LIMITS, "4"))


async def test_tc_b_09(station: Station, operator: Operator) -> None:
    """One variable is set (B05.FR.01, FR.02, FR.03, FR.10, FR.12)."""
    await booted(station)
    await operator.configure(station.id, {"OCPPCommCtrlr.OfflineThreshold": "123"})
    asked = await station.expects("SetVariables", takes)
    assert asked == {"setVariableData": [OFFLINE_THRESHOLD | {"attributeValue": "123"}]}
    await operator.settings(station.id, {"OCPPCommCtrlr.OfflineThreshold": "123"})


async def test_tc_b_10(station: Station, operator: Operator) -> None:
    """Two variables are set with one message (B05.FR.01, FR.02, FR.03)."""
    await booted(station)
    wanted = {"OCPPCommCtrlr.OfflineThreshold": "123", "AuthCtrlr.AuthorizeRemoteStart": "false"}
    await operator.configure(station.id, wanted)
    asked = await station.expects("SetVariables", takes)
    data = [OFFLINE_THRESHOLD | {"attributeValue": "123"}, AUTHORIZE_REMOTE_START | {"attributeValue": "false"}]
    assert_same(asked["setVariableData"], data)
    await operator.settings(station.id, wanted)


async def test_tc_b_12(station: Station, operator: Operator) -> None:
    """The report of all that can be configured (B07.FR.07)."""
    await base_report(station, operator, "ConfigurationInventory")


async def test_tc_b_13(station: Station, operator: Operator) -> None:
    """The report of all that there is (B07.FR.08)."""
    await base_report(station, operator, "FullInventory")


async def test_tc_b_14(station: Station, operator: Operator) -> None:
    """The report of what matters (B07.FR.09)."""
    await base_report(station, operator, "SummaryInventory")


async def base_report(station: Station, operator: Operator, base: str) -> None:
    """A report that an operator asks for, and that comes in two parts."""
    await booted(station)
    refresh = await operator.refresh(station.id, report=base)
    asked = await station.expects("GetBaseReport", ACCEPTED)
    assert asked == {"requestId": refresh.request_id, "reportBase": base}
    assert asked["requestId"] >= 0
    parts = ([reported(OFFLINE_THRESHOLD, "60")], [reported(AUTHORIZE_REMOTE_START, "true")])
    await report(station, asked["requestId"], *parts)
    values = {"OCPPCommCtrlr.OfflineThreshold": "60", "AuthCtrlr.AuthorizeRemoteStart": "true"}
    await operator.settings(station.id, values)
    told = await operator.event(station.id, "ConfigurationReported")
    assert (enum_word(told), told.request_id) == ("complete", refresh.request_id)


async def test_tc_b_18(station: Station, operator: Operator) -> None:
    """A report of one variable of what has a problem, which is empty, and of what is available (B08.FR.01, FR.03)."""
    await booted(station)
    evse = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}
    wanted = {"componentCriteria": ["Problem"], "componentVariable": [evse], "requestId": 1}
    command = await operator.command(station.id, "GetReport", wanted)
    assert await station.expects("GetReport", {"status": "EmptyResultSet"}) == wanted
    assert (await command.answered())["response"] == {"status": "EmptyResultSet"}
    wanted |= {"componentCriteria": ["Available"], "requestId": 2}
    command = await operator.command(station.id, "GetReport", wanted)
    assert await station.expects("GetReport", ACCEPTED) == wanted
    await command.answered("accepted")
    await report(station, 2, [reported(evse, "Available")])
    await operator.settings(station.id, {"EVSE@1.AvailabilityState": "Available"})


async def test_tc_b_20(station: Station, operator: Operator) -> None:
    """A station without a session is reset (B11.FR.04)."""
    await booted(station)
    command = await operator.reset(station.id, "on_idle")
    assert await station.expects("Reset", ACCEPTED) == {"type": "OnIdle"}
    await command.answered("accepted")
    await station.reconnect()
    await booted(station, "RemoteReset")
    await operator.station(station.id, lambda seen: seen["boot_reason"] == "RemoteReset")


async def test_tc_b_21(station: Station, session: Session, operator: Operator) -> None:
    """A station is reset once its session has ended (B12.FR.01, FR.03, E07.FR.03)."""
    await booted(station)
    await session.energy_transfer_started()
    command = await operator.reset(station.id, "on_idle")
    assert await station.expects("Reset", SCHEDULED) == {"type": "OnIdle"}
    await command.answered("scheduled")
    await end_session(session)
    await station.reconnect()
    await booted(station, "ScheduledReset")
    await operator.until("firmware", f"/v1/commands/{command.id}", lambda command: command["effect"] == "done")
    await operator.transaction(session.transaction_id, is_ended, of=station.id)


async def test_tc_b_22(station: Station, session: Session, operator: Operator) -> None:
    """A station is reset at once, which ends its session (B12)."""
    await booted(station)
    await session.energy_transfer_started()
    command = await operator.reset(station.id, "immediate")
    assert await station.expects("Reset", ACCEPTED) == {"type": "Immediate"}
    await command.answered("accepted")
    await session.event("Ended", "ResetCommand", "EVConnected", {"stoppedReason": "ImmediateReset"})
    await station.reconnect()
    assert (await boot(station, "RemoteReset"))["status"] == "Accepted"
    await connectors(station, "Occupied", session.evse_id)
    await connectors(station, "Available", 2)
    seen = await operator.transaction(session.transaction_id, is_ended, of=station.id)
    assert seen["stop_reason"] == "ImmediateReset"
    await operator.connector(station.id, "Occupied", session.evse_id)


async def test_tc_b_25(station: Station, operator: Operator) -> None:
    """An EVSE without a session is reset (B11.FR.04)."""
    await booted(station)
    command = await operator.reset(station.id, "on_idle", evse_id=1)
    assert await station.expects("Reset", ACCEPTED) == {"type": "OnIdle", "evseId": 1}
    await command.answered("accepted")


async def test_tc_b_26(station: Station, session: Session, operator: Operator) -> None:
    """An EVSE is reset once its session has ended (B12.FR.07)."""
    await booted(station)
    await session.energy_transfer_started()
    command = await operator.reset(station.id, "on_idle", evse_id=session.evse_id)
    assert await station.expects("Reset", SCHEDULED) == {"type": "OnIdle", "evseId": session.evse_id}
    await command.answered("scheduled")
    await end_session(session)
    await operator.transaction(session.transaction_id, is_ended, of=station.id)


async def test_tc_b_27(station: Station, session: Session, operator: Operator) -> None:
    """An EVSE is reset at once, which ends its session (B12)."""
    await booted(station)
    await session.energy_transfer_started()
    command = await operator.reset(station.id, "immediate", evse_id=session.evse_id)
    assert await station.expects("Reset", ACCEPTED) == {"type": "Immediate", "evseId": session.evse_id}
    await command.answered("accepted")
    await session.event("Ended", "ResetCommand", "EVConnected", {"stoppedReason": "ImmediateReset"})
    seen = await operator.transaction(session.transaction_id, is_ended, of=station.id)
    assert seen["stop_reason"] == "ImmediateReset"


async def end_session(session: Session) -> None:
    """The driver stops it and pulls the cable."""
    token = session.token.payload
    answer = await session.event("Updated", "StopAuthorized", "EVConnected", idToken=token)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await session.event("Ended", "EVCommunicationLost", "Idle", {"stoppedReason": "EVDisconnected"})


async def test_tc_b_30(station: Station, operator: Operator) -> None:
    """A station that is not accepted yet may not tell how it is (B02.FR.09, B03.FR.07)."""
    for status in ("Pending", "Rejected"):
        await operator.boot_verdict(station.id, status)
        assert (await boot(station))["status"] == status
        where = {"evseId": 1, "connectorId": 1, "connectorStatus": "Available", "timestamp": now()}
        assert await station.refused("StatusNotification", where) == "SecurityError"
        event = examples.minimal(station.version.schemas.request_document("NotifyEvent"))
        assert await station.refused("NotifyEvent", event) == "SecurityError"


async def test_tc_b_31(station: Station, operator: Operator) -> None:
    """A station that waits is made to boot again before its time (B02, F06)."""
    await operator.boot_verdict(station.id, "Pending")
    assert (await boot(station))["status"] == "Pending"
    await operator.boot_verdict(station.id, "Accepted")
    command = await operator.trigger(station.id, "boot")
    assert await station.expects("TriggerMessage", ACCEPTED) == {"requestedMessage": "BootNotification"}
    await command.answered("accepted")
    await booted(station, "Triggered")
    await operator.station(
        station.id, lambda seen: (seen["boot_status"], seen["boot_reason"]) == ("Accepted", "Triggered")
    )


async def test_tc_b_42(station: Station, operator: Operator) -> None:
    """A network profile is set (B09.FR.01)."""
    await booted(station)
    wanted = {"configurationSlot": 1, "connectionData": PROFILE}
    command = await operator.command(station.id, "SetNetworkProfile", wanted)
    assert await station.expects("SetNetworkProfile", ACCEPTED) == wanted
    await command.answered("accepted")


async def test_tc_b_44(station: Station, operator: Operator) -> None:
    """A station fails to set a network profile (B09.FR.03)."""
    await booted(station)
    wanted = {"configurationSlot": 1, "connectionData": PROFILE}
    command = await operator.command(station.id, "SetNetworkProfile", wanted)
    await station.expects("SetNetworkProfile", {"status": "Failed"})
    assert (await command.answered("refused"))["response"] == {"status": "Failed"}


def assert_same(items: list[Any], wanted: list[Any]) -> None:
    """The same items in any order."""
    assert len(items) == len(wanted)
    assert all(item in items for item in wanted)
