"""OCPP 1.5 in XML. Payloads have the names and words of 1.6 wherever 1.6 has one for it."""

from collections.abc import Mapping
from dataclasses import replace

from services.ocpp.soap.messages import (
    BOOT,
    FROM_STATION,
    LOCAL_LIST_ENTRY,
    NOTHING,
    TO_STATION,
    TOKEN_VERDICT,
    status_notification,
)
from services.ocpp.soap.meter_values import DATA_OF_15, METER_VALUES_OF_15, METER_VALUES_OF_16
from services.ocpp.soap.shapes import Field, Operation, integer, integers, record, time, words

CENTRAL_SYSTEM, CHARGE_POINT = "urn://Ocpp/Cs/2012/06/", "urn://Ocpp/Cp/2012/06/"

OPERATIONS: Mapping[str, Operation] = {
    **FROM_STATION,
    "BootNotification": Operation(
        BOOT, record(words("status"), time("currentTime"), Field("heartbeatInterval", integer, own="interval"))
    ),
    "MeterValues": Operation(
        replace(record(*integers("connectorId", "transactionId"), METER_VALUES_OF_15), elsewhere=(METER_VALUES_OF_16,)),
        NOTHING,
    ),
    "StatusNotification": status_notification({"Mode3Error": "EVCommunicationError"}),
    "StopTransaction": Operation(
        record(
            *integers("transactionId"),
            "idTag",
            time("timestamp"),
            *integers("meterStop"),
            DATA_OF_15,
        ),
        TOKEN_VERDICT,
    ),
    **TO_STATION,
    "RemoteStartTransaction": Operation(record("idTag", *integers("connectorId")), record(words("status"))),
    "SendLocalList": Operation(
        record(
            words("updateType"),
            *integers("listVersion"),
            Field("localAuthorisationList", record=LOCAL_LIST_ENTRY, own="localAuthorizationList", many=True),
            "hash",
        ),
        record(words("status"), "hash"),
    ),
    "UnlockConnector": Operation(
        record(*integers("connectorId")),
        record(words("status", {"Accepted": "Unlocked", "Rejected": "UnlockFailed"})),
    ),
}
