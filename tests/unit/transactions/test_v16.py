"""OCPP 1.6: payloads to messages and back."""

from sys import float_info
from typing import Any

import pytest

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.ocpp.versions import VERSIONS
from services.transactions.dialects import DIALECTS, v16
from services.transactions.domain.energy_readings import TOTAL, UNREADABLE_WH
from services.transactions.domain.messages import Empty, Report, ReportKind, Started, StationSamples, Updated
from services.transactions.domain.register import Rank
from services.transactions.domain.remote import RemoteStart, RemoteStop
from tests.unit.transactions.making import NOON, call

SCHEMAS = VERSIONS["1.6"].schemas
START = {"connectorId": 2, "idTag": "Abc", "timestamp": "2026-03-01T13:00:00+01:00", "meterStart": 100}
STOP = {"transactionId": 7, "timestamp": "2026-03-01T12:00:00Z", "meterStop": 900}


def read(action: str, payload: Any) -> Report:
    SCHEMAS.check_request(action, payload)
    message = DIALECTS.read(call(action, payload))
    assert isinstance(message, Report)
    return message


def value(sampled: dict[str, Any]) -> Any:
    """One sampled value in a MeterValues of transaction 7."""
    values = [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [sampled]}]
    return read("MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": values}).meter_values[0]


def test_start() -> None:
    """§4.8."""
    message = read("StartTransaction", START | {"reservationId": 4})
    assert (message.kind, message.at, message.begin_wh) == (ReportKind.STARTED, NOON, 100)
    assert (message.evse_id, message.connector_id, message.id_token, message.reservation_id) == (2, 2, "Abc", 4)


@pytest.mark.parametrize("same", [{}, {"idTag": "ABC"}, {"timestamp": "2026-03-01T12:00:00.000Z"}])
def test_a_start_told_again_has_the_same_key(same: dict[str, Any]) -> None:
    assert read("StartTransaction", START | same).key == read("StartTransaction", START).key


@pytest.mark.parametrize(
    "other", [{"idTag": "Abd"}, {"timestamp": "2026-03-01T12:00:01Z"}, {"connectorId": 1}, {"meterStart": 101}]
)
def test_another_start_has_another_key(other: dict[str, Any]) -> None:
    assert read("StartTransaction", START | other).key != read("StartTransaction", START).key


def test_stop() -> None:
    """§4.10: a missing reason is Local, a missing idTag means that nobody presented one."""
    message = read("StopTransaction", STOP)
    assert (message.kind, message.key, message.number, message.end_wh) == (ReportKind.ENDED, None, 7, 900)
    assert (message.stop_reason, message.id_token) == ("Local", None)
    assert read("StopTransaction", STOP | {"reason": "PowerLoss"}).stop_reason == "PowerLoss"


@pytest.mark.parametrize("unknown", [0, -1, 2**31, 2**62])
def test_a_number_that_cannot_be_ours_is_unknown_and_kept(unknown: int) -> None:
    message = read("StopTransaction", STOP | {"transactionId": unknown})
    assert (message.number, message.transaction_id) == (0, str(unknown))


def test_transaction_data_whose_time_cannot_be_read_takes_that_of_the_stop() -> None:
    """A stop is never refused for one of its samples."""
    data = [{"timestamp": "yesterday", "sampledValue": [{"value": "5"}]}]
    [sample] = read("StopTransaction", STOP | {"transactionData": data}).meter_values
    assert (sample.taken_at, sample.raw_timestamp) == (NOON, "yesterday")


@pytest.mark.parametrize("said", ["", "soon", "0000-00-00T00:00:00Z", "2026-11-30"])
def test_a_report_whose_time_cannot_be_read_is_of_its_receipt_and_keeps_what_was_said(said: str) -> None:
    """§4.8, §4.10: a .conf shall follow; without one the session is never billed."""
    for action, payload in (("StartTransaction", START), ("StopTransaction", STOP)):
        message = read(action, payload | {"timestamp": said})
        assert (message.at, message.details) == (message.received_at, {"unreadable_timestamp": said})


def test_samples_whose_time_cannot_be_read_are_of_their_receipt() -> None:
    values = [{"timestamp": "x", "sampledValue": [{"value": "1"}]}]
    message = read("MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": values})
    [sample] = message.meter_values
    assert (sample.taken_at, sample.raw_timestamp) == (message.received_at, "x")


def test_starts_whose_time_cannot_be_read_are_told_apart_by_the_rest() -> None:
    told, retry = (read("StartTransaction", START | {"timestamp": ""}) for _ in range(2))
    assert told.key == retry.key
    assert read("StartTransaction", START | {"timestamp": "", "meterStart": 101}).key != told.key


def tolerated(action: str, payload: Any) -> Any:
    """What is read of a payload that the gateway let through although its schema asks for more."""
    return DIALECTS.read(call(action, payload))


def test_a_stop_that_says_little_is_a_stop() -> None:
    """§4.10: nothing is refused that ends a session."""
    message = tolerated("StopTransaction", {"transactionId": 7})
    assert (message.kind, message.number, message.end_wh, message.at) == (
        ReportKind.ENDED,
        7,
        None,
        message.received_at,
    )
    nameless = tolerated("StopTransaction", {"meterStop": 900})
    assert (nameless.number, nameless.transaction_id, nameless.end_wh) == (0, "", 900)


def test_a_start_without_a_register_is_a_start() -> None:
    message = tolerated("StartTransaction", {"connectorId": 2, "idTag": "Abc"})
    assert (message.kind, message.begin_wh, message.at) == (ReportKind.STARTED, None, message.received_at)


def test_meter_values_without_anything_in_them_change_nothing() -> None:
    assert tolerated("MeterValues", {"connectorId": 1}).meter_values == ()
    assert tolerated("MeterValues", {"transactionId": 7, "meterValue": []}).meter_values == ()


def test_words_that_1_6_does_not_have_are_kept() -> None:
    sampled = {"value": "50", "unit": "Hz", "measurand": "Frequency", "phase": "L4", "context": "Sample.Odd"}
    values = [{"sampledValue": [sampled]}]
    [sample] = tolerated("MeterValues", {"transactionId": 7, "meterValue": values}).meter_values
    expected = {"measurand": "Frequency", "unit": "Hz", "context": "Sample.Odd", "phase": "L4", "value": 50}
    assert sample.readings == [expected]
    assert (sample.energies, sample.raw_timestamp) == ((), "")
    assert tolerated("StopTransaction", STOP | {"reason": "StoppedByEV"}).stop_reason == "StoppedByEV"


def test_meter_values_without_a_transaction_are_outside() -> None:
    """§4.7."""
    values = [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [{"value": "1"}]}]
    message = DIALECTS.read(call("MeterValues", {"connectorId": 0, "meterValue": values}))
    assert isinstance(message, StationSamples)
    assert message.connector_id == 0


def test_defaults() -> None:
    """§7.43: Energy.Active.Import.Register, Wh, Sample.Periodic, Outlet."""
    sample = value({"value": "12.5"})
    assert sample.readings == [{"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": 12.5}]
    assert sample.energies == ((TOTAL, Rank.BETWEEN, 12.5),)


@pytest.mark.parametrize(
    ("sampled", "unit", "number"),
    [
        ({"value": "4.35", "unit": "kWh"}, "Wh", 4350),
        ({"value": "7.4", "unit": "kW", "measurand": "Power.Active.Import"}, "W", 7400),
        ({"value": "1.1", "unit": "kvarh", "measurand": "Energy.Reactive.Import.Register"}, "varh", 1100),
        ({"value": "12.5 kWh"}, "Wh", 12_500),
        ({"value": "12.5kwh", "unit": "kWh"}, "Wh", 12_500),
        ({"value": "80 Percent", "measurand": "SoC"}, "Percent", 80),
        ({"value": "4350.0000000000000001", "unit": "Wh"}, "Wh", 4350),
        ({"value": "16", "measurand": "Current.Import"}, "A", 16),
        ({"value": "230.1", "measurand": "Voltage"}, "V", 230.1),
        ({"value": "50", "measurand": "Frequency"}, "Hz", 50),
        ({"value": "21", "measurand": "Temperature", "unit": "Celcius"}, "Celsius", 21),
        ({"value": "80", "measurand": "SoC"}, "Percent", 80),
        ({"value": "-3", "measurand": "Power.Active.Export"}, "W", -3),
        ({"value": "0.98", "measurand": "Power.Factor"}, "", 0.98),
        # What no float holds is null in JSON, and no number when it is read again.
        ({"value": "1e308", "unit": "kWh"}, "Wh", float_info.max),
        ({"value": "-1e308", "unit": "kW", "measurand": "Power.Active.Import"}, "W", -float_info.max),
    ],
)
def test_units(sampled: dict[str, Any], unit: str, number: float) -> None:
    [reading] = value(sampled).readings
    assert (reading["unit"], reading["value"]) == (unit, number)


@pytest.mark.parametrize("text", ["", "NaN", "inf", "1_000", "off", "1,5", "1e999", "9" * 400 + " kWh"])
def test_what_is_no_number_is_kept_as_it_is(text: str) -> None:
    [reading] = value({"value": text}).readings
    assert reading["signed"] == text
    assert "value" not in reading


@pytest.mark.parametrize(
    "said", [{"value": "12.5 kWh", "unit": "Wh"}, {"value": "12.5 foo"}, {"value": "5", "unit": "W"}]
)
def test_energy_in_a_unit_that_cannot_be_read_is_not_taken_for_wh(said: dict[str, Any]) -> None:
    assert value(said).energies == ((TOTAL, Rank.BETWEEN, UNREADABLE_WH),)


@pytest.mark.parametrize(("unit", "kept"), [("kWh", "kWh"), ("Wh", "Wh"), (None, "Wh")])
@pytest.mark.parametrize("sampled", [{"value": "1,5"}, {"value": "0123", "format": "SignedData"}])
def test_what_is_no_number_was_shown_in_another_unit(sampled: dict[str, str], unit: str | None, kept: str) -> None:
    """1,5 kWh is not 1,5 Wh."""
    found = value(sampled | ({"unit": unit} if unit else {}))
    [reading] = found.readings
    assert (reading["signed"], reading["unit"]) == (sampled["value"], kept)
    assert "value" not in reading
    assert found.energies == ()


def test_signed_data_is_kept_verbatim_and_bills_nothing() -> None:
    sample = value({"value": "0123", "format": "SignedData"})
    assert sample.readings[0]["signed"] == "0123"
    assert sample.energies == ()


def test_the_main_meter_is_of_no_transaction() -> None:
    """Errata 3.16: connector 0 should not name a transaction, and some do."""
    payload = [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [{"value": "5"}]}]
    message = DIALECTS.read(call("MeterValues", {"connectorId": 0, "transactionId": 7, "meterValue": payload}))
    assert isinstance(message, StationSamples)
    assert (message.transaction_id, message.connector_id, message.meter_values[0].energies) == ("7", 0, ())


def test_the_character_that_postgres_has_not_is_replaced() -> None:
    assert read("StartTransaction", START | {"idTag": "a\0b"}).id_token == "a\ufffdb"


@pytest.mark.parametrize(
    ("action", "reply", "payload"),
    [
        (
            "StartTransaction",
            Started(7, TokenInfo(Authorization.UNKNOWN)),
            {"transactionId": 7, "idTagInfo": {"status": "Invalid"}},
        ),
        (
            "StartTransaction",
            Started(7, TokenInfo(Authorization.EXPIRED, NOON, "G" * 21, NOON)),
            {"transactionId": 7, "idTagInfo": {"status": "Expired", "expiryDate": "2026-03-01T12:00:00.000Z"}},
        ),
        (
            "StopTransaction",
            Updated(TokenInfo(Authorization.CONCURRENT_TX, group_id="G")),
            {"idTagInfo": {"status": "ConcurrentTx", "parentIdTag": "G"}},
        ),
        ("StopTransaction", Updated(None), {}),
        ("MeterValues", Empty(), {}),
        ("MeterValues", Updated(None), {}),
    ],
)
def test_replies(action: str, reply: object, payload: dict[str, Any]) -> None:
    written = DIALECTS.write(call(action, {}), reply)
    assert written == payload
    SCHEMAS.check_response(action, written)


@pytest.mark.parametrize(
    ("where", "connector"),
    [({}, None), ({"evse_id": 2}, 2), ({"connector_id": 3}, 3), ({"evse_id": 2, "connector_id": 1}, 2)],
)
def test_remote_start(where: dict[str, Any], connector: int | None) -> None:
    """§5.11."""
    action, payload = v16.remote_start(RemoteStart(1, "T", "eMAID", **where))
    assert (action, payload) == (
        "RemoteStartTransaction",
        {"idTag": "T"} | ({"connectorId": connector} if connector else {}),
    )
    SCHEMAS.check_request(action, payload)


def test_remote_stop() -> None:
    """§5.12."""
    action, payload = v16.remote_stop(RemoteStop(7, "7"))
    assert (action, payload) == ("RemoteStopTransaction", {"transactionId": 7})
    SCHEMAS.check_request(action, payload)
