"""OCPP 1.6 in XML: what its JSON has, but for the security extension."""

from collections.abc import Mapping
from dataclasses import replace

from services.ocpp.soap.messages import (
    BOOT,
    FROM_STATION,
    LOCAL_LIST_ENTRY,
    NOTHING,
    STATUS,
    TO_STATION,
    TOKEN_VERDICT,
    status_notification,
)
from services.ocpp.soap.meter_values import DATA_OF_16, METER_VALUES_OF_15, METER_VALUES_OF_16
from services.ocpp.soap.shapes import NO_WORDS, Field, Operation, decimal, integers, record, time, words

CENTRAL_SYSTEM, CHARGE_POINT = "urn://Ocpp/Cs/2015/10/", "urn://Ocpp/Cp/2015/10/"

PERIOD = record(*integers("startPeriod"), Field("limit", decimal), *integers("numberPhases"))
SCHEDULE = record(
    *integers("duration"),
    time("startSchedule"),
    words("chargingRateUnit"),
    Field("chargingSchedulePeriod", record=PERIOD, many=True),
    Field("minChargingRate", decimal),
)
PROFILE = record(
    *integers("chargingProfileId", "transactionId", "stackLevel"),
    words("chargingProfilePurpose"),
    words("chargingProfileKind"),
    words("recurrencyKind"),
    time("validFrom"),
    time("validTo"),
    Field("chargingSchedule", record=SCHEDULE),
)

OPERATIONS: Mapping[str, Operation] = {
    **FROM_STATION,
    "BootNotification": Operation(BOOT, record(words("status"), time("currentTime"), *integers("interval"))),
    "MeterValues": Operation(
        replace(record(*integers("connectorId", "transactionId"), METER_VALUES_OF_16), elsewhere=(METER_VALUES_OF_15,)),
        NOTHING,
    ),
    "StatusNotification": status_notification(NO_WORDS),
    "StopTransaction": Operation(
        record(
            *integers("transactionId"),
            "idTag",
            time("timestamp"),
            *integers("meterStop"),
            words("reason"),
            DATA_OF_16,
        ),
        TOKEN_VERDICT,
    ),
    **TO_STATION,
    "ClearChargingProfile": Operation(
        record(*integers("id", "connectorId"), words("chargingProfilePurpose"), *integers("stackLevel")), STATUS
    ),
    "GetCompositeSchedule": Operation(
        record(*integers("connectorId", "duration"), words("chargingRateUnit")),
        record(
            words("status"),
            *integers("connectorId"),
            time("scheduleStart"),
            Field("chargingSchedule", record=SCHEDULE),
        ),
    ),
    "RemoteStartTransaction": Operation(
        record(*integers("connectorId"), "idTag", Field("chargingProfile", record=PROFILE)), STATUS
    ),
    "SendLocalList": Operation(
        record(
            *integers("listVersion"),
            Field("localAuthorizationList", record=LOCAL_LIST_ENTRY, many=True),
            words("updateType"),
        ),
        STATUS,
    ),
    "SetChargingProfile": Operation(
        record(*integers("connectorId"), Field("csChargingProfiles", record=PROFILE)), STATUS
    ),
    "TriggerMessage": Operation(record(words("requestedMessage"), *integers("connectorId")), STATUS),
    "UnlockConnector": Operation(record(*integers("connectorId")), STATUS),
}
