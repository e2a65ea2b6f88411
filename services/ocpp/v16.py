"""Facts of OCPP 1.6 with its security extension."""

from collections.abc import Mapping
from typing import Any

from services.ocpp.actions import Action
from services.ocpp.errors import ErrorCode
from services.ocpp.guards import Guards, above_zero, absent, always, each_once, folded, no_password
from services.ocpp.id_tokens import Authorization, TokenInfo
from services.ocpp.services import AUTH, FIRMWARE, SMARTCHARGING, TRANSACTIONS
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

# A meter value without a value says nothing.
SAMPLES = ("meterValue[].sampledValue", "meterValue[].sampledValue[].value")
TRANSACTION_DATA = ("transactionData[].sampledValue", "transactionData[].sampledValue[].value")
SCHEDULE = (
    "chargingSchedule.chargingRateUnit",
    "chargingSchedule.chargingSchedulePeriod",
    "chargingSchedule.chargingSchedulePeriod[].startPeriod",
    "chargingSchedule.chargingSchedulePeriod[].limit",
)
ACTIONS: Mapping[str, Action] = {
    "Authorize": Action(AUTH, from_station=True, needs=("idTag",)),
    "CertificateSigned": Action(AUTH, to_station=True),
    "ClearCache": Action(AUTH, to_station=True),
    "DeleteCertificate": Action(AUTH, to_station=True),
    "GetInstalledCertificateIds": Action(AUTH, to_station=True),
    "GetLocalListVersion": Action(AUTH, to_station=True),
    "InstallCertificate": Action(AUTH, to_station=True),
    "SendLocalList": Action(AUTH, to_station=True),
    "SignCertificate": Action(AUTH, from_station=True, needs=("csr",)),
    "CancelReservation": Action(TRANSACTIONS, to_station=True),
    "MeterValues": Action(TRANSACTIONS, from_station=True, needs=SAMPLES),
    "RemoteStartTransaction": Action(TRANSACTIONS, to_station=True),
    "RemoteStopTransaction": Action(TRANSACTIONS, to_station=True),
    "ReserveNow": Action(TRANSACTIONS, to_station=True),
    "StartTransaction": Action(TRANSACTIONS, from_station=True, needs=("connectorId", "idTag")),
    # A stop that names no transaction may be joined to the one that it is of, by its register.
    "StopTransaction": Action(TRANSACTIONS, from_station=True, needs=("transactionId|meterStop", *TRANSACTION_DATA)),
    "ClearChargingProfile": Action(SMARTCHARGING, to_station=True),
    "GetCompositeSchedule": Action(SMARTCHARGING, to_station=True, answer_needs=SCHEDULE),
    "SetChargingProfile": Action(SMARTCHARGING, to_station=True),
    "BootNotification": Action(FIRMWARE, from_station=True),
    "ChangeAvailability": Action(FIRMWARE, to_station=True),
    "ChangeConfiguration": Action(FIRMWARE, to_station=True),
    "DataTransfer": Action(FIRMWARE, from_station=True, to_station=True),
    "DiagnosticsStatusNotification": Action(FIRMWARE, from_station=True),
    "ExtendedTriggerMessage": Action(FIRMWARE, to_station=True),
    "FirmwareStatusNotification": Action(FIRMWARE, from_station=True, needs=("status",)),
    "GetConfiguration": Action(FIRMWARE, to_station=True, answer_needs=("configurationKey[].key",)),
    "GetDiagnostics": Action(FIRMWARE, to_station=True),
    "GetLog": Action(FIRMWARE, to_station=True),
    "Heartbeat": Action(FIRMWARE, from_station=True),
    "LogStatusNotification": Action(FIRMWARE, from_station=True),
    "Reset": Action(FIRMWARE, to_station=True),
    "SecurityEventNotification": Action(FIRMWARE, from_station=True, needs=("type",)),
    "SignedFirmwareStatusNotification": Action(FIRMWARE, from_station=True, needs=("status",)),
    "SignedUpdateFirmware": Action(FIRMWARE, to_station=True),
    "StatusNotification": Action(FIRMWARE, from_station=True, needs=("connectorId", "status")),
    "TriggerMessage": Action(FIRMWARE, to_station=True),
    "UnlockConnector": Action(FIRMWARE, to_station=True),
    "UpdateFirmware": Action(FIRMWARE, to_station=True),
}

# What may not be sent although the schemas allow it.
GUARDS: Guards = {
    # 0 and -1 mean that there is no list (§5.10, §6.28), and a list has each idTag once (§5.15).
    "SendLocalList": (above_zero("listVersion"), each_once("localAuthorizationList", lambda one: folded(one["idTag"]))),
    # A profile is that of the transaction to come, which has no number yet (§5.11).
    "RemoteStartTransaction": (
        always("TxProfile", "chargingProfile", "chargingProfilePurpose"),
        absent("chargingProfile", "transactionId"),
    ),
    "ChangeConfiguration": (no_password("", lambda one: str(one["key"]), "value", "authorizationkey"),),
}
# What an example needs beside what its schema requires.
EXAMPLES: Mapping[str, Mapping[str, Any]] = {}

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
