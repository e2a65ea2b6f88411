"""What messages say that break their schemas, and in what they deviate."""

import json
from copy import deepcopy
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ocpp import examples
from services.ocpp.deviations import Deviation
from services.ocpp.errors import ErrorCode
from services.ocpp.schema_nodes import node
from services.ocpp.tolerant import MOST_TOLD, Reading, read, without_nul
from services.ocpp.versions import VERSIONS

STOP = {"transactionId": 63, "meterStop": 4000, "timestamp": "2026-03-01T12:00:00Z"}
STATUS = {"timestamp": "2026-03-01T12:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
EVENT = {
    "eventType": "Ended",
    "timestamp": "2026-03-01T12:00:00Z",
    "triggerReason": "StopAuthorized",
    "seqNo": 4,
    "transactionInfo": {"transactionId": "tx"},
}


def told(reading: Reading) -> dict[str, str]:
    """Kinds of deviations by path."""
    assert reading.fault is None, reading.fault
    return {one.path: str(one.deviation) for one in reading.deviations}


def stop(**more: Any) -> Reading:
    return VERSIONS["1.6"].readings.request("StopTransaction", STOP | more)


def event(**more: Any) -> Reading:
    return VERSIONS["2.0.1"].readings.request("TransactionEvent", EVENT | more)


@pytest.mark.parametrize(
    ("name", "said", "read_as", "deviation"),
    [
        ("idTag", "x" * 21, "x" * 21, Deviation.LONG_TEXT),
        ("idTag", "x" * 501, None, Deviation.UNUSABLE),
        ("idTag", 12345, "12345", Deviation.CONVERTED),
        ("idTag", None, None, Deviation.NULL),
        ("transactionData", None, None, Deviation.NULL),
        ("connectorId", 1, None, Deviation.UNKNOWN_PROPERTY),
        ("reason", "StoppedByEV", "StoppedByEV", Deviation.UNKNOWN_VALUE),
        ("reason", "evDisconnected ", "EVDisconnected", Deviation.SPELLING),
        ("reason", "", None, Deviation.EMPTY_TEXT),
        ("reason", ["Local"], None, Deviation.UNUSABLE),
        ("meterStop", 4000.0, 4000, Deviation.WHOLE_AS_DECIMAL),
        ("meterStop", "4000", 4000, Deviation.CONVERTED),
        ("meterStop", {}, None, Deviation.UNUSABLE),
        ("meterStop", True, None, Deviation.UNUSABLE),
        ("meterStop", 1e30, None, Deviation.UNUSABLE),
        ("timestamp", "", "", Deviation.TIMESTAMP),
        ("timestamp", "0000-00-00T00:00:00Z", "0000-00-00T00:00:00Z", Deviation.TIMESTAMP),
        ("timestamp", "2026-03-01T12:00:00", "2026-03-01T12:00:00", Deviation.TIMESTAMP),
        ("timestamp", [], None, Deviation.UNUSABLE),
    ],
)
def test_a_stop_is_never_refused_for_one_field(name: str, said: Any, read_as: Any, deviation: Deviation) -> None:
    """1.6 §4.10: a .conf shall follow."""
    reading = stop(**{name: said})
    assert reading.payload.get(name) == read_as
    assert type(reading.payload.get(name)) is type(read_as)
    assert deviation in {one.deviation for one in reading.deviations if one.path == name}
    assert {key: reading.payload[key] for key in STOP if key != name} == {k: STOP[k] for k in STOP if k != name}


def test_a_register_is_rounded_and_a_name_is_not() -> None:
    assert stop(meterStop=4000.7).payload["meterStop"] == 4001
    assert stop(meterStop="4000.4").payload["meterStop"] == 4000
    assert "meterStop" not in stop(meterStop="4,000").payload
    assert "transactionId" not in stop(transactionId=63.5).payload


def test_one_bad_sample_takes_nothing_with_it() -> None:
    good, odd = {"value": "1"}, {"value": "50", "unit": "Hz", "measurand": "Frequency"}
    data = [
        {"timestamp": "2026-03-01T11:00:00Z", "sampledValue": [good, odd, {"unit": "Wh"}, 7, None]},
        {"timestamp": "2026-03-01T11:30:00Z"},
        {"sampledValue": [good]},
    ]
    reading = stop(transactionData=data)
    first, last = reading.payload["transactionData"]
    assert (first["sampledValue"], last["sampledValue"]) == ([good, odd], [good])
    assert [(str(one.deviation), one.path, one.times) for one in reading.deviations] == [
        ("unknown_value", "transactionData[].sampledValue[].unit", 1),
        ("bad_item", "transactionData[].sampledValue", 3),
        ("bad_item", "transactionData", 1),
        ("missing", "transactionData[].timestamp", 1),
    ]


@pytest.mark.parametrize("payload", [{}, {"transactionId": None, "timestamp": ""}, {"transactionId": {}}, [], "x", 7])
def test_a_stop_that_says_nothing_of_a_session_is_refused(payload: Any) -> None:
    reading = VERSIONS["1.6"].readings.request("StopTransaction", payload)
    assert reading.fault is not None
    assert reading.fault.code in (ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, *ERRORS_OF_TYPE)


ERRORS_OF_TYPE = (ErrorCode.TYPE_CONSTRAINT_VIOLATION, ErrorCode.FORMAT_VIOLATION)


@pytest.mark.parametrize(
    ("more", "deviations"),
    [
        ({"evse": None}, {"evse": "null"}),
        ({"mine": 1}, {"mine": "unknown_property"}),
        ({"meterValue": []}, {"meterValue": "empty_list"}),
        ({"eventType": "ended"}, {"eventType": "spelling"}),
        ({"offline": "true"}, {"offline": "converted"}),
        ({"seqNo": 4.0}, {"seqNo": "whole_as_decimal"}),
        ({"seqNo": "4"}, {"seqNo": "converted"}),
        ({"triggerReason": "Because"}, {"triggerReason": "unknown_value"}),
        ({"transactionInfo": {"transactionId": "t" * 40}}, {"transactionInfo.transactionId": "long_text"}),
        ({"idToken": {"type": "ISO14443"}}, {"idToken": "unusable"}),
        ({"idToken": {"idToken": "T", "type": "RFID"}}, {"idToken.type": "unknown_value"}),
        ({"idToken": {"idToken": "T"}}, {"idToken.type": "missing"}),
    ],
)
def test_an_event_that_names_its_transaction_is_never_refused(more: Any, deviations: dict[str, str]) -> None:
    assert told(event(**more)) == deviations


def test_numbers_as_texts_and_nulls_within_samples() -> None:
    sample = {"value": "230.5", "phase": None, "unitOfMeasure": {"unit": "V", "multiplier": "0"}}
    values = {"timestamp": "2026-03-01T12:00:00Z", "sampledValue": sample}
    [value] = event(meterValue=values).payload["meterValue"]
    assert value["sampledValue"] == [{"value": 230.5, "unitOfMeasure": {"unit": "V", "multiplier": 0}}]


def test_custom_data_is_kept_whatever_it_is() -> None:
    data = {"vendorId": "v", "mine": {"a": [1, None]}, "none": None}
    assert event(customData=data).payload["customData"] == data


def test_free_texts_of_another_kind_are_kept_as_json() -> None:
    """DataTransfer of 1.6: what vendors send where a text should be."""
    reading = VERSIONS["1.6"].readings.request("DataTransfer", {"vendorId": "v", "data": {"a": [1]}})
    assert (reading.payload["data"], told(reading)) == ('{"a":[1]}', {"data": "converted"})


def test_an_empty_object_may_be_written_as_a_list() -> None:
    assert VERSIONS["1.6"].readings.request("Heartbeat", []).payload == {}


def test_what_is_read_in_the_same_words_has_not_changed() -> None:
    assert not stop().changed
    assert not stop(idTag="x" * 21, reason="Odd", timestamp="").changed
    assert stop(mine=1).changed
    assert stop(meterStop=4000.0).changed


def test_whoever_deviates_everywhere_is_told_of_in_bounds() -> None:
    reading = stop(**{f"{n:03}" + "x" * 100: n for n in range(1000)})
    assert len(reading.deviations) <= MOST_TOLD + 1
    assert sum(one.times for one in reading.deviations) == 1000
    assert max(len(one.path) for one in reading.deviations) == 50


@pytest.mark.parametrize(
    ("text", "without"),
    [
        (rb'{"a":"x\u0000y"}', rb'{"a":"xy"}'),
        (rb'{"\u0000a":"\u0000\u0000"}', rb'{"a":""}'),
        (rb'{"a":"\\u0000"}', rb'{"a":"\\u0000"}'),
        (rb'{"a":"\\\u0000"}', rb'{"a":"\\"}'),
        (rb'{"a":"\\\\u0000\u0000b"}', rb'{"a":"\\\\u0000b"}'),
    ],
)
def test_texts_lose_their_nul_and_nothing_else(text: bytes, without: bytes) -> None:
    assert without_nul(text) == without


@given(st.text(alphabet='\0\\u0"é', max_size=30))
def test_any_text_loses_its_nul(text: str) -> None:
    assert orjson.loads(without_nul(orjson.dumps(text))) == text.replace("\0", "")


def test_what_cannot_be_written_again_is_refused() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = {"a": deep}
    assert VERSIONS["1.6"].readings.request("StopTransaction", STOP | {"mine": deep}).fault is not None


KEPT_KEYWORDS = ("type", "properties", "items", "additionalProperties", "$ref", "definitions", "minItems")
MESSAGES = [(version, action) for version in VERSIONS.values() for action in sorted(version.from_station)]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def types_only(schema: Any) -> Any:
    """A schema that asks for nothing but types."""
    kept = {key: schema[key] for key in KEPT_KEYWORDS if key in schema}
    for named in ("properties", "definitions"):
        if named in kept:
            kept[named] = {name: types_only(part) for name, part in kept[named].items()}
    if "items" in kept:
        kept["items"] = types_only(kept["items"])
    if kept.get("type") == "string":
        kept.pop("additionalProperties", None)
    return kept


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Any, str, Any]:
    """A message of a station with anything at all put anywhere."""
    version, action = draw(st.sampled_from(MESSAGES))
    payload = deepcopy(examples.full(version.schemas.request_document(action)))
    for _ in range(draw(st.integers(1, 4))):
        payload = _mutate(draw, payload)
    return version, action, payload


def _mutate(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: _mutate(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        return [_mutate(draw, value[0]), *value[1:], *draw(st.lists(JSON, max_size=1))]
    return draw(JSON)


@given(mutated())
def test_whatever_is_read_has_the_types_of_its_schema_and_is_read_alike_again(message: tuple[Any, str, Any]) -> None:
    version, action, payload = message
    reading = version.readings.request(action, orjson.loads(json.dumps(payload)))
    if reading.fault:
        assert reading.payload is None
        return
    document = types_only(version.schemas.request_document(action))
    relaxed = jsonschema_rs.Draft4Validator(document, validate_formats=False)
    assert relaxed.is_valid(reading.payload), list(relaxed.iter_errors(reading.payload))
    assert orjson.loads(orjson.dumps(reading.payload)) == reading.payload
    again = version.readings.request(action, reading.payload)
    assert (again.payload, again.changed) == (reading.payload, False)


@pytest.mark.parametrize(("version", "action"), MESSAGES, ids=[f"{v.name}-{a}" for v, a in MESSAGES])
def test_a_valid_message_is_read_as_it_is(version: Any, action: str) -> None:
    for make in (examples.minimal, examples.full):
        payload = make(version.schemas.request_document(action))
        assert version.schemas.exact_request(action)(payload)
        assert version.readings.request(action, payload) == Reading(payload)


@pytest.mark.parametrize("needed", ["a", "a.b", "a.b[].c"])
def test_needs_are_of_what_they_stand_in(needed: str) -> None:
    inner = {"type": "object", "properties": {"c": {"type": "integer"}}}
    middle = {"type": "object", "properties": {"b": {"type": "array", "items": inner}}}
    schema = node({"type": "object", "properties": {"a": middle}}, [needed])
    assert (read(schema, {}).fault is not None) == (needed == "a")
    assert ("a" in (read(schema, {"a": {}}).payload or {})) == (needed != "a.b")
    assert read(schema, {"a": {"b": [{}]}}).payload == {"a": {"b": [] if needed == "a.b[].c" else [{}]}}


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        ({"unitOfMeasure": "kWh"}, {"unit": "kWh"}),
        ({"unit": "kWh"}, {"unit": "kWh"}),
        ({"Unit": "KWH"}, {"unit": "KWH"}),
        ({"unit": "kWh", "unitOfMeasure": {"unit": "kwh"}}, {"unit": "kwh"}),
        ({"unitOfMeasure": {"Unit": "kWh"}}, {"unit": "kWh"}),
        ({"unitOfMeasure": {"unit": "Wh", "multiplier": "3"}}, {"unit": "Wh", "multiplier": 3}),
        ({"unitOfMeasure": "Wh", "multiplier": 3}, {"unit": "Wh", "multiplier": 3}),
        ({"unitOfMeasure": {"unit": "Wh", "multiplier": "k"}}, {"unit": '["Wh","k"]'}),
        ({"unitOfMeasure": {"unit": "Wh", "multiplier": 0.5}}, {"unit": '["Wh",0.5]'}),
        ({"unitOfMeasure": ["kWh"]}, {"unit": '["kWh"]'}),
        ({"unitOfMeasure": {"unit": ["kWh"]}}, {"unit": '["kWh"]'}),
        ({"unit": "kWh", "unitOfMeasure": {"unit": "Wh"}}, {"unit": '["kWh","Wh"]'}),
        ({"value": "12.5 kWh"}, {"unit": "kWh"}),
        ({"value": "12.5 kWh", "unit": "Wh"}, {"unit": '["Wh","kWh"]'}),
        ({"unitOfMeasure": ""}, None),
        ({"unitOfMeasure": None}, None),
    ],
)
def test_a_unit_is_never_dropped_and_its_value_kept(said: dict[str, Any], read_as: dict[str, Any] | None) -> None:
    """2.0.1 SampledValueType: without a unit the value is in Wh."""
    value = {"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [{"value": 12.5} | said]}
    [read_value] = event(meterValue=[value]).payload["meterValue"]
    expected = {"value": 12.5} if read_as is None else {"value": 12.5, "unitOfMeasure": read_as}
    assert read_value["sampledValue"] == [expected]


@pytest.mark.parametrize(
    ("said", "unit"),
    [
        ({"unit": "KWH"}, "kWh"),
        ({"unitOfMeasure": "kwh"}, "kWh"),
        ({"unitOfMeasure": {"unit": "kWh"}}, "kWh"),
        ({"unitOfMeasure": {"unit": "Wh", "multiplier": 3}}, '{"unit":"Wh","multiplier":3}'),
        ({"unit": ["kWh"]}, '["kWh"]'),
        ({"UNIT": "kWh"}, "kWh"),
        ({"unit": ""}, None),
    ],
)
def test_a_unit_of_1_6_is_never_dropped_and_its_value_kept(said: dict[str, Any], unit: str | None) -> None:
    """§7.43: without a unit the value is in Wh."""
    data = [{"timestamp": "2026-03-01T11:00:00Z", "sampledValue": [{"value": "12.5"} | said]}]
    [value] = stop(transactionData=data).payload["transactionData"]
    assert value["sampledValue"] == [{"value": "12.5"} if unit is None else {"value": "12.5", "unit": unit}]


def test_of_what_a_value_is_decides_whether_it_can_be_used() -> None:
    """Without a measurand it would be energy, without a phase that of all."""
    samples = [{"value": "230", "Measurand": "Voltage"}, {"value": "1", "phase": {}}, {"value": "2", "measurand": []}]
    data = [
        {"timestamp": "2026-03-01T11:00:00Z", "sampledValue": [*samples, {"value": "3", "phase": "", "context": None}]}
    ]
    [value] = stop(transactionData=data).payload["transactionData"]
    assert value["sampledValue"] == [{"value": "230", "measurand": "Voltage"}, {"value": "3"}]
