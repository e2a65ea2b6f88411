"""OCPP 1.6: GetConfiguration and ChangeConfiguration (§5.3, §5.8)."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.common.splitting import MessageLimit, chunks, message_size
from services.firmware.configuration.dialects.dialect import (
    CapabilityName,
    MessageLimits,
    Payload,
    SetResult,
    SettingsDialect,
    SettingsReading,
    Write,
    positive_integer,
)
from services.firmware.configuration.dialects.names import BadName
from services.firmware.configuration.domain.settings import Characteristics, Observation, Result, is_storable
from services.firmware.texts import text
from services.ocpp.masking import is_secret

LONGEST_KEY = 50
MAX_KEYS = "GetConfigurationMaxKeys"
# Where a station does not say: what any will take.
KEYS_PER_READ = 50
SHARED_NAMES = {
    "heartbeat_interval": "HeartbeatInterval",
    "meter_values_interval": "MeterValueSampleInterval",
    "meter_values_measurands": "MeterValuesSampledData",
    "clock_aligned_interval": "ClockAlignedDataInterval",
    "clock_aligned_measurands": "MeterValuesAlignedData",
    "websocket_ping_interval": "WebSocketPingInterval",
    "connection_timeout": "ConnectionTimeOut",
    "authorize_remote_start": "AuthorizeRemoteTxRequests",
    "local_pre_authorize": "LocalPreAuthorize",
    "local_authorize_offline": "LocalAuthorizeOffline",
    "allow_offline_unknown_id": "AllowOfflineTxForUnknownId",
    "stop_on_invalid_id": "StopTransactionOnInvalidId",
    "stop_on_ev_disconnect": "StopTransactionOnEVSideDisconnect",
    "unlock_on_ev_disconnect": "UnlockConnectorOnEVSideDisconnect",
    "max_energy_on_invalid_id": "MaxEnergyOnInvalidId",
    "authorization_cache": "AuthorizationCacheEnabled",
    "local_list": "LocalAuthListEnabled",
    "transaction_attempts": "TransactionMessageAttempts",
    "transaction_retry_interval": "TransactionMessageRetryInterval",
    "reset_retries": "ResetRetries",
}
# §9.2.2, §9.2.3; security whitepaper §7.1, §7.3, §7.4.
CAN: Mapping[str, tuple[CapabilityName, ...]] = {
    "local_list_entries": (CapabilityName("LocalAuthListMaxLength"),),
    "local_list_items_per_message": (CapabilityName("SendLocalListMaxLength"),),
    "certificate_chain_size": (CapabilityName("CertificateSignedMaxChainSize"),),
    "certificate_entries": (CapabilityName("CertificateStoreMaxLength"),),
    "additional_root_certificate_check": (CapabilityName("AdditionalRootCertificateCheck"),),
}
RESULTS: Mapping[str, Result] = {
    "Accepted": Result.APPLIED,
    "RebootRequired": Result.REBOOT_REQUIRED,
    "NotSupported": Result.UNKNOWN,
    "Rejected": Result.REJECTED,
}


def canonical_name(written: str) -> str:
    """A key, which is any text."""
    if not 0 < len(written) <= LONGEST_KEY:
        raise BadName(f"must have 1 to {LONGEST_KEY} characters (OCPP 1.6)")
    return written


def is_own_name(written: str) -> bool:
    """A name without a dot: keys with one are named by version."""
    return "." not in written and len(written) <= LONGEST_KEY


def message_limits(values: Mapping[str, str]) -> MessageLimits:
    """§9.1.9: how many keys may be asked for at once. ChangeConfiguration sets one."""
    return MessageLimits(reads=positive_integer(values, MAX_KEYS) or KEYS_PER_READ, writes=1)


def read_all(_base: str, _request_id: int) -> tuple[str, Payload]:
    """§5.8: without keys, all of them."""
    return "GetConfiguration", {}


def read(names: Sequence[str], limits: MessageLimits) -> list[tuple[str, Payload]]:
    parts = chunks(names, MessageLimit(limits.reads), message_size({"key": []}))
    return [("GetConfiguration", {"key": chunk}) for chunk in parts]


def write(values: Mapping[str, str], _: MessageLimits) -> list[Write]:
    return [Write("ChangeConfiguration", {"key": k, "value": v}, {k: v}) for k, v in values.items()]


def read_answer(request: Payload, answer: Any) -> SettingsReading:
    """§6.24: what is known, and which keys are not."""
    known = tuple(_observation(item) for item in answer.get("configurationKey") or () if is_storable(item["key"]))
    unknown_keys = [str(text(key)) for key in answer.get("unknownKey") or () if is_storable(key)]
    unknown = tuple(Observation(key, None, "get", unknown=True) for key in unknown_keys)
    return SettingsReading(known + unknown, everything=not request.get("key"))


def write_answer(request: Payload, answer: Any) -> list[SetResult]:
    """§5.3: one key, one status."""
    wanted = None if is_secret(request["key"]) else request["value"]
    if answer is None:
        return [SetResult(request["key"], wanted, Result.PENDING)]
    status = str(text(answer["status"]))
    return [SetResult(request["key"], wanted, RESULTS.get(status, Result.REJECTED), status)]


def _observation(item: dict[str, Any]) -> Observation:
    """A password that a station tells although it should not (1.6-J §6.2.2) is not kept."""
    secret = is_secret(item["key"])
    mutability = "WriteOnly" if secret else "ReadOnly" if item.get("readonly") else "ReadWrite"
    return Observation(
        str(text(item["key"])), None if secret else text(item.get("value", "")), "get", Characteristics(mutability)
    )


DIALECT = SettingsDialect(
    max_value_length=500,
    shared_names=SHARED_NAMES,
    canonical_name=canonical_name,
    is_own_name=is_own_name,
    limit_names=(MAX_KEYS,),
    limits=message_limits,
    read_all=read_all,
    read=read,
    write=write,
    read_answers={"GetConfiguration": read_answer},
    write_answers={"ChangeConfiguration": write_answer},
    report_answers={},
    can=CAN,
)
