"""What a 2.1 station answers to its CSMS beyond 2.0.1, one small function an action."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import Answer, Payload, Perform
from voltbus.simulator.station.v21 import streams
from voltbus.simulator.station.v201 import charging, commands

Request = Mapping[str, Any]


def answer(status: str, reason: str = "") -> Answer:
    return Answer({"status": status} | ({"statusInfo": {"reasonCode": reason}} if reason else {}))


def reset(charger: Charger, payload: Request) -> Answer:
    """B13.FR.01: it cannot go on with transactions after a reset."""
    return answer("Rejected") if payload["type"] == "ImmediateAndResume" else commands.reset(charger, payload)


def set_profile(charger: Charger, payload: Request) -> Answer:
    """Of the purposes those that 2.0.1 has."""
    known = payload["chargingProfile"]["chargingProfilePurpose"] in charging.PURPOSES
    return charging.set_profile(charger, payload) if known else answer("Rejected", "UnsupportedPurpose")


def remote_start(charger: Charger, payload: Request) -> Answer:
    """F01.FR.09."""
    profile = payload.get("chargingProfile") or {"chargingProfilePurpose": "TxProfile"}
    if profile["chargingProfilePurpose"] != "TxProfile":
        return answer("Rejected", "InvalidProfile")
    return commands.remote_start(charger, payload)


def update_schedule(charger: Charger, payload: Request) -> Answer:
    """K28.FR.06, K28.FR.11."""
    for known in charger.profiles:
        written = known.written or {}
        if known.id == payload["chargingProfileId"] and written.get("chargingProfileKind") == "Dynamic":
            schedule = written["chargingSchedule"][0]
            period = schedule["chargingSchedulePeriod"][0] | payload["scheduleUpdate"]
            schedules = [schedule | {"chargingSchedulePeriod": [period]}]
            updated = charging.profile(written | {"chargingSchedule": schedules}, known.outlet)
            charger.profiles = [updated if one is known else one for one in charger.profiles]
            return answer("Accepted")
    return answer("Rejected", "InvalidProfile")


def monitoring_report(charger: Charger, payload: Request) -> Answer:
    """N02; 2.1 asks for the kind of each monitor."""
    told = commands.ANSWERS["GetMonitoringReport"](charger, payload)
    if not isinstance(told.effect, Perform):
        return told
    steps = tuple(replace(step, call=(step.call[0], _with_kinds(step.call[1]))) for step in told.effect.steps)
    return replace(told, effect=replace(told.effect, steps=steps))


def set_default_tariff(charger: Charger, payload: Request) -> Answer:
    """I07: kept for its EVSE; 0 for all of them."""
    charger.tariffs[payload["tariff"]["tariffId"]] = payload["evseId"]
    return answer("Accepted")


def get_tariffs(charger: Charger, payload: Request) -> Answer:
    found = [
        {"tariffId": name, "tariffKind": "DefaultTariff", "evseIds": [evse]}
        for name, evse in charger.tariffs.items()
        if payload["evseId"] in (0, evse)
    ]
    return Answer({"status": "Accepted", "tariffAssignments": found}) if found else answer("NoTariff")


def clear_tariffs(charger: Charger, payload: Request) -> Answer:
    wanted = payload.get("tariffIds") or [*charger.tariffs] or [""]
    results = [
        {"status": "NoTariff" if charger.tariffs.pop(name, None) is None else "Accepted"}
        | ({"tariffId": name} if name else {})
        for name in wanted
    ]
    return Answer({"clearTariffsResult": results})


def _with_kinds(report: Payload) -> Payload:
    monitors = [
        item | {"variableMonitoring": [one | {"eventNotificationType": "CustomMonitor"} for one in monitored]}
        for item in report.get("monitor", ())
        if (monitored := item["variableMonitoring"])
    ]
    return report | ({"monitor": monitors} if monitors else {})


ANSWERS: Mapping[str, Callable[[Charger, Request], Answer]] = {
    **commands.ANSWERS,
    "AFRRSignal": lambda _, __: answer("Rejected", "UnsupportedRequest"),
    "AdjustPeriodicEventStream": streams.adjust,
    "ChangeTransactionTariff": lambda _, __: answer("TxNotFound"),
    "ClearDERControl": lambda _, __: answer("NotSupported"),
    "ClearTariffs": clear_tariffs,
    "GetDERControl": lambda _, __: answer("NotSupported"),
    "GetMonitoringReport": monitoring_report,
    "GetPeriodicEventStream": streams.get_streams,
    "GetTariffs": get_tariffs,
    "NotifyAllowedEnergyTransfer": lambda _, __: answer("Rejected", "UnsupportedRequest"),
    "NotifyWebPaymentStarted": lambda _, __: Answer(),
    "RequestBatterySwap": lambda _, __: answer("Rejected", "NoBatteryAvailable"),
    "RequestStartTransaction": remote_start,
    "Reset": reset,
    "SetChargingProfile": set_profile,
    "SetDERControl": lambda _, __: answer("NotSupported"),
    "SetDefaultTariff": set_default_tariff,
    "UpdateDynamicSchedule": update_schedule,
    "UsePriorityCharging": lambda _, __: answer("NoProfile"),
}
