"""OCPP 2.1: needs in a control mode, schedules of setpoints and phases, Dynamic profiles, the controls of the grid."""

from math import inf
from typing import Any

import pytest

from services.common.calls.call import Refused
from services.ocpp.versions import VERSIONS
from services.smartcharging.dialects import BY_VERSION, DIALECTS
from services.smartcharging.domain.installed_profiles import installed_profiles
from services.smartcharging.domain.profile import Kind, Purpose, amounts, as_json, from_json
from services.smartcharging.domain.reports import ChosenSchedule, UpdateWanted, decide
from services.smartcharging.remote import profile_command
from tests.contract.examples import full
from tests.unit.common.calls import call
from tests.unit.smartcharging.test_profile_dialects import command

SCHEMAS = VERSIONS["2.1"].schemas


def answer(action: str, payload: Any) -> Any:
    asked = call(action, payload, "2.1")
    report = DIALECTS.read(asked)
    assert not isinstance(report, Refused)
    written = DIALECTS.write(asked, decide(report))
    SCHEMAS.check_response(action, written)
    return written


@pytest.mark.parametrize(
    ("needs", "status"),
    [
        ({"requestedEnergyTransfer": "DC"}, "Rejected"),
        ({"requestedEnergyTransfer": "DC", "controlMode": "ScheduledControl"}, "NoChargingProfile"),
        ({"requestedEnergyTransfer": "DC_BPT", "controlMode": "DynamicControl"}, "NoChargingProfile"),
    ],
)
def test_without_a_schedule_needs_in_a_control_mode_are_no_fault(needs: Any, status: str) -> None:
    """K15.FR.04; K18.FR.04, K19.FR.04: Rejected would end the transaction (Q01.FR.04)."""
    assert answer("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs})["status"] == status
    assert answer("NotifyEVChargingNeeds", {"evseId": 1})["status"] == "Rejected"


@pytest.mark.parametrize(
    ("unit", "periods", "highest"),
    [
        ("A", [{"limit": 10, "limit_L2": 16, "limit_L3": 6}, {"limit": 8}], 16),
        ("W", [{"limit": 1000, "limit_L2": 2000}], 3000),
        ("W", [{"setpoint": -4000}], -4000),
        ("W", [{"limit": 100, "setpoint": 200}], 200),
        ("W", [{"dischargeLimit": -100}], inf),
        ("VA", [{"limit": 1}], inf),
    ],
)
def test_what_a_chosen_schedule_may_draw(unit: str, periods: list[Any], highest: float) -> None:
    schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": [{"startPeriod": 0, **one} for one in periods]}
    read = DIALECTS.read(call("NotifyEVChargingSchedule", {"evseId": 2, "chargingSchedule": schedule}, "2.1"))
    assert read == ChosenSchedule(2, unit, highest)


def test_there_is_no_such_dynamic_profile() -> None:
    """K28.FR.12."""
    said = answer("PullDynamicScheduleUpdate", {"chargingProfileId": 7})
    assert (said["status"], said["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidProfile")


@pytest.mark.parametrize(
    "action", ["NotifyDERAlarm", "NotifyDERStartStop", "NotifyPriorityCharging", "ReportDERControl"]
)
def test_what_is_only_kept(action: str) -> None:
    assert answer(action, full(SCHEMAS.request_document(action))) == {}


def test_an_update_of_a_dynamic_profile_is_remembered_and_told_when_it_is_asked_for() -> None:
    """K28.FR.06, K28.FR.07: what the station confirmed last."""
    period = {"startPeriod": 0, "limit": 9000, "operationMode": "ChargingOnly"}
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]}
    profile = {"id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile"}
    profile |= {"chargingProfileKind": "Dynamic", "chargingSchedule": [schedule]}
    steps: list[Any] = [("SetChargingProfile", {"evseId": 1, "chargingProfile": profile}, "Accepted")]
    for limit, status in ((4000, "Accepted"), (5000, "Rejected")):
        update = {"chargingProfileId": 3, "scheduleUpdate": {"limit": limit, "limit_L2": 1}}
        steps.append(("UpdateDynamicSchedule", update, status))
    sent = [command(action, payload, "2.1", response={"status": status}) for action, payload, status in steps]
    [known] = installed_profiles([change for one in sent if (change := profile_command(one))])
    assert known.installed is not None
    assert amounts(known.installed) == {"limit": 4000, "limit_L2": 1}
    asked = call("PullDynamicScheduleUpdate", {"chargingProfileId": 3}, "2.1")
    written = DIALECTS.write(asked, decide(UpdateWanted(3), amounts=amounts(known.installed)))
    SCHEMAS.check_response("PullDynamicScheduleUpdate", written)
    assert written == {"status": "Accepted", "scheduleUpdate": {"limit": 4000, "limit_L2": 1}}


def test_a_profile_is_read_with_all_that_it_says() -> None:
    period = {"startPeriod": 0, "setpoint": -3000, "operationMode": "CentralSetpoint"}
    profile = {
        "id": 5,
        "stackLevel": 1,
        "chargingProfilePurpose": "PriorityCharging",
        "chargingProfileKind": "Dynamic",
        "dynUpdateInterval": 60,
        "chargingSchedule": [
            {"id": 1, "chargingRateUnit": "W", "randomizedDelay": 9, "chargingSchedulePeriod": [period]}
        ],
    }
    report = {"requestId": 1, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [profile]}
    SCHEMAS.check_request("ReportChargingProfiles", report)
    [read] = BY_VERSION["2.1"].read_reported_profiles(report)
    assert (read.purpose, read.kind, read.further) == (Purpose.PRIORITY, Kind.DYNAMIC, {"dynUpdateInterval": 60})
    assert read.schedule.further == {"randomizedDelay": 9}
    [only] = read.schedule.periods
    assert (only.limit, only.further) == (None, {"setpoint": -3000, "operationMode": "CentralSetpoint"})
    assert from_json(as_json(read)) == read
