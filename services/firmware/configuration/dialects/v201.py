"""OCPP 2.0.1: GetVariables, SetVariables, GetBaseReport, GetReport and NotifyReport (B05 to B08)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.common.process.errors import Unprocessable
from services.firmware.configuration.dialects.dialect import (
    MessageLimits,
    Payload,
    ReportReply,
    SetResult,
    SettingsDialect,
    SettingsReading,
    Write,
    chunks,
    positive_integer,
)
from services.firmware.configuration.dialects.names import BadName, Variable
from services.firmware.configuration.domain.reports import Part
from services.firmware.configuration.domain.settings import Characteristics, Observation, Result, key
from services.firmware.dialects.words import text

ITEMS, BYTES = "DeviceDataCtrlr.ItemsPerMessage({})", "DeviceDataCtrlr.BytesPerMessage({})"
LIMITS = tuple(limit.format(action) for limit in (ITEMS, BYTES) for action in ("GetVariables", "SetVariables"))
# Where a station does not say: small enough for any.
ITEMS_UNSAID = 20
LONGEST_NAME = 50
LARGEST = 2**63 - 1
NEUTRAL = {
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
# B05.FR.04 to FR.10.
RESULTS: Mapping[str, Result] = {
    "Accepted": Result.APPLIED,
    "RebootRequired": Result.REBOOT_REQUIRED,
    "UnknownComponent": Result.UNKNOWN,
    "UnknownVariable": Result.UNKNOWN,
    "NotSupportedAttributeType": Result.UNKNOWN,
    "Rejected": Result.REJECTED,
}


def name(written: str) -> str:
    """As dialects/names.py writes it."""
    variable = Variable.parse(written)
    parts = (variable.component, variable.variable, variable.component_instance, variable.variable_instance)
    if not variable.component or not variable.variable or any(part and len(part) > LONGEST_NAME for part in parts):
        raise BadName(f"a name or instance of OCPP 2.x has 1 to {LONGEST_NAME} characters")
    return str(variable)


def holds(written: str) -> bool:
    """A name of a component and a variable."""
    try:
        return bool(name(written))
    except BadName:
        return False


def limits(values: Mapping[str, str]) -> MessageLimits:
    """B05.FR.11, B06.FR.05: never more than the station said."""
    get, put = "GetVariables", "SetVariables"
    return MessageLimits(
        reads=positive_integer(values, ITEMS.format(get)) or ITEMS_UNSAID,
        writes=positive_integer(values, ITEMS.format(put)) or ITEMS_UNSAID,
        read_bytes=positive_integer(values, BYTES.format(get)),
        write_bytes=positive_integer(values, BYTES.format(put)),
    )


def read_all(base: str, request_id: int) -> tuple[str, Payload]:
    """B07."""
    return "GetBaseReport", {"requestId": request_id, "reportBase": base}


def read(names: Sequence[str], allowed: MessageLimits) -> list[tuple[str, Payload]]:
    items = [Variable.parse(written).payload() for written in names]
    cut = chunks(items, allowed.reads, allowed.read_bytes)
    return [("GetVariables", {"getVariableData": chunk}) for chunk in cut]


def write(values: Mapping[str, str], allowed: MessageLimits) -> list[Write]:
    """B05.FR.13 holds by the names: no attribute stands in them twice."""
    items = [Variable.parse(written).payload() | {"attributeValue": value} for written, value in values.items()]
    cut = chunks(items, allowed.writes, allowed.write_bytes)
    return [Write("SetVariables", {"setVariableData": chunk}, dict(_wanted(chunk))) for chunk in cut]


def variables(_: Payload, answer: Any) -> SettingsReading:
    """B06.FR.06 to FR.10; what is rejected cannot be read now, and says nothing (B06.FR.09)."""
    seen = []
    for item in answer["getVariableResult"]:
        status, called = item["attributeStatus"], _called(item, item.get("attributeType"))
        if called is None or status == "Rejected":
            continue
        told = None if status != "Accepted" or key(called) in DIALECT.secrets else text(item.get("attributeValue", ""))
        seen.append(Observation(called, told, "get", unknown=status != "Accepted"))
    return SettingsReading(tuple(seen))


def variables_set(asked: Payload, answer: Any) -> list[SetResult]:
    """B05.FR.02: results name what they are of, and may come in another order."""
    wanted = {key(called): (called, value) for called, value in _wanted(asked["setVariableData"])}
    told = {}
    for item in answer["setVariableResult"] if answer else ():
        if called := _called(item, item.get("attributeType")):
            reason = (item.get("attributeStatusInfo") or {}).get("reasonCode")
            said = item["attributeStatus"] + (f" ({text(reason)})" if reason else "")
            told[key(called)] = (RESULTS[item["attributeStatus"]], said)
    unsaid = (Result.REJECTED, "no result of it in the answer") if answer else (Result.PENDING, None)
    return [
        SetResult(called, None if folded in DIALECT.secrets else value, *told.get(folded, unsaid))
        for folded, (called, value) in wanted.items()
    ]


def promise(asked: Payload, answer: Any) -> ReportReply | None:
    """B07.FR.01, FR.02, FR.13; B08.FR.01, FR.02, FR.15, FR.16. None where no report can have that number."""
    request_id, status = asked["requestId"], answer["status"]
    if abs(request_id) > LARGEST:
        return None
    return ReportReply(int(request_id), asked.get("reportBase"), status == "Accepted", status)


def part(report: Payload) -> Part:
    """NotifyReport (B07.FR.03, FR.10). Raises Unprocessable where its numbers cannot be."""
    request_id, seq_no = report["requestId"], report["seqNo"]
    if not (abs(request_id) <= LARGEST and 0 <= seq_no <= LARGEST):
        raise Unprocessable("a report with impossible numbers")
    settings = tuple(seen for item in report.get("reportData") or () for seen in _reported(item))
    return Part(int(request_id), int(seq_no), bool(report.get("tbc")), settings)


def _reported(item: dict[str, Any]) -> Iterator[Observation]:
    """All attributes of a variable; characteristics are those of each."""
    what = item.get("variableCharacteristics") or {}
    for attribute in item["variableAttribute"]:
        called = _called(item, attribute.get("type"))
        if called is None:
            continue
        secret = key(called) in DIALECT.secrets
        facts = Characteristics(
            mutability="WriteOnly" if secret else attribute.get("mutability") or "ReadWrite",
            data_type=what.get("dataType"),
            unit=text(what.get("unit")),
            minimum=what.get("minLimit"),
            maximum=what.get("maxLimit"),
            values=text(what.get("valuesList")),
            persistent=bool(attribute.get("persistent")),
            constant=bool(attribute.get("constant")),
        )
        hidden = facts.mutability == "WriteOnly"
        yield Observation(called, None if hidden else text(attribute.get("value")), "report", facts)


def _called(item: dict[str, Any], attribute: str | None) -> str | None:
    """What a setting in a payload is called; None where no station can have it."""
    try:
        return text(str(Variable.of(item, attribute)))
    except BadName:
        return None


def _wanted(items: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for item in items:
        if called := _called(item, item.get("attributeType")):
            yield called, item["attributeValue"]


DIALECT = SettingsDialect(
    longest=1000,
    neutral=NEUTRAL,
    secrets=frozenset({"securityctrlr.basicauthpassword"}),
    name=name,
    holds=holds,
    limit_names=LIMITS,
    limits=limits,
    read_all=read_all,
    read=read,
    write=write,
    reads={"GetVariables": variables},
    writes={"SetVariables": variables_set},
    promises={"GetBaseReport": promise, "GetReport": promise},
)
