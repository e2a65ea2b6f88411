"""What OCPP 2.1 forbids a CSMS to send although its schemas allow it."""

from typing import Any

import pytest

from services.ocpp.commands import Form
from services.ocpp.versions import VERSIONS

DEFAULT = {"startPeriod": 0, "limit": 11000}


def field(action: str, payload: Any) -> str | None:
    """The field that is at fault."""
    version = VERSIONS["2.1"]
    version.schemas.check_request(action, payload)
    found = Form(version, action).fault(payload)
    return found.field if found else None


def profile(*periods: Any, purpose: str = "TxDefaultProfile", kind: str = "Absolute", **more: Any) -> Any:
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": list(periods or [DEFAULT])}
    written = {"id": 1, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": kind}
    written |= {"transactionId": "tx"} if purpose == "TxProfile" else {}
    return {"evseId": 1, "chargingProfile": written | {"chargingSchedule": [schedule]} | more}


def period(**said: Any) -> Any:
    return {"startPeriod": 0, **said}


PERIOD = "chargingProfile.chargingSchedule.0.chargingSchedulePeriod.0"


@pytest.mark.parametrize(
    ("said", "at_fault"),
    [
        ({"limit": 1}, None),
        ({"limit": 1, "operationMode": "ChargingOnly"}, None),
        # Q02.FR.02.
        ({"limit": 1, "setpoint": 1}, "setpoint"),
        ({"limit": 1, "dischargeLimit": -1, "operationMode": "ChargingOnly"}, "dischargeLimit"),
        ({"limit": 1, "setpointReactive": 1}, "setpointReactive"),
        # Q03.FR.02, Q07.FR.03.
        ({"setpoint": 1, "operationMode": "CentralSetpoint"}, None),
        ({"setpoint": 1, "limit": 2, "operationMode": "CentralSetpoint"}, "limit"),
        ({"setpoint": 1, "dischargeLimit": -2, "operationMode": "CentralSetpoint"}, "dischargeLimit"),
        ({"setpoint": 1, "limit": 2, "operationMode": "CentralFrequency"}, "limit"),
        ({"limit": 2, "dischargeLimit": -2, "setpoint": 1, "operationMode": "ExternalSetpoint"}, None),
        # Q08.FR.01, Q10.FR.01.
        ({"v2xBaseline": 1, "operationMode": "LocalFrequency"}, None),
        ({"setpoint": 1, "operationMode": "LocalFrequency"}, "setpoint"),
        ({"evseSleep": True, "operationMode": "Idle"}, None),
        ({"limit": 0, "limit_L2": 0, "operationMode": "Idle"}, "limit"),
        # K01.FR.145.
        ({"limit": 1, "limit_L2": 1, "limit_L3": 2}, None),
        ({"limit_L2": 1}, "limit_L2"),
    ],
)
def test_what_a_period_may_have_in_its_operation_mode(said: Any, at_fault: str | None) -> None:
    expected = at_fault and f"{PERIOD}.{at_fault}"
    assert field("SetChargingProfile", profile(period(**said), purpose="TxProfile")) == expected
    started = profile(period(**said), purpose="TxProfile")["chargingProfile"]
    del started["transactionId"]
    request = {"remoteStartId": 1, "idToken": {"idToken": "T", "type": "Central"}, "chargingProfile": started}
    assert field("RequestStartTransaction", request) == expected


@pytest.mark.parametrize(
    ("purpose", "mode", "allowed"),
    [
        ("PriorityCharging", "ChargingOnly", True),
        ("PriorityCharging", "CentralSetpoint", False),
        ("LocalGeneration", "ExternalLimits", True),
        ("LocalGeneration", "CentralSetpoint", False),
        ("ChargingStationMaxProfile", "Idle", False),
        ("TxDefaultProfile", "Idle", True),
        ("TxProfile", "LocalLoadBalancing", True),
    ],
)
def test_which_operation_modes_a_purpose_has(purpose: str, mode: str, allowed: bool) -> None:
    """K01.FR.71, table 95."""
    said = {"limit": 1} if mode == "ChargingOnly" else {}
    payload = profile(period(**said, operationMode=mode), purpose=purpose)
    payload["evseId"] = 0 if purpose in ("ChargingStationMaxProfile", "LocalGeneration") else 1
    assert field("SetChargingProfile", payload) == (None if allowed else f"{PERIOD}.operationMode")


def test_discharging_by_phase_is_for_a_transaction() -> None:
    """K01.FR.143."""
    said = period(setpoint=1, setpoint_L2=1, operationMode="CentralSetpoint")
    assert field("SetChargingProfile", profile(said, purpose="TxProfile")) is None
    assert field("SetChargingProfile", profile(said)) == f"{PERIOD}.setpoint_L2"
    assert field("SetChargingProfile", profile(period(limit=1, limit_L2=1))) is None


@pytest.mark.parametrize(
    ("payload", "at_fault"),
    [
        (profile(kind="Dynamic"), None),
        (profile(kind="Dynamic", dynUpdateInterval=60), None),
        (profile(dynUpdateInterval=60), "dynUpdateInterval"),
        (profile(DEFAULT, DEFAULT, kind="Dynamic"), "chargingSchedule.0.chargingSchedulePeriod"),
        (
            profile(DEFAULT | {"startPeriod": 5}, kind="Dynamic"),
            "chargingSchedule.0.chargingSchedulePeriod.0.startPeriod",
        ),
        (
            profile(kind="Dynamic", chargingSchedule=profile()["chargingProfile"]["chargingSchedule"] * 2),
            "chargingSchedule",
        ),
    ],
)
def test_a_dynamic_profile_has_one_period_that_begins_at_once(payload: Any, at_fault: str | None) -> None:
    """K28.FR.01, K28.FR.02, K28.FR.04."""
    assert field("SetChargingProfile", payload) == (at_fault and f"chargingProfile.{at_fault}")


def test_what_holds_in_201_holds_here() -> None:
    assert field("SetChargingProfile", profile(purpose="ChargingStationExternalConstraints")) is not None
    assert field("SetChargingProfile", profile(DEFAULT | {"phaseToUse": 1})) == f"{PERIOD}.phaseToUse"
    unnamed = profile(purpose="TxProfile", transactionId="")
    assert field("SetChargingProfile", unnamed) == "chargingProfile.transactionId"
    password = {"component": {"name": "NetworkConfiguration"}, "variable": {"name": "BasicAuthPassword"}}
    said = {"setVariableData": [password | {"attributeValue": "secret"}]}
    assert field("SetVariables", said) == "setVariableData.0.attributeValue"


def test_an_update_names_the_first_phase_beside_the_others() -> None:
    """K01.FR.145."""
    update = {"chargingProfileId": 1, "scheduleUpdate": {"limit_L2": 1}}
    assert field("UpdateDynamicSchedule", update) == "scheduleUpdate.limit_L2"
    assert field("UpdateDynamicSchedule", update | {"scheduleUpdate": {"limit": 1, "limit_L2": 1}}) is None


CURVE = {"curveData": [{"x": 1, "y": 1}], "priority": 1, "yUnit": "PctMaxW"}
GRADIENT = {"priority": 1, "gradient": 1, "softGradient": 1}


@pytest.mark.parametrize(
    ("kind", "default", "said", "at_fault"),
    [
        ("VoltWatt", False, {"curve": CURVE | {"duration": 60}}, None),
        ("VoltWatt", True, {"curve": CURVE}, None),
        ("VoltWatt", True, {"curve": CURVE | {"duration": 60}}, "curve.duration"),
        ("VoltWatt", True, {"curve": CURVE | {"startTime": "2026-03-01T12:00:00Z"}}, "curve.startTime"),
        ("VoltWatt", True, {}, "curve"),
        ("VoltWatt", True, {"curve": CURVE, "gradient": GRADIENT}, "gradient"),
        ("Gradients", True, {"gradient": GRADIENT}, None),
        ("Gradients", False, {"gradient": GRADIENT}, "isDefault"),
    ],
)
def test_a_control_of_the_grid_is_what_its_type_says(kind: str, default: bool, said: Any, at_fault: str | None) -> None:
    """R04.FR.12, R04.FR.14, R04.FR.16."""
    payload = {"isDefault": default, "controlId": "c", "controlType": kind, **said}
    assert field("SetDERControl", payload) == at_fault


@pytest.mark.parametrize(("params", "fault"), [({}, True), ({"interval": 1}, False), ({"values": 1}, False)])
def test_a_stream_has_an_interval_or_a_number_of_values(params: Any, fault: bool) -> None:
    """N11.FR.09, N14.FR.01."""
    assert field("AdjustPeriodicEventStream", {"id": 1, "params": params}) == ("params" if fault else None)
    place = {"component": {"name": "EVSE"}, "variable": {"name": "Power"}}
    monitor = {"value": 1, "type": "Periodic", "severity": 9, **place, "periodicEventStream": params}
    where = "setMonitoringData.0.periodicEventStream"
    assert field("SetVariableMonitoring", {"setMonitoringData": [monitor]}) == (where if fault else None)
    del monitor["periodicEventStream"]
    assert field("SetVariableMonitoring", {"setMonitoringData": [monitor]}) is None


def test_a_custom_trigger_is_named() -> None:
    """F06.FR.20."""
    assert field("TriggerMessage", {"requestedMessage": "CustomTrigger"}) == "customTrigger"
    assert field("TriggerMessage", {"requestedMessage": "CustomTrigger", "customTrigger": "Mine"}) is None
    assert field("TriggerMessage", {"requestedMessage": "Heartbeat"}) is None
    assert field("TriggerMessage", {"requestedMessage": "StatusNotification"}) == "evse.connectorId"


def test_a_network_profile_carries_no_password_of_the_station() -> None:
    data = {"ocppCsmsUrl": "wss://x", "messageTimeout": 30, "securityProfile": 2}
    data |= {"ocppTransport": "JSON", "ocppInterface": "Any"}
    assert field("SetNetworkProfile", {"configurationSlot": 1, "connectionData": data}) is None
    said = {"configurationSlot": 1, "connectionData": data | {"basicAuthPassword": "secret"}}
    assert field("SetNetworkProfile", said) == "connectionData.basicAuthPassword"
