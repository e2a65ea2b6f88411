"""Facts of OCPP 1.6 with its security extension."""

from collections.abc import Mapping

from services.ocpp.errors import ErrorCode

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
