"""What the messages of OCPP 1.5 and 1.6 have in common in XML, by the order of their WSDLs."""

from collections.abc import Mapping

from services.ocpp.soap.shapes import Field, Operation, boolean, integer, integers, record, time, words

NOTHING = record()
STATUS = record(words("status"))
ID_TAG_INFO = record(words("status"), time("expiryDate"), "parentIdTag")
TOKEN_VERDICT = record(Field("idTagInfo", record=ID_TAG_INFO))
DATA_TRANSFER = Operation(record("vendorId", "messageId", "data"), record(words("status"), "data"))
TRANSFER_RETRIES = integers("retries", "retryInterval")
LOCAL_LIST_ENTRY = record("idTag", Field("idTagInfo", record=ID_TAG_INFO))
SETTING = record("key", Field("readonly", boolean), "value")

FROM_STATION: Mapping[str, Operation] = {
    "Authorize": Operation(record("idTag"), TOKEN_VERDICT),
    "DataTransfer": DATA_TRANSFER,
    "DiagnosticsStatusNotification": Operation(STATUS, NOTHING),
    "FirmwareStatusNotification": Operation(STATUS, NOTHING),
    "Heartbeat": Operation(NOTHING, record(time("currentTime"))),
    "StartTransaction": Operation(
        record(
            *integers("connectorId"), "idTag", time("timestamp"), *integers("meterStart"), *integers("reservationId")
        ),
        record(*integers("transactionId"), Field("idTagInfo", record=ID_TAG_INFO)),
    ),
}
BOOT = record(
    "chargePointVendor",
    "chargePointModel",
    "chargePointSerialNumber",
    "chargeBoxSerialNumber",
    "firmwareVersion",
    "iccid",
    "imsi",
    "meterType",
    "meterSerialNumber",
)
TO_STATION: Mapping[str, Operation] = {
    "CancelReservation": Operation(record(*integers("reservationId")), STATUS),
    "ChangeAvailability": Operation(record(*integers("connectorId"), words("type")), STATUS),
    "ChangeConfiguration": Operation(record("key", "value"), STATUS),
    "ClearCache": Operation(NOTHING, STATUS),
    "DataTransfer": DATA_TRANSFER,
    "GetConfiguration": Operation(
        record(Field("key", many=True)),
        record(Field("configurationKey", record=SETTING, many=True), Field("unknownKey", many=True)),
    ),
    "GetDiagnostics": Operation(
        record(words("location"), time("startTime"), time("stopTime"), *TRANSFER_RETRIES), record("fileName")
    ),
    "GetLocalListVersion": Operation(NOTHING, record(Field("listVersion", integer))),
    "RemoteStopTransaction": Operation(record(*integers("transactionId")), STATUS),
    "ReserveNow": Operation(
        record(*integers("connectorId"), time("expiryDate"), "idTag", "parentIdTag", *integers("reservationId")), STATUS
    ),
    "Reset": Operation(record(words("type")), STATUS),
    "UpdateFirmware": Operation(record(time("retrieveDate"), words("location"), *TRANSFER_RETRIES), NOTHING),
}


def status_notification(error_codes: Mapping[str, str]) -> Operation:
    """error_codes: by the word in XML, that in JSON."""
    return Operation(
        record(
            *integers("connectorId"),
            words("status"),
            words("errorCode", error_codes),
            "info",
            time("timestamp"),
            "vendorId",
            "vendorErrorCode",
        ),
        NOTHING,
    )
