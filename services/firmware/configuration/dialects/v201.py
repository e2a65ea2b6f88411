"""OCPP 2.0.1: GetVariables, SetVariables, GetBaseReport, GetReport and NotifyReport (B05 to B08)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.common.process.errors import InvalidContent
from services.common.splitting import MessageLimit, chunks, message_size
from services.firmware.configuration.dialects.dialect import (
    CapabilityName,
    Capacity,
    MessageLimits,
    Payload,
    ReportReply,
    SetResult,
    SettingsDialect,
    SettingsReading,
    Write,
    positive_integer,
)
from services.firmware.configuration.dialects.names import BadName, Variable
from services.firmware.configuration.domain.reports import Part
from services.firmware.configuration.domain.settings import Characteristics, Observation, Result, is_storable, key
from services.firmware.texts import text
from services.ocpp.masking import is_secret

ITEMS, BYTES = "DeviceDataCtrlr.ItemsPerMessage({})", "DeviceDataCtrlr.BytesPerMessage({})"
LIMIT_NAMES = tuple(limit.format(action) for limit in (ITEMS, BYTES) for action in ("GetVariables", "SetVariables"))
MONITORING_ITEMS, MONITORING_BYTES = "MonitoringCtrlr.ItemsPerMessage({})", "MonitoringCtrlr.BytesPerMessage({})"


def _capacity(
    action: str, field: str, limits: tuple[str, str], *, results: str | None = None, number: str | None = None
) -> Capacity:
    items, size = (limit.format(action) for limit in limits)
    return Capacity(field, items, size, results, number)


DEVICE_DATA, MONITORING = (ITEMS, BYTES), (MONITORING_ITEMS, MONITORING_BYTES)
_REPORT = _capacity("GetReport", "componentVariable", DEVICE_DATA, number="requestId")
CAPACITIES: Mapping[str, Capacity] = {
    "GetVariables": _capacity("GetVariables", "getVariableData", DEVICE_DATA, results="getVariableResult"),
    "SetVariables": _capacity("SetVariables", "setVariableData", DEVICE_DATA, results="setVariableResult"),
    "GetReport": _REPORT,
    # §2.1.16, §2.1.18: the limits of GetReport are those of GetMonitoringReport, too.
    "GetMonitoringReport": _REPORT,
    "SetVariableMonitoring": _capacity(
        "SetVariableMonitoring", "setMonitoringData", MONITORING, results="setMonitoringResult"
    ),
    "ClearVariableMonitoring": _capacity("ClearVariableMonitoring", "id", MONITORING, results="clearMonitoringResult"),
}
# Where a station does not say: small enough for any.
DEFAULT_ITEMS = 20
LONGEST_NAME = 50
LARGEST = 2**63 - 1
SHARED_NAMES = {
    "heartbeat_interval": "OCPPCommCtrlr.HeartbeatInterval",
    "meter_values_interval": "SampledDataCtrlr.TxUpdatedInterval",
    "meter_values_measurands": "SampledDataCtrlr.TxUpdatedMeasurands",
    "clock_aligned_interval": "AlignedDataCtrlr.Interval",
    "clock_aligned_measurands": "AlignedDataCtrlr.Measurands",
    "websocket_ping_interval": "OCPPCommCtrlr.WebSocketPingInterval",
    "connection_timeout": "TxCtrlr.EVConnectionTimeOut",
    "authorize_remote_start": "AuthCtrlr.AuthorizeRemoteStart",
    "local_pre_authorize": "AuthCtrlr.LocalPreAuthorize",
    "local_authorize_offline": "AuthCtrlr.LocalAuthorizeOffline",
    "allow_offline_unknown_id": "AuthCtrlr.OfflineTxForUnknownIdEnabled",
    "stop_on_invalid_id": "TxCtrlr.StopTxOnInvalidId",
    "stop_on_ev_disconnect": "TxCtrlr.StopTxOnEVSideDisconnect",
    "unlock_on_ev_disconnect": "OCPPCommCtrlr.UnlockOnEVSideDisconnect",
    "max_energy_on_invalid_id": "TxCtrlr.MaxEnergyOnInvalidId",
    "authorization_cache": "AuthCacheCtrlr.Enabled",
    "local_list": "LocalAuthListCtrlr.Enabled",
    "transaction_attempts": "OCPPCommCtrlr.MessageAttempts(TransactionEvent)",
    "transaction_retry_interval": "OCPPCommCtrlr.MessageAttemptInterval(TransactionEvent)",
    "reset_retries": "OCPPCommCtrlr.ResetRetries",
}
# §2.2.4, §2.2.6, §2.2.7, §2.5. Its tables write LocalAuthListCtrl here and there, its list of components does not.
LISTS = ("LocalAuthListCtrlr", "LocalAuthListCtrl")
CAN: Mapping[str, tuple[CapabilityName, ...]] = {
    "local_list_entries": tuple(CapabilityName(f"{one}.Entries", maximum=True) for one in LISTS),
    "local_list_items_per_message": tuple(CapabilityName(f"{one}.ItemsPerMessage") for one in LISTS),
    "local_list_bytes_per_message": tuple(CapabilityName(f"{one}.BytesPerMessage") for one in LISTS),
    "certificate_chain_size": (CapabilityName("SecurityCtrlr.MaxCertificateChainSize"),),
    "certificate_entries": (CapabilityName("SecurityCtrlr.CertificateEntries", maximum=True),),
    "additional_root_certificate_check": (CapabilityName("SecurityCtrlr.AdditionalRootCertificateCheck"),),
}
# B05.FR.04 to FR.10.
RESULTS: Mapping[str, Result] = {
    "Accepted": Result.APPLIED,
    "RebootRequired": Result.REBOOT_REQUIRED,
    "UnknownComponent": Result.UNKNOWN,
    "UnknownVariable": Result.UNKNOWN,
    "NotSupportedAttributeType": Result.UNKNOWN,
    "Rejected": Result.REJECTED,
}


def canonical_name(written: str) -> str:
    """As dialects/names.py writes it."""
    variable = Variable.parse(written)
    parts = (variable.component, variable.variable, variable.component_instance, variable.variable_instance)
    if not variable.component or not variable.variable or any(part and len(part) > LONGEST_NAME for part in parts):
        raise BadName(f"must have names and instances of 1 to {LONGEST_NAME} characters (OCPP 2.x)")
    return str(variable)


def is_own_name(written: str) -> bool:
    """A name of a component and a variable."""
    try:
        return bool(canonical_name(written))
    except BadName:
        return False


def message_limits(values: Mapping[str, str]) -> MessageLimits:
    """B05.FR.11, B06.FR.05: never more than the station said."""
    get, put = "GetVariables", "SetVariables"
    return MessageLimits(
        reads=positive_integer(values, ITEMS.format(get)) or DEFAULT_ITEMS,
        writes=positive_integer(values, ITEMS.format(put)) or DEFAULT_ITEMS,
        read_bytes=positive_integer(values, BYTES.format(get)),
        write_bytes=positive_integer(values, BYTES.format(put)),
    )


def read_all(base: str, request_id: int) -> tuple[str, Payload]:
    """B07."""
    return "GetBaseReport", {"requestId": request_id, "reportBase": base}


def read(names: Sequence[str], limits: MessageLimits) -> list[tuple[str, Payload]]:
    items = [Variable.parse(name).payload() for name in names]
    parts = chunks(items, MessageLimit(limits.reads, limits.read_bytes), message_size({"getVariableData": []}))
    return [("GetVariables", {"getVariableData": chunk}) for chunk in parts]


def write(values: Mapping[str, str], limits: MessageLimits) -> list[Write]:
    """B05.FR.13 holds by the names: no attribute stands in them twice."""
    items = [Variable.parse(name).payload() | {"attributeValue": value} for name, value in values.items()]
    parts = chunks(items, MessageLimit(limits.writes, limits.write_bytes), message_size({"setVariableData": []}))
    return [Write("SetVariables", {"setVariableData": chunk}, dict(_named_values(chunk))) for chunk in parts]


def read_answer(_: Payload, answer: Any) -> SettingsReading:
    """B06.FR.06 to FR.10; what is rejected cannot be read now, and says nothing (B06.FR.09)."""
    observations = []
    for item in answer["getVariableResult"]:
        status, name = item["attributeStatus"], _name_of(item, item.get("attributeType"))
        if name is None or status == "Rejected":
            continue
        hidden = status != "Accepted" or is_secret(name)
        value = None if hidden else text(item.get("attributeValue", ""))
        observations.append(Observation(name, value, "get", unknown=status != "Accepted"))
    return SettingsReading(tuple(observations))


def write_answer(request: Payload, answer: Any) -> list[SetResult]:
    """B05.FR.02: results name what they are of, and may come in another order."""
    wanted = {key(name): (name, value) for name, value in _named_values(request["setVariableData"])}
    results = {}
    for item in answer["setVariableResult"] if answer else ():
        if name := _name_of(item, item.get("attributeType")):
            reason_code = (item.get("attributeStatusInfo") or {}).get("reasonCode")
            reason = str(text(item["attributeStatus"])) + (f" ({text(reason_code)})" if reason_code else "")
            results[key(name)] = (RESULTS.get(item["attributeStatus"], Result.REJECTED), reason)
    missing = (Result.REJECTED, "no result of it in the answer") if answer else (Result.PENDING, None)
    return [
        SetResult(name, None if is_secret(name) else value, *results.get(key_, missing))
        for key_, (name, value) in wanted.items()
    ]


def report_answer(request: Payload, answer: Any) -> ReportReply | None:
    """B07.FR.01, FR.02, FR.13; B08.FR.01, FR.02, FR.15, FR.16. None where no report can have that number."""
    request_id, status = request["requestId"], answer["status"]
    if abs(request_id) > LARGEST:
        return None
    return ReportReply(
        request_id=int(request_id),
        base=request.get("reportBase"),
        accepted=status == "Accepted",
        reason=status,
    )


def part(report: Payload) -> Part:
    """NotifyReport (B07.FR.03, FR.10). Raises InvalidContent where its numbers cannot be."""
    request_id, seq_no = report["requestId"], report["seqNo"]
    if not (abs(request_id) <= LARGEST and 0 <= seq_no <= LARGEST):
        raise InvalidContent("a report with impossible numbers")
    settings = tuple(one for item in report.get("reportData") or () for one in _observations(item))
    return Part(int(request_id), int(seq_no), bool(report.get("tbc")), settings)


def _observations(item: dict[str, Any]) -> Iterator[Observation]:
    """All attributes of a variable; characteristics are those of each."""
    variable = item.get("variableCharacteristics") or {}
    for attribute in item.get("variableAttribute", ()):
        name = _name_of(item, attribute.get("type"))
        if name is None:
            continue
        secret = is_secret(name)
        characteristics = Characteristics(
            mutability="WriteOnly" if secret else text(attribute.get("mutability")) or "ReadWrite",
            data_type=text(variable.get("dataType")),
            unit=text(variable.get("unit")),
            minimum=variable.get("minLimit"),
            maximum=variable.get("maxLimit"),
            values=text(variable.get("valuesList")),
            persistent=bool(attribute.get("persistent")),
            constant=bool(attribute.get("constant")),
        )
        hidden = characteristics.mutability == "WriteOnly"
        yield Observation(name, None if hidden else text(attribute.get("value")), "report", characteristics)


def _name_of(item: dict[str, Any], attribute: str | None) -> str | None:
    """The name of a setting in a payload; None where no station can have it."""
    try:
        name = str(text(str(Variable.of(item, attribute))))
    except BadName:
        return None
    return name if is_storable(name) else None


def _named_values(items: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for item in items:
        if name := _name_of(item, item.get("attributeType")):
            yield name, item["attributeValue"]


DIALECT = SettingsDialect(
    max_value_length=1000,
    downgrade="SecurityCtrlr.AllowSecurityProfileDowngrade",
    shared_names=SHARED_NAMES,
    canonical_name=canonical_name,
    is_own_name=is_own_name,
    limit_names=LIMIT_NAMES,
    limits=message_limits,
    read_all=read_all,
    read=read,
    write=write,
    read_answers={"GetVariables": read_answer},
    write_answers={"SetVariables": write_answer},
    report_answers={"GetBaseReport": report_answer, "GetReport": report_answer},
    capacities=CAPACITIES,
    can=CAN,
)
