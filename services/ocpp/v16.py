"""Facts of OCPP 1.6 with its security extension."""

from collections.abc import Mapping
from typing import Any

from services.ocpp.errors import ErrorCode
from services.ocpp.id_tokens import Authorization, TokenInfo
from services.ocpp.timestamps import write_time

NAME = "1.6"
SUBPROTOCOL = "ocpp1.6"
SCHEMAS = "v16/schemas"
REQUEST_SUFFIX = ""

# 1.6 has no code for a broken envelope, writes one with a single r (kept by its errata) and says "Formation".
SPELLING: Mapping[ErrorCode, str] = {
    ErrorCode.FORMAT_VIOLATION: "FormationViolation",
    ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation",
    ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED: "GenericError",
    ErrorCode.RPC_FRAMEWORK_ERROR: "FormationViolation",
}

FROM_STATION = frozenset(
    {
        "Authorize",
        "BootNotification",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
)

LONGEST_ID_TAG = 20
# AuthorizationStatus of 1.6 has five values; what it cannot say becomes the nearest refusal.
STATUS: Mapping[Authorization, str] = {
    Authorization.ACCEPTED: "Accepted",
    Authorization.BLOCKED: "Blocked",
    Authorization.CONCURRENT_TX: "ConcurrentTx",
    Authorization.EXPIRED: "Expired",
    Authorization.NO_CREDIT: "Blocked",
}


def id_tag_info(info: TokenInfo) -> dict[str, Any]:
    """A verdict as idTagInfo (1.6 §7.27).

    A group whose name is too long for 1.6 is left out, for a part of the name would be another group.
    """
    written = {"status": STATUS.get(info.status, "Invalid")}
    if info.kept_until:
        written["expiryDate"] = write_time(info.kept_until)
    if info.group_id and len(info.group_id) <= LONGEST_ID_TAG:
        written["parentIdTag"] = info.group_id
    return written
