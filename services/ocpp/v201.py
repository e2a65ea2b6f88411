"""Facts of OCPP 2.0.1."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.ocpp.actions import Action
from services.ocpp.errors import ErrorCode
from services.ocpp.id_tokens import TokenInfo
from services.ocpp.services import AUTH, FIRMWARE, SMARTCHARGING, TRANSACTIONS
from services.ocpp.timestamps import write_time

NAME = "2.0.1"
SUBPROTOCOL = "ocpp2.0.1"
SCHEMAS = "v201/schemas"
REQUEST_SUFFIX = "Request"

SPELLING: Mapping[ErrorCode, str] = {}

# A meter value without a value says nothing.
SAMPLES = ("meterValue[].sampledValue", "meterValue[].sampledValue[].value")
EVENT = ("transactionInfo", "transactionInfo.transactionId", "evse.id", "idToken.idToken", *SAMPLES)


def _schedule(path: str) -> Sequence[str]:
    periods = f"{path}.chargingSchedulePeriod"
    return (f"{path}.chargingRateUnit", periods, f"{periods}[].startPeriod", f"{periods}[].limit")


def _variable(path: str) -> Sequence[str]:
    component, variable = f"{path}.component", f"{path}.variable"
    return (component, f"{component}.name", variable, f"{variable}.name")


PROFILES = (
    *("requestId", "evseId", "chargingProfile[].id", "chargingProfile[].stackLevel"),
    *("chargingProfile[].chargingProfilePurpose", "chargingProfile[].chargingProfileKind"),
    *("chargingProfile[].chargingSchedule", *_schedule("chargingProfile[].chargingSchedule[]")),
)
ACTIONS: Mapping[str, Action] = {
    "Authorize": Action(AUTH, from_station=True, needs=("idToken", "idToken.idToken")),
    "CertificateSigned": Action(AUTH, to_station=True),
    "ClearCache": Action(AUTH, to_station=True),
    "CustomerInformation": Action(AUTH, to_station=True),
    "DeleteCertificate": Action(AUTH, to_station=True),
    "Get15118EVCertificate": Action(AUTH, from_station=True, needs=("exiRequest",)),
    "GetCertificateStatus": Action(AUTH, from_station=True, needs=("ocspRequestData",)),
    "GetInstalledCertificateIds": Action(AUTH, to_station=True),
    "GetLocalListVersion": Action(AUTH, to_station=True),
    "InstallCertificate": Action(AUTH, to_station=True),
    "NotifyCustomerInformation": Action(AUTH, from_station=True),
    "SendLocalList": Action(AUTH, to_station=True),
    "SignCertificate": Action(AUTH, from_station=True, needs=("csr",)),
    "CancelReservation": Action(TRANSACTIONS, to_station=True),
    "CostUpdated": Action(TRANSACTIONS, to_station=True),
    "GetTransactionStatus": Action(TRANSACTIONS, to_station=True),
    "MeterValues": Action(TRANSACTIONS, from_station=True, needs=SAMPLES),
    "RequestStartTransaction": Action(TRANSACTIONS, to_station=True),
    "RequestStopTransaction": Action(TRANSACTIONS, to_station=True),
    "ReservationStatusUpdate": Action(TRANSACTIONS, from_station=True),
    "ReserveNow": Action(TRANSACTIONS, to_station=True),
    "TransactionEvent": Action(TRANSACTIONS, from_station=True, needs=EVENT),
    "ClearChargingProfile": Action(SMARTCHARGING, to_station=True),
    "ClearedChargingLimit": Action(SMARTCHARGING, from_station=True),
    "GetChargingProfiles": Action(SMARTCHARGING, to_station=True),
    "GetCompositeSchedule": Action(SMARTCHARGING, to_station=True, answer_needs=_schedule("schedule")),
    "NotifyChargingLimit": Action(SMARTCHARGING, from_station=True),
    "NotifyEVChargingNeeds": Action(SMARTCHARGING, from_station=True),
    "NotifyEVChargingSchedule": Action(
        SMARTCHARGING, from_station=True, needs=("evseId", "chargingSchedule", *_schedule("chargingSchedule"))
    ),
    "ReportChargingProfiles": Action(SMARTCHARGING, from_station=True, needs=PROFILES),
    "SetChargingProfile": Action(SMARTCHARGING, to_station=True),
    "BootNotification": Action(FIRMWARE, from_station=True),
    "ChangeAvailability": Action(FIRMWARE, to_station=True),
    "ClearDisplayMessage": Action(FIRMWARE, to_station=True),
    "ClearVariableMonitoring": Action(FIRMWARE, to_station=True),
    "DataTransfer": Action(FIRMWARE, from_station=True, to_station=True),
    "FirmwareStatusNotification": Action(FIRMWARE, from_station=True, needs=("status",)),
    "GetBaseReport": Action(FIRMWARE, to_station=True),
    "GetDisplayMessages": Action(FIRMWARE, to_station=True),
    "GetLog": Action(FIRMWARE, to_station=True),
    "GetMonitoringReport": Action(FIRMWARE, to_station=True),
    "GetReport": Action(FIRMWARE, to_station=True),
    "GetVariables": Action(
        FIRMWARE,
        to_station=True,
        answer_needs=("getVariableResult[].attributeStatus", *_variable("getVariableResult[]")),
    ),
    "Heartbeat": Action(FIRMWARE, from_station=True),
    "LogStatusNotification": Action(FIRMWARE, from_station=True),
    "NotifyDisplayMessages": Action(FIRMWARE, from_station=True),
    "NotifyEvent": Action(FIRMWARE, from_station=True),
    "NotifyMonitoringReport": Action(FIRMWARE, from_station=True),
    "NotifyReport": Action(FIRMWARE, from_station=True, needs=("requestId", "seqNo", *_variable("reportData[]"))),
    "PublishFirmware": Action(FIRMWARE, to_station=True),
    "PublishFirmwareStatusNotification": Action(FIRMWARE, from_station=True),
    "Reset": Action(FIRMWARE, to_station=True),
    "SecurityEventNotification": Action(FIRMWARE, from_station=True, needs=("type",)),
    "SetDisplayMessage": Action(FIRMWARE, to_station=True),
    "SetMonitoringBase": Action(FIRMWARE, to_station=True),
    "SetMonitoringLevel": Action(FIRMWARE, to_station=True),
    "SetNetworkProfile": Action(FIRMWARE, to_station=True),
    "SetVariableMonitoring": Action(FIRMWARE, to_station=True),
    "SetVariables": Action(
        FIRMWARE,
        to_station=True,
        answer_needs=("setVariableResult[].attributeStatus", *_variable("setVariableResult[]")),
    ),
    "StatusNotification": Action(FIRMWARE, from_station=True, needs=("evseId", "connectorId", "connectorStatus")),
    "TriggerMessage": Action(FIRMWARE, to_station=True),
    "UnlockConnector": Action(FIRMWARE, to_station=True),
    "UnpublishFirmware": Action(FIRMWARE, to_station=True),
    "UpdateFirmware": Action(FIRMWARE, to_station=True),
}

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
