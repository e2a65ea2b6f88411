"""Payloads to and from XML: what deviates from its schema stays as it is, for others to judge."""

from collections import Counter
from typing import Any

import pytest

from services.ocpp.soap.shapes import decimal, integer, read_record, unwritable
from services.ocpp.soap.spellings import SPELLINGS, spelling_of
from services.ocpp.soap.xml import parse

V15, V16 = SPELLINGS["1.5"], SPELLINGS["1.6"]


def read(action: str, body: str, version: str = "1.5") -> dict[str, Any]:
    return SPELLINGS[version].read_request(action, parse(f"<x>{body}</x>".encode()))


def test_meter_values_of_15_are_those_of_16() -> None:
    """Values are nested otherwise, and what is said of one stands in attributes (1.5 §7.20)."""
    body = """<connectorId>1</connectorId><transactionId>7</transactionId>
        <values><timestamp>2026-03-01T12:00:00Z</timestamp>
            <value unit="Amp" measurand="Current.Import" context="Sample.Clock" location="Inlet" format="Raw"
                > 1 </value>
            <value>2</value></values>
        <values><timestamp>2026-03-01T12:01:00Z</timestamp>
            <value unit="Volt" measurand="Voltage">230</value></values>"""
    assert read("MeterValues", body) == {
        "connectorId": 1,
        "transactionId": 7,
        "meterValue": [
            {
                "timestamp": "2026-03-01T12:00:00Z",
                "sampledValue": [
                    {
                        "value": " 1 ",
                        "unit": "A",
                        "measurand": "Current.Import",
                        "context": "Sample.Clock",
                        "location": "Inlet",
                        "format": "Raw",
                    },
                    {"value": "2"},
                ],
            },
            {
                "timestamp": "2026-03-01T12:01:00Z",
                "sampledValue": [{"value": "230", "unit": "V", "measurand": "Voltage"}],
            },
        ],
    }


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        *(("\n\t\tTAG\n", "TAG"), ("TAG\r\n", "TAG"), ("\nTA G ", "TA G"), ("\n", "")),
        *((" TAG ", " TAG "), ("TA\nG ", "TA\nG ")),
    ],
)
def test_a_line_break_around_a_text_is_of_how_it_is_written(said: str, read_as: str) -> None:
    """Blanks alone may be part of an idTag: its type does not collapse them."""
    assert read("Authorize", f"<idTag>{said}</idTag>") == {"idTag": read_as}


def test_transaction_data_of_15_has_a_level_more_which_may_come_more_than_once() -> None:
    """One list of values in 1.6 (§6.49)."""
    value = "<values><timestamp>2026-03-01T12:00:0{}Z</timestamp><value>{}</value></values>"
    body = f"<transactionData>{value.format(0, 1)}{value.format(1, 2)}</transactionData>"
    body += f"<transactionData>{value.format(2, 3)}</transactionData><transactionData/>"
    found = read("StopTransaction", body)["transactionData"]
    assert [one["sampledValue"][0]["value"] for one in found] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("action", "body", "payload"),
    [
        ("StatusNotification", "<errorCode>Mode3Error</errorCode>", {"errorCode": "EVCommunicationError"}),
        ("StatusNotification", "<status> Occupied\n</status>", {"status": "Occupied"}),
        ("StatusNotification", "<connectorId>one</connectorId>", {"connectorId": "one"}),
        ("StatusNotification", "<connectorId> 1 </connectorId>", {"connectorId": 1}),
        ("StatusNotification", "<connectorId>1</connectorId><connectorId>2</connectorId>", {"connectorId": [1, 2]}),
        (
            "StatusNotification",
            "<connectorId>1</connectorId><a><b>2</b><b>3</b></a>",
            {"connectorId": 1, "a": {"b": ["2", "3"]}},
        ),
        ("Authorize", "<idTag> A1 </idTag>", {"idTag": " A1 "}),
        ("Authorize", "<idTag/>", {"idTag": ""}),
        ("Authorize", '<idTag xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="1"/>', {}),
        ("Authorize", '<y:idTag xmlns:y="urn:else">A1</y:idTag>', {"idTag": "A1"}),
        ("NoSuchAction", "<a>1</a>", {}),
    ],
)
def test_requests(action: str, body: str, payload: dict[str, Any]) -> None:
    assert read(action, body) == payload


def test_what_others_take_for_attributes_and_elements() -> None:
    """Some 1.5 stations write the parts of a value as elements, as 1.6 has them."""
    body = "<values><value><value>1</value><unit>Amp</unit></value></values>"
    assert read("MeterValues", body)["meterValue"] == [{"sampledValue": [{"value": "1", "unit": "A"}]}]
    body = '<meterValue><sampledValue unit="A"><value>1</value></sampledValue></meterValue>'
    assert read("MeterValues", body, "1.6")["meterValue"] == [{"sampledValue": [{"value": "1", "unit": "A"}]}]


STAMP = "<timestamp>2026-03-01T12:00:00Z</timestamp>"
OF_15 = f'<values>{STAMP}<value unit="Wh">1500</value></values>'
OF_16 = f"<meterValue>{STAMP}<sampledValue><value>1500</value><unit>Wh</unit></sampledValue></meterValue>"
MIXED_15 = OF_16.replace("meterValue", "values")
MIXED_16 = OF_15.replace("values", "meterValue")
READ = [{"timestamp": "2026-03-01T12:00:00Z", "sampledValue": [{"value": "1500", "unit": "Wh"}]}]


@pytest.mark.parametrize(
    ("version", "body", "foreign"),
    [
        ("1.5", OF_15, {}),
        ("1.5", OF_16, {"meterValue": 1}),
        ("1.5", MIXED_15, {"sampledValue": 1}),
        ("1.5", MIXED_16, {"meterValue": 1, "value": 1}),
        ("1.6", OF_16, {}),
        ("1.6", OF_15, {"values": 1}),
        ("1.6", MIXED_16, {"value": 1}),
        ("1.6", MIXED_15, {"values": 1, "sampledValue": 1}),
    ],
)
def test_meter_values_in_the_shape_of_the_other_version_lost_their_samples(
    version: str, body: str, foreign: dict[str, int]
) -> None:
    found = Counter[str]()
    written = parse(f"<x><connectorId>1</connectorId>{body}</x>".encode())
    assert SPELLINGS[version].read_request("MeterValues", written, found) == {"connectorId": 1, "meterValue": READ}
    assert found == foreign


INNER = OF_16.removeprefix("<meterValue>").removesuffix("</meterValue>")


@pytest.mark.parametrize(
    ("version", "data", "foreign"),
    [
        ("1.5", OF_15, {}),
        ("1.5", OF_15 * 2, {}),
        ("1.5", "", {}),
        ("1.5", INNER, {"transactionData": 1, "sampledValue": 1}),
        ("1.6", INNER, {}),
        ("1.6", OF_15, {"transactionData": 1, "value": 1}),
        ("1.6", OF_15 * 2, {"transactionData": 1, "value": 2}),
    ],
)
def test_transaction_data_in_the_shape_of_the_other_version(version: str, data: str, foreign: dict[str, int]) -> None:
    found = Counter[str]()
    written = parse(f"<x><transactionData>{data}</transactionData></x>".encode())
    payload = SPELLINGS[version].read_request("StopTransaction", written, found)
    assert payload.get("transactionData", []) == READ * data.count("<timestamp>")
    assert found == foreign


def test_numbers() -> None:
    assert [integer(one) for one in ("7", "+7", "-7", " 7", "7.0", "", "1e3", "9" * 30, "٣")] == [
        *(7, 7, -7, 7, "7.0", "", "1e3", "9" * 30, "٣")
    ]
    assert [decimal(one) for one in ("16", "16.0", "-.5", "", ".", "1e3", "NaN", "1.2.3", "--1")] == [
        *(16, 16.0, -0.5, "", ".", "1e3", "NaN", "1.2.3", "--1")
    ]


def test_decimals_have_no_exponent() -> None:
    """xsd:decimal."""
    profile = {"chargingSchedule": {"minChargingRate": 0.000001, "chargingSchedulePeriod": [{"limit": 16.1}]}}
    written = V16.write_request("SetChargingProfile", {"csChargingProfiles": profile})
    assert "<o:minChargingRate>0.000001<" in written
    assert "<o:limit>16.1<" in written


def test_unlock_status_and_boot_interval_of_15() -> None:
    status = parse(b"<x><status>Rejected</status></x>")
    assert V15.read_response("UnlockConnector", status) == {"status": "UnlockFailed"}
    assert V16.read_response("UnlockConnector", status) == {"status": "Rejected"}
    assert "<o:heartbeatInterval>300<" in V15.write_response("BootNotification", {"interval": 300})


def test_an_empty_list_is_written_as_nothing() -> None:
    assert V15.write_request("GetConfiguration", {"key": []}) == "<o:getConfigurationRequest/>"


@pytest.mark.parametrize(
    ("namespace", "version"),
    [
        ("urn://Ocpp/Cs/2012/06/", "1.5"),
        ("urn://Ocpp/Cp/2012/06/", "1.5"),
        ("urn://Ocpp/Cs/2015/10", "1.6"),
        (" urn://OCPP/Cs/2015/10/", "1.6"),
        ("urn://Ocpp/Cs/2010/08/", None),
        ("", None),
    ],
)
def test_versions_by_their_namespace(namespace: str, version: str | None) -> None:
    """OCPP-S 1.6 §8, whose table has no slash at the end where the WSDL has one."""
    found = spelling_of(namespace)
    assert (found.version if found else None) == version


def test_a_record_that_is_nested_too_deep_is_none_of_ours() -> None:
    """Read by its table, so that nothing recurses deeper than that."""
    deep = "<a>" * 20 + "</a>" * 20
    assert read_record(V15.operations["Heartbeat"].request, parse(f"<x>{deep}</x>".encode()))["a"]


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"key": "a", "value": "b\r\n\t é"}, ""),
        ({"key": "a", "value": "a\u0001b"}, "value"),
        ({"a": [{"b": 1}, {"b": None, "c": ["x", "\ufffe"]}]}, "a.c"),
        ({"a": True, "b": "\x00"}, "b"),
    ],
)
def test_what_xml_cannot_hold_is_named(payload: dict[str, Any], name: str) -> None:
    """XML 1.0 §2.2."""
    assert unwritable(payload) == name
