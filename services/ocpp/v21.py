"""Facts of OCPP 2.1: those of 2.0.1, and what it adds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from services.ocpp import v201
from services.ocpp.actions import Action
from services.ocpp.errors import ErrorCode
from services.ocpp.guards import PASSWORD, Guard, Guards, Payload, any_of, needs
from services.ocpp.schemas import Fault
from services.ocpp.services import AUTH, FIRMWARE, SMARTCHARGING, TRANSACTIONS

NAME = "2.1"
SUBPROTOCOL = "ocpp2.1"
SCHEMAS = "v21/schemas"
REQUEST_SUFFIX = "Request"

SPELLING = v201.SPELLING

CERTIFICATE = "certificateStatusRequests[].certificateHashData"
# A period may have a setpoint in place of its limit.
ACTIONS: Mapping[str, Action] = {
    action: replace(
        facts,
        needs=tuple(path for path in facts.needs if not path.endswith(".limit")),
        answer_needs=tuple(path for path in facts.answer_needs if not path.endswith(".limit")),
    )
    for action, facts in v201.ACTIONS.items()
} | {
    "GetCertificateChainStatus": Action(
        AUTH, from_station=True, needs=("certificateStatusRequests", CERTIFICATE, f"{CERTIFICATE}.serialNumber")
    ),
    "BatterySwap": Action(TRANSACTIONS, from_station=True),
    "ChangeTransactionTariff": Action(TRANSACTIONS, to_station=True),
    "ClearTariffs": Action(TRANSACTIONS, to_station=True),
    "GetTariffs": Action(TRANSACTIONS, to_station=True),
    "NotifySettlement": Action(TRANSACTIONS, from_station=True),
    "NotifyWebPaymentStarted": Action(TRANSACTIONS, to_station=True),
    "RequestBatterySwap": Action(TRANSACTIONS, to_station=True),
    "SetDefaultTariff": Action(TRANSACTIONS, to_station=True),
    "VatNumberValidation": Action(TRANSACTIONS, from_station=True, needs=("vatNumber",)),
    "AFRRSignal": Action(SMARTCHARGING, to_station=True),
    "ClearDERControl": Action(SMARTCHARGING, to_station=True),
    "GetDERControl": Action(SMARTCHARGING, to_station=True),
    "NotifyAllowedEnergyTransfer": Action(SMARTCHARGING, to_station=True),
    "NotifyDERAlarm": Action(SMARTCHARGING, from_station=True),
    "NotifyDERStartStop": Action(SMARTCHARGING, from_station=True),
    "NotifyPriorityCharging": Action(SMARTCHARGING, from_station=True),
    "PullDynamicScheduleUpdate": Action(SMARTCHARGING, from_station=True, needs=("chargingProfileId",)),
    "ReportDERControl": Action(SMARTCHARGING, from_station=True),
    "SetDERControl": Action(SMARTCHARGING, to_station=True),
    "UpdateDynamicSchedule": Action(SMARTCHARGING, to_station=True),
    "UsePriorityCharging": Action(SMARTCHARGING, to_station=True),
    "AdjustPeriodicEventStream": Action(FIRMWARE, to_station=True),
    "ClosePeriodicEventStream": Action(FIRMWARE, from_station=True),
    "GetPeriodicEventStream": Action(FIRMWARE, to_station=True),
    "NotifyPeriodicEventStream": Action(FIRMWARE, from_station=True),
    "OpenPeriodicEventStream": Action(FIRMWARE, from_station=True, needs=("constantStreamData",)),
}

LIMITS, SETPOINTS = ("limit", "dischargeLimit"), ("setpoint", "setpointReactive")
PHASES = ("_L2", "_L3")
# The operationMode of a period that says none.
CHARGING_ONLY = "ChargingOnly"
# What a period may not have, by its operationMode.
NOT_WITH = {
    CHARGING_ONLY: ("dischargeLimit", *SETPOINTS),  # Q02.FR.02
    "CentralSetpoint": LIMITS,  # Q03.FR.02
    "CentralFrequency": LIMITS,  # Q07.FR.03 (errata of 2025-09)
    "LocalFrequency": (*LIMITS, *SETPOINTS),  # Q08.FR.01
    "Idle": (*LIMITS, *SETPOINTS),  # Q10.FR.01
}
# K01.FR.71, table 95: the operation modes of a profile, by its purpose; those of a transaction have any.
MODES = {
    "PriorityCharging": (CHARGING_ONLY,),
    "ChargingStationMaxProfile": (CHARGING_ONLY,),
    "LocalGeneration": (CHARGING_ONLY, "ExternalLimits"),
}
# The field of a SetDERControl that is of a controlType; of all others it is curve (R04.FR.16, errata of 2025-09).
CONTROLS = {
    "EnterService": "enterService",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "FreqDroop": "freqDroop",
    "Gradients": "gradient",
    "LimitMaxDischarge": "limitMaxDischarge",
}
CURVE = "curve"


def _fault(message: str, field: str, code: ErrorCode = ErrorCode.PROPERTY_CONSTRAINT_VIOLATION) -> Fault:
    return Fault(code, message, field)


def _first(faults: Iterable[Fault]) -> Fault | None:
    return next(iter(faults), None)


def _periods(profile: Payload, path: str) -> Iterator[tuple[str, Payload]]:
    for n, schedule in enumerate(profile["chargingSchedule"]):
        for m, period in enumerate(schedule["chargingSchedulePeriod"]):
            yield f"{path}.chargingSchedule.{n}.chargingSchedulePeriod.{m}", period


def _forbidden(profile: Payload, path: str) -> Iterator[Fault]:
    """A mode that is none of the profile's purpose, and what a period may not have in its mode."""
    purpose = profile["chargingProfilePurpose"]
    for where, period in _periods(profile, path):
        mode = period.get("operationMode", CHARGING_ONLY)
        if mode not in MODES.get(purpose, (mode,)):
            yield _fault(f"must not be {mode} in a {purpose}", f"{where}.operationMode")
        for field in period:
            if _whole(field) in NOT_WITH.get(mode, ()):
                yield _fault(f"must not be given with operationMode {mode}", f"{where}.{field}", OCCURRENCE)


def _of_phases(amounts: Payload, path: str) -> Iterator[Fault]:
    """V2X.07, K01.FR.145 (errata of 2025-09): what is said of a phase is said beside what is said of the first."""
    for field in amounts:
        if (whole := _whole(field)) != field and whole not in amounts:
            yield _fault(f"needs {whole}", f"{path}.{field}", OCCURRENCE)


def _discharging_by_phase(profile: Payload, path: str) -> Iterator[Fault]:
    """V2X.09, K01.FR.143 (errata of 2025-09): for a TxProfile alone."""
    if profile["chargingProfilePurpose"] != "TxProfile":
        for where, period in _periods(profile, path):
            for field in period:
                if (whole := _whole(field)) != field and whole != "limit":
                    yield _fault("is for a TxProfile alone", f"{where}.{field}", OCCURRENCE)


def _dynamic(profile: Payload, path: str) -> Iterator[Fault]:
    """K28.FR.01, K28.FR.02: one schedule of one period, which begins at once. K28.FR.04: only such a one is updated."""
    schedules = profile["chargingSchedule"]
    if profile["chargingProfileKind"] != "Dynamic":
        if "dynUpdateInterval" in profile:
            yield _fault("is for a Dynamic profile alone", f"{path}.dynUpdateInterval", OCCURRENCE)
    elif len(schedules) > 1:
        yield _fault("must be one for a Dynamic profile", f"{path}.chargingSchedule", OCCURRENCE)
    elif len(periods := schedules[0]["chargingSchedulePeriod"]) > 1:
        where = f"{path}.chargingSchedule.0.chargingSchedulePeriod"
        yield _fault("must be one for a Dynamic profile", where, OCCURRENCE)
    elif periods[0]["startPeriod"] != 0:
        where = f"{path}.chargingSchedule.0.chargingSchedulePeriod.0.startPeriod"
        yield _fault("must be 0 for a Dynamic profile", where)


def _profile(path: str) -> Guard:
    """What is true of a charging profile, wherever it is sent."""

    def guard(payload: Payload) -> Fault | None:
        if (profile := payload.get(path)) is None:
            return None
        rules = (_forbidden, _discharging_by_phase, _dynamic)
        by_phase = (fault for where, period in _periods(profile, path) for fault in _of_phases(period, where))
        return _first(fault for faults in (*(rule(profile, path) for rule in rules), by_phase) for fault in faults)

    return guard


def _update(payload: Payload) -> Fault | None:
    return _first(_of_phases(payload["scheduleUpdate"], "scheduleUpdate"))


def _control(payload: Payload) -> Fault | None:
    """R04.FR.12, R04.FR.14, R04.FR.16 (errata of 2025-09)."""
    kind, is_default = payload["controlType"], payload["isDefault"]
    own = CONTROLS.get(kind, CURVE)
    for field in (*CONTROLS.values(), CURVE):
        if field in payload and field != own:
            return _fault(f"must not be given with controlType {kind}", field, OCCURRENCE)
    if own not in payload:
        return _fault(f"controlType {kind} needs it", own, OCCURRENCE)
    if not is_default and kind in ("EnterService", "Gradients"):
        return _fault(f"must be true with controlType {kind}", "isDefault")
    for field in ("startTime", "duration"):
        if is_default and field in payload[own]:
            return _fault("must not be given for a default control", f"{own}.{field}", OCCURRENCE)
    return None


def _streams(payload: Payload) -> Fault | None:
    """N11.FR.09: how often, or how many at a time."""
    for place, item in enumerate(payload["setMonitoringData"]):
        stream = item.get("periodicEventStream")
        if stream is not None and not {"interval", "values"} & stream.keys():
            where = f"setMonitoringData.{place}.periodicEventStream"
            return _fault("needs one of interval, values", where, OCCURRENCE)
    return None


def _password(payload: Payload) -> Fault | None:
    """One that is set beside auth shuts the station out."""
    given = "basicAuthPassword" in payload["connectionData"]
    return _fault(PASSWORD, "connectionData.basicAuthPassword") if given else None


def _whole(field: str) -> str:
    """The field that is of all phases, or of the first."""
    return field[: -len(PHASES[0])] if field.endswith(PHASES) else field


OCCURRENCE = ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION
ADDED: Guards = {
    "SetChargingProfile": (_profile("chargingProfile"),),
    "RequestStartTransaction": (_profile("chargingProfile"),),
    "UpdateDynamicSchedule": (_update,),
    "SetDERControl": (_control,),
    "SetVariableMonitoring": (_streams,),
    "AdjustPeriodicEventStream": (any_of(("interval", "values"), "params"),),  # N14.FR.01
    "TriggerMessage": (needs("customTrigger", "requestedMessage", "CustomTrigger"),),  # F06.FR.20 (errata of 2025-09)
    "SetNetworkProfile": (_password,),
}
GUARDS: Guards = {action: (*v201.GUARDS.get(action, ()), *ADDED.get(action, ())) for action in {**v201.GUARDS, **ADDED}}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    **v201.EXAMPLES,
    "AdjustPeriodicEventStream": {"params": {"interval": 60}},
    "UpdateDynamicSchedule": {"scheduleUpdate": {"limit": 11000}},
    "SetDERControl": {
        "controlType": "LimitMaxDischarge",
        "limitMaxDischarge": {"priority": 1, "pctMaxDischargePower": 50},
    },
}
