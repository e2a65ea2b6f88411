"""Facts of OCPP 1.5, whose stations speak SOAP: payloads are those of 1.6, but for what 1.5 alone has, or has not."""

from collections.abc import Mapping
from typing import Any

from services.ocpp import v16
from services.ocpp.actions import Action
from services.ocpp.amending import Amendments, also, optional, without, words
from services.ocpp.guards import Guards

NAME = "1.5"
# It has no JSON, so no subprotocol.
SUBPROTOCOL = ""
SCHEMAS, REQUEST_SUFFIX, SPELLING, EXAMPLES = v16.SCHEMAS, v16.REQUEST_SUFFIX, v16.SPELLING, v16.EXAMPLES

ACTIONS: Mapping[str, Action] = {
    name: v16.ACTIONS[name]
    for name in (
        "Authorize",
        "BootNotification",
        "CancelReservation",
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "GetConfiguration",
        "GetDiagnostics",
        "GetLocalListVersion",
        "Heartbeat",
        "MeterValues",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
        "UnlockConnector",
        "UpdateFirmware",
    )
}
GUARDS: Guards = {name: v16.GUARDS[name] for name in ("SendLocalList", "ChangeConfiguration")}

_HASH: Mapping[str, Any] = {"type": "string"}
# What 1.6 calls otherwise is in its words here (services/ocpp/soap/v15.py): Mode3Error is EVCommunicationError.
AMENDMENTS: Amendments = {
    "BootNotificationResponse": [words("status", "Accepted", "Rejected")],
    "ChangeConfigurationResponse": [words("status", "Accepted", "Rejected", "NotSupported")],
    "DiagnosticsStatusNotification": [words("status", "Uploaded", "UploadFailed")],
    "FirmwareStatusNotification": [
        words("status", "Downloaded", "DownloadFailed", "InstallationFailed", "Installed"),
    ],
    "MeterValues": [optional("meterValue")],
    "RemoteStartTransaction": [without("chargingProfile")],
    "SendLocalList": [also("hash", _HASH)],
    "SendLocalListResponse": [
        words("status", "Accepted", "Failed", "HashError", "NotSupported", "VersionMismatch"),
        also("hash", _HASH),
    ],
    "StatusNotification": [
        words("status", "Available", "Occupied", "Faulted", "Unavailable", "Reserved"),
        words(
            "errorCode",
            "ConnectorLockFailure",
            "EVCommunicationError",
            "GroundFailure",
            "HighTemperature",
            "NoError",
            "OtherError",
            "OverCurrentFailure",
            "PowerMeterFailure",
            "PowerSwitchFailure",
            "ReaderFailure",
            "ResetFailure",
            "UnderVoltage",
            "WeakSignal",
        ),
    ],
    "StopTransaction": [without("reason")],
    "UnlockConnectorResponse": [words("status", "Unlocked", "UnlockFailed")],
}
