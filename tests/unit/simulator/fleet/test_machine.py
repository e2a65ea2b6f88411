"""One simulated station and a CSMS that asks things of it, in both versions."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.ocpp import examples
from services.ocpp.versions import VERSIONS
from tests.unit.simulator.fleet.csms import Csms, start
from voltbus.simulator.fleet.fleet import FleetPlan
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.outlet import OutletControl
from voltbus.simulator.fleet.world import Driver
from voltbus.simulator.station.types import stamp

V16, V201 = "1.6", "2.0.1"
ADA = Driver("Ada", "F1EE700000001")
every_version = pytest.mark.parametrize("version", [V16, V201])


def alone(version: str, **more: Any) -> tuple[Csms, Machine, OutletControl]:
    """One station that only does what it is told: its days are as slow as life."""
    csms = Csms(FleetPlan(1, mix=0.0 if version == V16 else 1.0, speed=1, seed=3), **more)
    [machine] = csms.fleet.machines
    machine.timers = type(machine.timers)(machine.charger.clock)  # no drivers, no faults
    csms.run(1)
    return csms, machine, machine.controls[0]


def charging(version: str, **more: Any) -> tuple[Csms, Machine, OutletControl]:
    csms, machine, control = alone(version, **more)
    control.arrive(ADA, app=False)
    csms.run(6)
    assert control.outlet.session is not None
    return csms, machine, control


def actions(csms: Csms) -> list[str]:
    return [action for _, _, action, _ in csms.said]


def ends(csms: Csms, machine: Machine) -> list[str]:
    """Reasons of the sessions that have ended."""
    stops = [payload["reason"] for payload in csms.of(machine.charger.id, "StopTransaction")]
    events = csms.of(machine.charger.id, "TransactionEvent")
    return stops + [it["transactionInfo"]["stoppedReason"] for it in events if it["eventType"] == "Ended"]


def states(csms: Csms, machine: Machine) -> list[str]:
    said = csms.of(machine.charger.id, "StatusNotification")
    return [payload.get("connectorStatus") or payload["status"] for payload in said if payload.get("connectorId") != 0]


def profile(version: str, watts: float) -> dict[str, Any]:
    schedule: dict[str, Any] = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": watts}]}
    common = {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Relative"}
    if version == V16:
        own = {"chargingProfileId": 1, "chargingSchedule": schedule}
        return {"connectorId": 0, "csChargingProfiles": common | own}
    return {"evseId": 0, "chargingProfile": common | {"id": 1, "chargingSchedule": [{"id": 1, **schedule}]}}


@every_version
def test_a_profile_is_obeyed_at_once_and_until_it_is_cleared(version: str) -> None:
    csms, machine, control = charging(version)
    full = control.outlet.power_w
    assert full > 6000
    assert csms.command(machine, "SetChargingProfile", profile(version, 5000)) == {"status": "Accepted"}
    assert control.outlet.power_w == 5000
    csms.command(machine, "SetChargingProfile", profile(version, 0))
    assert control.outlet.power_w == 0
    csms.run(2)
    assert control.outlet.session is not None
    assert control.outlet.session.state == "SuspendedEVSE"
    assert csms.command(machine, "ClearChargingProfile", {}) == {"status": "Accepted"}
    assert control.outlet.power_w == full
    assert csms.command(machine, "ClearChargingProfile", {}) == {"status": "Unknown"}


@every_version
def test_a_composite_schedule_says_what_limits(version: str) -> None:
    csms, machine, _ = charging(version)
    csms.command(machine, "SetChargingProfile", profile(version, 5000))
    place = {"connectorId": 1} if version == V16 else {"evseId": 1}
    answer = csms.command(machine, "GetCompositeSchedule", place | {"duration": 600, "chargingRateUnit": "W"})
    schedule = answer.get("chargingSchedule") or answer["schedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 5000.0}]


@every_version
def test_a_remote_start_brings_a_driver_and_a_remote_stop_sends_him_away(version: str) -> None:
    csms, machine, control = alone(version)
    ask = start(machine, 1, "TAG-1", 77)
    assert csms.command(machine, *ask) == {"status": "Accepted"}
    assert csms.command(machine, *ask) == {"status": "Rejected"}
    csms.run(3)
    session = control.outlet.session
    assert session is not None
    key = session.number if version == V16 else session.name
    action = "RemoteStopTransaction" if version == V16 else "RequestStopTransaction"
    assert csms.command(machine, action, {"transactionId": key}) == {"status": "Accepted"}
    csms.run(6)
    assert ends(csms, machine) == ["Remote"]
    assert states(csms, machine)[-1] == "Available"
    if version == V201:
        first = csms.of(machine.charger.id, "TransactionEvent")[0]
        assert (first["triggerReason"], first["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 77)


@every_version
def test_offline_a_session_goes_on_and_is_told_afterwards(version: str) -> None:
    """E04, E02; 1.6 §3.7: in order, with the times at which it was."""
    csms, machine, control = charging(version)
    machine.unlink(600, "back")
    heard = len(csms.said)
    begun = csms.now
    csms.run(400)
    control.end("Local")
    csms.run(100)
    assert len(csms.said) == heard
    csms.run(120)
    told = [it for it in csms.said[heard:] if it[2] in ("MeterValues", "StopTransaction", "TransactionEvent")]
    assert len(told) > 1
    moments = [payload.get("timestamp") or payload["meterValue"][0]["timestamp"] for *_, payload in told]
    assert moments == sorted(moments)
    assert all(stamp(begun) < moment <= stamp(begun + timedelta(seconds=401)) for moment in moments)
    if version == V201:
        assert all(payload["offline"] for *_, payload in told)
        numbers = [payload["seqNo"] for payload in csms.of(machine.charger.id, "TransactionEvent")]
        assert numbers == list(range(len(numbers)))


@every_version
def test_offline_only_known_drivers_charge(version: str) -> None:
    """C13: from the local list."""
    csms, machine, control = alone(version)
    entry = {"idTag": ADA.id_token, "idTagInfo": {"status": "Accepted"}}
    if version == V201:
        entry = {"idToken": {"idToken": ADA.id_token, "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}}
    number = "listVersion" if version == V16 else "versionNumber"
    update = {number: 4, "updateType": "Full", "localAuthorizationList": [entry]}
    assert csms.command(machine, "SendLocalList", update) == {"status": "Accepted"}
    old = update | {number: 3, "updateType": "Differential"}
    assert csms.command(machine, "SendLocalList", old) == {"status": "VersionMismatch"}
    assert csms.command(machine, "GetLocalListVersion", {}) == {number: 4}
    machine.unlink(600, "back")
    control.arrive(Driver("Bela", "F1EE700000002"), app=False)
    csms.run(10)
    assert control.visit is None
    control.arrive(ADA, app=False)
    csms.run(10)
    assert control.outlet.session is not None


@every_version
def test_a_reset_ends_sessions_and_boots(version: str) -> None:
    csms, machine, _ = charging(version)
    kind = {"type": "Hard" if version == V16 else "Immediate"}
    assert csms.command(machine, "Reset", kind) == {"status": "Accepted"}
    csms.run(10)
    assert ends(csms, machine) == ["HardReset" if version == V16 else "ImmediateReset"]
    assert actions(csms).count("BootNotification") == 2
    assert machine.online


@every_version
@pytest.mark.parametrize("make", [examples.minimal, examples.full])
def test_whatever_is_asked_while_it_charges_is_answered_in_valid_words(
    version: str, make: Callable[[Mapping[str, Any]], Any]
) -> None:
    """Also what it says afterwards because of that; the station is there in the end."""
    csms, machine, control = charging(version)
    for action in VERSIONS[version].to_station:
        if control.vacant:
            control.arrive(ADA, app=False)
        csms.command(machine, action, make(VERSIONS[version].schemas.request_document(action)))
        csms.run(5)
    csms.run(60)
    assert machine.online


def test_a_reset_on_idle_waits() -> None:
    """B12."""
    csms, machine, control = charging(V201)
    assert csms.command(machine, "Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    csms.run(30)
    assert actions(csms).count("BootNotification") == 1
    control.end("Local")
    csms.run(10)
    assert csms.of(machine.charger.id, "BootNotification")[1]["reason"] == "ScheduledReset"


@every_version
def test_an_update_is_told_step_by_step_and_runs_after_a_new_start(version: str) -> None:
    """L01, 1.6 §4.5."""
    csms, machine, _ = alone(version)
    at = stamp(csms.now)
    location = "https://files.example/voltbus-2.3.4.bin"
    if version == V16:
        csms.command(machine, "UpdateFirmware", {"location": location, "retrieveDate": at})
    else:
        firmware = {"location": location, "retrieveDateTime": at}
        csms.command(machine, "UpdateFirmware", {"requestId": 5, "firmware": firmware})
        csms.run(4)
        again = csms.command(machine, "UpdateFirmware", {"requestId": 6, "firmware": firmware})
        assert again == {"status": "AcceptedCanceled"}
    csms.run(60)
    said = [payload["status"] for payload in csms.of(machine.charger.id, "FirmwareStatusNotification")]
    assert said[-1] == "Installed"
    assert said.count("Installed") == 1
    booted = csms.of(machine.charger.id, "BootNotification")[-1]
    assert booted.get("firmwareVersion", booted.get("chargingStation", {}).get("firmwareVersion")) == "2.3.4"


@every_version
def test_an_outlet_is_taken_out_of_service_when_its_session_is_over(version: str) -> None:
    """G03.FR.05, 1.6 §5.2."""
    csms, machine, control = charging(version)
    action = {"connectorId": 1, "type": "Inoperative"}
    if version == V201:
        action = {"evse": {"id": 1}, "operationalStatus": "Inoperative"}
    assert csms.command(machine, "ChangeAvailability", action) == {"status": "Scheduled"}
    control.end("Local")
    csms.run(8)
    assert states(csms, machine)[-1] == "Unavailable"
    assert csms.command(machine, *start(machine, 1, "TAG", 1)) == {"status": "Rejected"}


@every_version
def test_a_reservation_keeps_an_outlet_for_one_driver(version: str) -> None:
    """H01, H03, 1.6 §5.13."""
    csms, machine, control = alone(version)
    expires = stamp(csms.now + timedelta(hours=1))
    wanted: dict[str, Any] = {"connectorId": 1, "idTag": ADA.id_token, "reservationId": 9, "expiryDate": expires}
    if version == V201:
        token = {"idToken": ADA.id_token, "type": "ISO14443"}
        wanted = {"id": 9, "expiryDateTime": expires, "idToken": token, "evseId": 1}
    assert csms.command(machine, "ReserveNow", wanted) == {"status": "Accepted"}
    csms.run(1)
    assert states(csms, machine)[-1] == "Reserved"
    assert csms.command(machine, *start(machine, 1, "OTHER", 1)) == {"status": "Rejected"}
    assert csms.command(machine, *start(machine, 1, ADA.id_token, 1)) == {"status": "Accepted"}
    csms.run(2)
    begun = csms.of(machine.charger.id, "StartTransaction", "TransactionEvent")[0]
    assert begun["reservationId"] == 9
    assert control.outlet.reservation is None
    assert csms.command(machine, "CancelReservation", {"reservationId": 9}) == {"status": "Rejected"}


@every_version
def test_a_reservation_expires(version: str) -> None:
    """H04."""
    csms, machine, _ = alone(version)
    expires = stamp(csms.now + timedelta(seconds=20))
    wanted: dict[str, Any] = {"connectorId": 1, "idTag": "TAG", "reservationId": 9, "expiryDate": expires}
    if version == V201:
        token = {"idToken": "TAG", "type": "ISO14443"}
        wanted = {"id": 9, "expiryDateTime": expires, "idToken": token}
    assert csms.command(machine, "ReserveNow", wanted) == {"status": "Accepted"}
    csms.run(19)
    assert states(csms, machine)[-1] == "Reserved"
    csms.run(2)
    assert states(csms, machine)[-1] == "Available"
    told = [{"reservationId": 9, "reservationUpdateStatus": "Expired"}] if version == V201 else []
    assert csms.of(machine.charger.id, "ReservationStatusUpdate") == told


@every_version
def test_the_sample_interval_can_be_changed(version: str) -> None:
    csms, machine, _ = charging(version)
    if version == V16:
        csms.command(machine, "ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "10"})
    else:
        name = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
        csms.command(machine, "SetVariables", {"setVariableData": [name | {"attributeValue": "10"}]})
    csms.run(400)
    before = len(csms.of(machine.charger.id, "MeterValues", "TransactionEvent"))
    csms.run(100)
    assert len(csms.of(machine.charger.id, "MeterValues", "TransactionEvent")) - before == pytest.approx(10, abs=1)


@every_version
def test_a_session_that_the_csms_refuses_ends(version: str) -> None:
    """E05; 1.6 §3.6 (StopTransactionOnInvalidId)."""
    csms, machine, _ = alone(version)
    token = {"idTagInfo": {"status": "Invalid"}, "idTokenInfo": {"status": "Invalid"}, "transactionId": 3}

    def answers(_: Machine, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        begins = action == "StartTransaction" or payload.get("eventType") == "Started"
        return token if begins else None

    csms.answers = answers
    csms.command(machine, *start(machine, 1, "TAG", 1))
    csms.run(3)
    assert ends(csms, machine) == ["DeAuthorized"]


@every_version
def test_a_boot_is_repeated_until_it_is_accepted(version: str) -> None:
    """B02.FR.04, B03.FR.02: after the interval, and nothing else is said before."""
    verdicts = [{"status": "Pending", "interval": 7, "currentTime": "2026-03-01T12:00:00Z"}]

    def answers(_: Machine, action: str, __: dict[str, Any]) -> dict[str, Any] | None:
        return verdicts.pop() if action == "BootNotification" and verdicts else None

    csms, machine, _ = alone(version, answers=answers)
    assert actions(csms) == ["BootNotification"]
    csms.run(6)
    assert actions(csms) == ["BootNotification"]
    csms.run(2)
    assert actions(csms)[:2] == ["BootNotification"] * 2
    assert machine.online


def test_what_is_asked_for_is_said_before_it_is_accepted() -> None:
    """B02.FR.02: while the boot is pending, a report that was asked for, and nothing else."""
    pending = {"status": "Pending", "interval": 300, "currentTime": "2026-03-01T12:00:00Z"}
    csms, machine, control = alone(
        V201, answers=lambda _, action, __: pending if action == "BootNotification" else None
    )
    control.arrive(ADA, app=False)
    csms.command(machine, "GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"})
    csms.run(3)
    assert actions(csms) == ["BootNotification", "NotifyReport"]
    ask = {"requestedMessage": "BootNotification"}
    assert csms.command(machine, "TriggerMessage", ask) == {"status": "Accepted"}
    csms.run(1)
    assert actions(csms)[-1] == "BootNotification"
    assert csms.command(machine, *start(machine, 1, "TAG", 1))["status"] == "Rejected"  # B02.FR.05


def test_the_device_model_is_reported_in_parts() -> None:
    """B07: every variable once, the parts numbered, the last one says so."""
    csms, machine, _ = alone(V201)
    csms.command(machine, "GetBaseReport", {"requestId": 8, "reportBase": "FullInventory"})
    csms.run(3)
    parts = csms.of(machine.charger.id, "NotifyReport")
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    names = [str((item["component"], item["variable"])) for part in parts for item in part["reportData"]]
    assert len(names) == len(set(names)) == len(machine.charger.variables.known)


def test_monitors_see() -> None:
    """N07.FR.16, N07.FR.02, N07.FR.19, N07.FR.15, N08."""
    csms, machine, control = alone(V201)
    evse: dict[str, Any] = {"name": "EVSE", "evse": {"id": 1}}
    wanted = [
        {"type": "UpperThreshold", "value": 100, "severity": 3, "component": evse, "variable": {"name": "Power"}},
        {"type": "Delta", "value": 1, "severity": 4, "component": evse, "variable": {"name": "AvailabilityState"}},
        {"type": "Delta", "value": 1, "severity": 9, "component": evse, "variable": {"name": "AvailabilityState"}},
        {"type": "UpperThreshold", "value": 1, "severity": 3, "component": evse, "variable": {"name": "Problem"}},
        {"type": "Delta", "value": 1, "severity": 3, "component": {"name": "Toaster"}, "variable": {"name": "Heat"}},
    ]
    answer = csms.command(machine, "SetVariableMonitoring", {"setMonitoringData": wanted})
    statuses = [result["status"] for result in answer["setMonitoringResult"]]
    assert statuses == ["Accepted", "Accepted", "Accepted", "UnsupportedMonitorType", "UnknownComponent"]
    csms.command(machine, "SetMonitoringLevel", {"severity": 5})
    control.arrive(ADA, app=False)
    csms.run(10)
    control.end("Local")
    csms.run(10)
    events = [event for payload in csms.of(machine.charger.id, "NotifyEvent") for event in payload["eventData"]]
    told = [(event["variableMonitoringId"], event["trigger"], event.get("cleared")) for event in events]
    assert [it for it in told if it[0] == 1] == [(1, "Alerting", False), (1, "Alerting", True)]
    assert [it for it in told if it[0] == 2] == [(2, "Delta", None), (2, "Delta", None)]
    assert not [it for it in told if it[0] == 3]
    assert csms.command(machine, "ClearVariableMonitoring", {"id": [1, 2, 3, 4]})["clearMonitoringResult"][3] == {
        "id": 4,
        "status": "NotFound",
    }
    heard = len(events)
    control.arrive(ADA, app=False)
    csms.run(10)
    assert len(csms.of(machine.charger.id, "NotifyEvent")) <= heard


def test_keys_of_16_are_read_only_or_need_a_reboot() -> None:
    csms, machine, _ = alone(V16)
    for key, value, status in [
        ("numberofconnectors", "3", "Rejected"),
        ("HeartbeatInterval", "often", "Rejected"),
        ("HeartbeatInterval", "30", "Accepted"),
        ("SecurityProfile", "2", "RebootRequired"),
        ("NoSuchKey", "1", "NotSupported"),
        ("AuthorizationKey", "0123456789abcdef0123456789abcdef01234567", "Accepted"),
    ]:
        assert csms.command(machine, "ChangeConfiguration", {"key": key, "value": value}) == {"status": status}
    answer = csms.command(machine, "GetConfiguration", {"key": ["SecurityProfile", "AuthorizationKey", "NoSuchKey"]})
    assert answer["configurationKey"][0] == {"key": "SecurityProfile", "readonly": False, "value": "1"}
    assert "value" not in answer["configurationKey"][1]
    assert answer["unknownKey"] == ["NoSuchKey"]
    assert machine.charger.password == "0123456789abcdef0123456789abcdef01234567"
    machine.charger.variables.restarted()
    assert machine.charger.variables.get("SecurityProfile") == "2"
