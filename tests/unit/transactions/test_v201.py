"""OCPP 2.0.1: payloads to messages and back."""

from typing import Any

import orjson
import pytest

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.ocpp.versions import VERSIONS
from services.transactions.dialects import DIALECTS, v201
from services.transactions.domain.energy_readings import TOTAL, UNREADABLE_WH
from services.transactions.domain.messages import Empty, Report, ReportKind, Started, StationSamples, Updated, Verbatim
from services.transactions.domain.register import Rank
from services.transactions.domain.remote import RemoteStart, RemoteStop
from tests.unit.transactions.making import NOON, call

SCHEMAS = VERSIONS["2.0.1"].schemas
EVENT = {
    "eventType": "Updated",
    "timestamp": "2026-03-01T12:00:00Z",
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 4,
    "transactionInfo": {"transactionId": "tx"},
}
SIGNED = {"signedMeterData": "ZGF0YQ==", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}


def read(payload: Any) -> Report:
    SCHEMAS.check_request("TransactionEvent", payload)
    message = DIALECTS.read(call("TransactionEvent", payload, "2.0.1"))
    assert isinstance(message, Report)
    return message


def tolerated(payload: Any) -> Any:
    """What is read of an event that the gateway let through although its schema asks for more."""
    return DIALECTS.read(call("TransactionEvent", payload, "2.0.1"))


def value(sampled: dict[str, Any]) -> Any:
    """One sampled value in an event."""
    values = [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [sampled]}]
    return read(EVENT | {"meterValue": values}).meter_values[0]


def test_everything_that_an_event_may_tell() -> None:
    message = read(
        EVENT
        | {
            "eventType": "Started",
            "triggerReason": "RemoteStart",
            "offline": True,
            "numberOfPhasesUsed": 3,
            "cableMaxCurrent": 32,
            "reservationId": 9,
            "transactionInfo": {
                "transactionId": "tx",
                "chargingState": "Charging",
                "timeSpentCharging": 60,
                "remoteStartId": 5,
            },
            "idToken": {"idToken": "T", "type": "eMAID"},
            "evse": {"id": 1, "connectorId": 2},
            "customData": {"vendorId": "x", "mine": 1},
        }
    )
    assert (message.kind, message.seq_no, message.order, message.at) == (ReportKind.STARTED, 4, 4, NOON)
    assert (message.key, message.transaction_id, message.number) == ("id:tx", "tx", None)
    named = read(EVENT | {"transactionInfo": {"transactionId": "AbC-1"}})
    assert (named.key, named.transaction_id) == ("id:abc-1", "AbC-1")
    assert (message.evse_id, message.connector_id, message.id_token, message.id_token_type) == (1, 2, "T", "eMAID")
    assert (message.reservation_id, message.remote_start_id, message.offline) == (9, 5, True)
    assert (message.charging_state, message.trigger, message.stop_reason) == ("Charging", "RemoteStart", None)
    assert message.details == {
        "phases_used": 3,
        "cable_max_current": 32,
        "custom_data": {"vendorId": "x", "mine": 1},
        "seconds_charging": 60,
    }


@pytest.mark.parametrize(("info", "reason"), [({}, "Local"), ({"stoppedReason": "Remote"}, "Remote")])
def test_a_reason_that_is_left_out_is_local(info: dict[str, Any], reason: str) -> None:
    """E06.FR.09."""
    message = read(EVENT | {"eventType": "Ended", "transactionInfo": {"transactionId": "tx"} | info})
    assert (message.kind, message.stop_reason) == (ReportKind.ENDED, reason)


def test_custom_data_of_the_event_and_of_its_transaction_are_both_kept() -> None:
    info = {"transactionId": "tx", "customData": {"vendorId": "y"}}
    message = read(EVENT | {"transactionInfo": info, "customData": {"vendorId": "x"}})
    assert message.details == {"custom_data": {"vendorId": "x"}, "transaction_custom_data": {"vendorId": "y"}}


@pytest.mark.parametrize(("trigger", "ends"), [("StopAuthorized", True), ("Deauthorized", True), ("Authorized", False)])
def test_which_token_ends_the_authorization(trigger: str, ends: bool) -> None:
    """E07.FR.02."""
    assert read(EVENT | {"triggerReason": trigger}).ends_authorization is ends


@pytest.mark.parametrize("trigger", ["EVCommunicationLost", "Authorized", "RemoteStop"])
def test_a_token_in_the_last_event_is_whose_it_ended_by(trigger: str) -> None:
    """E07.FR.02, whatever triggered the end."""
    token = {"idToken": "T", "type": "ISO14443"}
    ended = EVENT | {"eventType": "Ended", "triggerReason": trigger, "idToken": token}
    assert read(ended).ends_authorization


def test_a_time_that_cannot_be_read_is_that_of_the_receipt() -> None:
    message = read(EVENT | {"timestamp": "soon"})
    assert (message.at, message.details["unreadable_timestamp"]) == (message.received_at, "soon")


def test_an_event_that_names_its_transaction_is_read_whatever_else_it_says() -> None:
    """E07: an event that ends a transaction is never refused for what stands beside it."""
    message = tolerated({"transactionInfo": {"transactionId": "tx"}, "eventType": "Ended"})
    assert (message.kind, message.key, message.seq_no, message.order) == (ReportKind.ENDED, "id:tx", None, 2)
    assert (message.trigger, message.evse_id, message.at) == (None, None, message.received_at)
    assert read(EVENT | {"seqNo": 1e30}).seq_no is None
    assert tolerated(EVENT | {"eventType": "Paused"}).kind == ReportKind.UPDATED


def test_meter_values_without_an_evse_are_of_the_station() -> None:
    message = DIALECTS.read(call("MeterValues", {"meterValue": []}, version="2.0.1"))
    assert isinstance(message, StationSamples)
    assert (message.evse_id, message.meter_values) == (None, ())


@pytest.mark.parametrize(
    ("sampled", "reading"),
    [
        ({"value": 5}, {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": 5}),
        (
            {"value": 4.35, "unitOfMeasure": {"unit": "kWh"}},
            {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": 4350},
        ),
        (
            {"value": 5, "unitOfMeasure": {"multiplier": 3}},
            {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": 5000},
        ),
        (
            {"value": 5, "unitOfMeasure": {"unit": "kW", "multiplier": -3}, "measurand": "Power.Active.Import"},
            {"measurand": "Power.Active.Import", "unit": "W", "value": 5},
        ),
        (
            {
                "value": 9,
                "unitOfMeasure": {"unit": "ASU"},
                "measurand": "Power.Factor",
                "phase": "L1",
                "location": "EV",
            },
            {"measurand": "Power.Factor", "unit": "ASU", "value": 9, "phase": "L1", "location": "EV"},
        ),
        (
            {"value": 5, "signedMeterValue": SIGNED},
            {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": 5, "signed": SIGNED},
        ),
        (
            {"value": 5, "customData": {"vendorId": "x"}},
            {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": 5, "custom_data": {"vendorId": "x"}},
        ),
    ],
)
def test_samples(sampled: dict[str, Any], reading: dict[str, Any]) -> None:
    """UnitOfMeasureType, SampledValueType: TC_J_04, TC_J_11."""
    assert value(sampled).readings == [reading]


@pytest.mark.parametrize("unit", ["KWH", "kwh", "kWh "])
def test_a_unit_in_other_capitals(unit: str) -> None:
    """J02.FR.02: "kWh" is one of the units of appendix 2."""
    [reading] = value({"value": 12.5, "unitOfMeasure": {"unit": unit}}).readings
    assert (reading["unit"], reading["value"]) == ("Wh", 12_500)


@pytest.mark.parametrize(
    "measure", [{"unit": "kw"}, {"unit": "A"}, {"unit": "varh"}, {"unit": "k Wh"}, {"unit": "MWh"}]
)
def test_energy_in_a_unit_that_is_none_of_energy_is_not_taken_for_wh(measure: dict[str, Any]) -> None:
    assert value({"value": 12.5, "unitOfMeasure": measure}).energies == ((TOTAL, Rank.BETWEEN, UNREADABLE_WH),)


@pytest.mark.parametrize(
    "measure",
    [{"multiplier": 10**12}, {"multiplier": 1000}, {"unit": "kWh", "multiplier": 3}, {"unit": "Wh", "multiplier": 6}],
)
def test_an_absurd_multiplier_costs_nothing_and_loses_nothing(measure: dict[str, Any]) -> None:
    """Thousand of a thousand may be meant once, or twice."""
    sample = value({"value": 5, "unitOfMeasure": measure})
    assert sample.energies == ((TOTAL, Rank.BETWEEN, UNREADABLE_WH),)
    assert orjson.loads(sample.readings[0]["signed"]) == {"value": 5, "unitOfMeasure": measure}


def test_meter_values_are_never_of_a_transaction() -> None:
    """J01; evseId 0 is the main meter."""
    payload = {"evseId": 0, "meterValue": [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [{"value": 5}]}]}
    SCHEMAS.check_request("MeterValues", payload)
    message = DIALECTS.read(call("MeterValues", payload, "2.0.1"))
    assert isinstance(message, StationSamples)
    assert (message.evse_id, message.meter_values[0].energies) == (0, ())


def test_a_reservation_is_recorded() -> None:
    message = DIALECTS.read(
        call("ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"}, "2.0.1")
    )
    assert isinstance(message, Verbatim)


INFO = TokenInfo(Authorization.NO_CREDIT, NOON, "G", NOON, "de")


@pytest.mark.parametrize("reply", [Started(7, INFO), Updated(INFO)])
def test_a_verdict_with_all_that_goes_with_it(reply: object) -> None:
    """E01.FR.12, C09.FR.12, C10."""
    written = DIALECTS.write(call("TransactionEvent", {}, "2.0.1"), reply)
    assert written == {
        "idTokenInfo": {
            "status": "NoCredit",
            "cacheExpiryDateTime": "2026-03-01T12:00:00.000Z",
            "groupIdToken": {"idToken": "G", "type": "Central"},
            "language1": "de",
        }
    }
    SCHEMAS.check_response("TransactionEvent", written)


@pytest.mark.parametrize(("action", "reply"), [("TransactionEvent", Updated(None)), ("MeterValues", Empty())])
def test_nothing_to_say(action: str, reply: object) -> None:
    assert DIALECTS.write(call(action, {}, "2.0.1"), reply) == {}


def test_remote_start() -> None:
    """F01.FR.04, F01.FR.06."""
    action, payload = v201.remote_start(RemoteStart(12, "T", "Central", evse_id=2, group_id="G"))
    SCHEMAS.check_request(action, payload)
    assert action == "RequestStartTransaction"
    assert payload == {
        "remoteStartId": 12,
        "evseId": 2,
        "idToken": {"idToken": "T", "type": "Central"},
        "groupIdToken": {"idToken": "G", "type": "Central"},
    }


def test_remote_stop() -> None:
    """F03.FR.01."""
    action, payload = v201.remote_stop(RemoteStop(7, "tx"))
    SCHEMAS.check_request(action, payload)
    assert (action, payload) == ("RequestStopTransaction", {"transactionId": "tx"})
