"""Facts of OCPP 2.0.1."""

from collections.abc import Mapping
from typing import Any

from services.ocpp.errors import ErrorCode
from services.ocpp.id_tokens import TokenInfo
from services.ocpp.timestamps import write_time

NAME = "2.0.1"
SUBPROTOCOL = "ocpp2.0.1"
SCHEMAS = "v201/schemas"
REQUEST_SUFFIX = "Request"

SPELLING: Mapping[ErrorCode, str] = {}

FROM_STATION = frozenset(
    {
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "DataTransfer",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)

# A group is an identifier that the backend made.
GROUP_TYPE = "Central"


def id_token_info(info: TokenInfo) -> dict[str, Any]:
    """A verdict as idTokenInfo.

    cacheExpiryDateTime is told only where the operator set one, and never after the token's own end: a far end of the
    token alone must not lengthen what stations are configured to keep (C10.FR.08, C10.FR.13).
    """
    written: dict[str, Any] = {"status": info.status.value}
    if info.cache_expires_at and info.kept_until:
        written["cacheExpiryDateTime"] = write_time(info.kept_until)
    if info.group_id:
        written["groupIdToken"] = {"idToken": info.group_id, "type": GROUP_TYPE}
    if info.language:
        written["language1"] = info.language
    return written
