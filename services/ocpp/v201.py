"""Facts of OCPP 2.0.1."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from services.ocpp.actions import Action
from services.ocpp.errors import ErrorCode
from services.ocpp.guards import (
    Guards,
    above_zero,
    absent,
    always,
    any_of,
    each_once,
    filled,
    folded,
    language,
    never,
    no_password,
)
from services.ocpp.id_tokens import TokenInfo
from services.ocpp.schemas import Fault
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


def _variable_of(item: Mapping[str, Any]) -> Hashable:
    """A component, a variable and an attribute; an absent attribute is Actual, and an empty instance none."""
    component, variable = item["component"], item["variable"]
    evse = component.get("evse") or {}
    return folded(
        *(component["name"], component.get("instance") or None, evse.get("id"), evse.get("connectorId")),
        *(variable["name"], variable.get("instance") or None, item.get("attributeType") or "Actual"),
    )


def _phases(payload: Mapping[str, Any]) -> Fault | None:
    """K01.FR.19: phaseToUse is for one phase alone; without numberPhases there are three."""
    for n, schedule in enumerate(payload["chargingProfile"]["chargingSchedule"]):
        for m, period in enumerate(schedule["chargingSchedulePeriod"]):
            if period.get("phaseToUse") is not None and period.get("numberPhases", 3) != 1:
                field = f"chargingProfile.chargingSchedule.{n}.chargingSchedulePeriod.{m}.phaseToUse"
                return Fault(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "is for numberPhases 1 alone", field)
    return None


def _transaction(payload: Mapping[str, Any]) -> Fault | None:
    """K01.FR.03, K02.FR.03: a TxProfile is of a transaction."""
    profile = payload["chargingProfile"]
    if profile["chargingProfilePurpose"] != "TxProfile" or profile.get("transactionId"):
        return None
    return Fault(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "a TxProfile needs it", "chargingProfile.transactionId")


def _criteria(payload: Mapping[str, Any]) -> Fault | None:
    """K10.FR.02: which profiles are to be cleared is said."""
    if payload.get("chargingProfileId") is not None:
        return None
    return any_of(("stackLevel", "evseId", "chargingProfilePurpose"), "chargingProfileCriteria")(payload)


def _connector(payload: Mapping[str, Any]) -> Fault | None:
    """F06.FR.13: a status is that of a connector."""
    if payload["requestedMessage"] != "StatusNotification" or "connectorId" in (payload.get("evse") or {}):
        return None
    return Fault(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "a StatusNotification needs it", "evse.connectorId")


# What may not be sent although the schemas allow it.
EXTERNAL, CUSTOMER = "ChargingStationExternalConstraints", ("idToken", "customerCertificate", "customerIdentifier")
GUARDS: Guards = {
    "SendLocalList": (
        above_zero("versionNumber"),  # D01.FR.18
        each_once(  # D01.FR.06
            "localAuthorizationList", lambda one: folded(one["idToken"]["idToken"], one["idToken"]["type"])
        ),
    ),
    "SetVariables": (
        no_password("setVariableData", lambda one: str(one["variable"]["name"]), "attributeValue", "basicauthpassword"),
        each_once("setVariableData", _variable_of),  # B05.FR.13
    ),
    "SetChargingProfile": (
        never(EXTERNAL, "chargingProfile", "chargingProfilePurpose"),  # K01.FR.22, K02.FR.07
        _transaction,
        _phases,
    ),
    "ClearChargingProfile": (
        never(EXTERNAL, "chargingProfileCriteria", "chargingProfilePurpose"),  # K10.FR.06
        _criteria,
    ),
    "GetChargingProfiles": (  # K09.FR.03
        any_of(("chargingProfileId", "stackLevel", "chargingLimitSource", "chargingProfilePurpose"), "chargingProfile"),
    ),
    "RequestStartTransaction": (
        always("TxProfile", "chargingProfile", "chargingProfilePurpose"),  # K05.FR.02, F01.FR.09
        absent("chargingProfile", "transactionId"),  # F01.FR.11
    ),
    "SetDisplayMessage": (
        filled("message", "transactionId"),  # O01.FR.04
        language("message", "message", "language"),  # O01.FR.17, O02.FR.12
    ),
    "TriggerMessage": (_connector,),
    "CustomerInformation": (any_of(CUSTOMER),),  # N09.FR.04, N10.FR.08
}
# What an example needs beside what its schema requires.
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "ClearChargingProfile": {"chargingProfileId": 1},
    "CustomerInformation": {"customerIdentifier": "C-1"},
    "GetChargingProfiles": {"chargingProfile": {"chargingProfilePurpose": "TxProfile"}},
}

# A group is an identifier that the backend made.
GROUP_TYPE = "Central"


def id_token_info(info: TokenInfo) -> dict[str, Any]:
    """A verdict as idTokenInfo.

    cacheExpiryDateTime is told only where the operator set one, and never after the token's own end: a far end of the
    token alone must not lengthen what stations are configured to keep (C10.FR.08, C10.FR.13). language2
    needs a language1 (C01.FR.10); evseId says where alone it may charge (C01.FR.20).
    """
    written: dict[str, Any] = {"status": info.status.value}
    if info.cache_expires_at and info.kept_until:
        written["cacheExpiryDateTime"] = write_time(info.kept_until)
    if info.group_id:
        written["groupIdToken"] = {"idToken": info.group_id, "type": GROUP_TYPE}
    if info.language:
        written["language1"] = info.language
        if info.language2:
            written["language2"] = info.language2
    if info.evse_ids:
        written["evseId"] = [*info.evse_ids]
    return written
