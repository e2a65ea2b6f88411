"""What stations and libraries of OCPP 2.1 are reported to send: it is read, and goes to its owner."""

from typing import Any

import pytest

from services.ocpp.versions import VERSIONS
from tests.unit.gateway.examples import NOW, forwarded, frame, sent, session

AT = "2026-06-01T12:00:00Z"
PLACE = {"component": {"name": "EVSE"}, "variable": {"name": "AvailabilityState"}}
EVENT = {"eventId": 1, "timestamp": AT, "trigger": "Delta", "actualValue": "Available", **PLACE}
MONITOR = {"id": 1, "transaction": False, "value": 1, "type": "Delta", "severity": 5}
CARD = {"idToken": "04A2B3C4D5E6F7", "type": "ISO14443"}
SIGNED = {"signedMeterData": "x", "encodingMethod": "OCMF"}
SCHEDULE = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "setpoint": -1}]}


def transaction(**more: Any) -> Any:
    base = {"eventType": "Updated", "timestamp": AT, "triggerReason": "MeterValuePeriodic", "seqNo": 1}
    return base | {"transactionInfo": {"transactionId": "tx"}} | more


def metered(**sampled: Any) -> Any:
    return transaction(meterValue=[{"timestamp": AT, "sampledValue": [{"value": 1.5, **sampled}]}])


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        # EVerest/libocpp#1099: what 2.1 requires, and 2.0.1 does not have.
        pytest.param("NotifyEvent", {"generatedAt": AT, "seqNo": 0, "eventData": [EVENT]}, id="event of no type"),
        pytest.param(
            "NotifyMonitoringReport",
            {"requestId": 1, "seqNo": 0, "generatedAt": AT, "monitor": [{**PLACE, "variableMonitoring": [MONITOR]}]},
            id="monitor of no type",
        ),
        # lorenzodonini/ocpp-go#223.
        pytest.param("Authorize", {"idToken": {"idToken": "", "type": "NoAuthorization"}}, id="a button"),
        pytest.param("Authorize", {"idToken": CARD | {"type": "iso14443"}}, id="a type in another case"),
        pytest.param("Authorize", {"idToken": {"idToken": "E" * 255, "type": "CarPlate"}}, id="an open type"),
        pytest.param("Authorize", {"idToken": CARD | {"additionalInfo": []}}, id="an empty list"),
        pytest.param("TransactionEvent", transaction(triggerReason="SomethingNew"), id="a new trigger"),
        pytest.param("TransactionEvent", transaction(costDetails=None, evseSleep=None), id="nulls"),
        pytest.param("TransactionEvent", transaction(preconditioningStatus="Cooling"), id="an unknown word"),
        pytest.param("TransactionEvent", transaction(idToken={"idToken": "", "type": "NoAuthorization"}), id="no card"),
        pytest.param("TransactionEvent", metered(signedMeterValue=SIGNED), id="signed without a key"),
        pytest.param("TransactionEvent", metered(signedMeterValue=SIGNED | {"publicKey": ""}), id="an empty key"),
        pytest.param("TransactionEvent", metered(unitOfMeasure={"unit": "kvarh"}), id="a unit"),
        pytest.param(
            "NotifyEVChargingSchedule",
            {"timeBase": AT, "evseId": 1, "chargingSchedule": SCHEDULE},
            id="a setpoint and no limit",
        ),
        pytest.param(
            "ReportChargingProfiles",
            {
                "requestId": 1,
                "chargingLimitSource": "MySource",
                "evseId": 1,
                "chargingProfile": [
                    {
                        "id": 1,
                        "stackLevel": 0,
                        "chargingProfilePurpose": "PriorityCharging",
                        "chargingProfileKind": "Dynamic",
                        "chargingSchedule": [SCHEDULE],
                    }
                ],
            },
            id="an open source",
        ),
        pytest.param("FirmwareStatusNotification", {"status": "Installed", "requestId": None}, id="no request"),
        pytest.param("BootNotification", {"chargingStation": {"vendorName": "V", "model": "M"}}, id="no reason"),
    ],
)
def test_it_goes_to_its_owner(action: str, payload: Any) -> None:
    actions = session("2.1").received(frame(2, "m", action, payload), *NOW)
    [forward] = forwarded(actions)
    assert (forward.call.action, forward.service) == (action, VERSIONS["2.1"].from_station[action])
    assert not [one for one in sent(actions) if one[0] == 4]


def test_an_error_about_an_answer_of_ours_is_no_answer_to_anything() -> None:
    """ChargeTimeEU/Java-OCA-OCPP#406: libraries send a CALLERROR for a CALLRESULT that they cannot use."""
    line = session("2.1")
    line.received(frame(2, "m", "Heartbeat", {}), *NOW)
    assert sent(line.received(frame(4, "m", "FormatViolation", "", {}), *NOW)) == []
