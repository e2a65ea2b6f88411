"""Configuration in the words of each version, and their answers read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.process.errors import Unprocessable
from services.firmware.configuration.answers import READ_ANSWERS, REPORT_ANSWERS, WRITE_ANSWERS
from services.firmware.configuration.dialects import v16, v201
from services.firmware.configuration.dialects.dialect import MessageLimits, ReportReply, SetResult
from services.firmware.configuration.dialects.names import BadName, Variable
from services.firmware.configuration.domain.settings import Characteristics, Observation, Result, key
from services.firmware.dialects import SETTINGS
from services.ocpp.versions import VERSIONS
from tests.contract.examples import full, minimal

V16, V201 = SETTINGS["1.6"], SETTINGS["2.0.1"]
WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
INSTANCE = WORD.filter(bool)
NUMBER = st.integers(0, 2**31 - 1)
PLACES: st.SearchStrategy[tuple[int | None, int | None]] = st.one_of(
    st.just((None, None)), st.tuples(NUMBER, st.none()), st.tuples(NUMBER, NUMBER)
)
VARIABLES = st.builds(
    lambda component, variable, instance, place, other, attribute: Variable(
        component, variable, instance, place[0], place[1], other, attribute
    ),
    WORD,
    WORD,
    st.none() | INSTANCE,
    PLACES,
    st.none() | INSTANCE,
    st.sampled_from(["Actual", "Target", "MinSet", "MaxSet"]),
)
PASSWORD = "SecurityCtrlr.BasicAuthPassword"


@given(VARIABLES)
def test_a_name_there_and_back(variable: Variable) -> None:
    assert Variable.parse(str(variable)) == variable


@given(VARIABLES)
def test_a_payload_there_and_back(variable: Variable) -> None:
    payload = variable.payload()
    assert Variable.of(payload, payload.get("attributeType")) == variable


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("OCPPCommCtrlr.HeartbeatInterval", Variable("OCPPCommCtrlr", "HeartbeatInterval")),
        ("EVSE@1.AvailabilityState", Variable("EVSE", "AvailabilityState", evse=1)),
        ("Connector@1.2.AvailabilityState", Variable("Connector", "AvailabilityState", evse=1, connector=2)),
        ("EVSE@1.2", Variable("EVSE", "2", evse=1)),
        (
            "DeviceDataCtrlr.ItemsPerMessage(GetReport)",
            Variable("DeviceDataCtrlr", "ItemsPerMessage", variable_instance="GetReport"),
        ),
        ("A(b)@1.C(d)#Target", Variable("A", "C", "b", 1, None, "d", "Target")),
        ("A.B#Actual", Variable("A", "B")),
        ("A%2E1.B%25", Variable("A.1", "B%")),
    ],
)
def test_how_names_are_written(name: str, variable: Variable) -> None:
    assert Variable.parse(name) == variable


@pytest.mark.parametrize("name", ["", "A", "A.B.C", "A.B#Max", "A@x.B", "A().B", "A@9999999999.B", "A%00.B", "A%2e.B"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(BadName):
        Variable.parse(name)


@pytest.mark.parametrize("name", [".B", "A.", "A." + "x" * 51, f"A({'x' * 51}).B"])
def test_a_name_that_no_station_can_take(name: str) -> None:
    with pytest.raises(BadName):
        V201.canonical_name(name)
    assert not V201.is_own_name(name)


def test_the_versions_share_the_same_names() -> None:
    assert set(v16.SHARED_NAMES) == set(v201.SHARED_NAMES)
    for dialect in SETTINGS.values():
        for shared, own in dialect.shared_names.items():
            assert dialect.canonical_name(own) == own == dialect.own_name(shared)
            assert dialect.shared_name(own.upper()) == shared


def test_a_name_is_of_the_version_that_it_looks_like() -> None:
    assert V16.is_own_name("HeartbeatInterval")
    assert not V16.is_own_name("OCPPCommCtrlr.HeartbeatInterval")
    assert V201.is_own_name("OCPPCommCtrlr.HeartbeatInterval")
    assert not V201.is_own_name("HeartbeatInterval")
    with pytest.raises(BadName):
        V16.canonical_name("x" * 51)


KEYS = [f"Key{n}" for n in range(45)]
LONG_NAMES = [f"Comp(a)@1.Var{n}#Target" for n in range(45)]
NAMES = {"1.5": KEYS, "1.6": KEYS, "2.0.1": LONG_NAMES, "2.1": LONG_NAMES}


@pytest.mark.parametrize("version", SETTINGS)
def test_what_is_asked_is_valid_and_within_limits(version: str) -> None:
    """B05.FR.11, B06.FR.05 (TC_B_07, TC_B_08, TC_B_10): never more than the station takes."""
    dialect, schemas, names = SETTINGS[version], VERSIONS[version].schemas, NAMES[version]
    limits = MessageLimits(reads=4, writes=4, read_bytes=600, write_bytes=600)
    calls = [*dialect.read(names, limits), dialect.read_all("FullInventory", 5)]
    writes = dialect.write(dict.fromkeys(names, "1"), limits)
    for action, payload in [*calls, *((write.action, write.payload) for write in writes)]:
        schemas.check_request(action, payload)
        for items in payload.values():
            assert not isinstance(items, list) or len(items) <= 4
    assert [name for write in writes for name in write.values] == names
    told = [tried for write in writes for tried in WRITE_ANSWERS[write.action](write.payload, None)]
    assert told == [SetResult(name, "1", Result.PENDING) for name in names]


def test_bytes_are_a_limit_too() -> None:
    few = V201.write({f"C.{'v' * 40}{n}": "x" * 900 for n in range(4)}, MessageLimits(20, 20, None, 2300))
    assert [len(write.values) for write in few] == [2, 2]
    [alone, _] = V201.write({"C.A": "x" * 900, "C.B": "x"}, MessageLimits(20, 20, None, 100))
    assert list(alone.values) == ["C.A"]


def test_limits_are_what_the_station_says() -> None:
    said = {
        "devicedatactrlr.itemspermessage(getvariables)": "4",
        "devicedatactrlr.itemspermessage(setvariables)": " 2 ",
        "devicedatactrlr.bytespermessage(setvariables)": "2000",
        "devicedatactrlr.bytespermessage(getvariables)": "many",
    }
    assert V201.limits(said) == MessageLimits(4, 2, None, 2000)
    assert set(said) == {key(name) for name in V201.limit_names}
    assert V201.limits({}) == MessageLimits(20, 20)
    assert V16.limits({"getconfigurationmaxkeys": "10"}) == MessageLimits(10, 1)
    assert V16.limits({"getconfigurationmaxkeys": "0"}) == MessageLimits(50, 1)


def test_a_16_station_says_what_it_has() -> None:
    """1.6 §5.8, §6.24."""
    answer = {
        "configurationKey": [
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
            {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
            {"key": "Empty", "readonly": False},
            {"key": "AuthorizationKey", "readonly": False, "value": "0011aabb"},
            {"key": "WifiPassword", "readonly": False, "value": "hunter2"},
        ],
        "unknownKey": ["Nonsense"],
    }
    VERSIONS["1.6"].schemas.check_response("GetConfiguration", answer)
    reading = READ_ANSWERS["GetConfiguration"]({"key": ["HeartbeatInterval"]}, answer)
    assert reading.settings == (
        Observation("HeartbeatInterval", "300", "get", Characteristics("ReadWrite")),
        Observation("NumberOfConnectors", "2", "get", Characteristics("ReadOnly")),
        Observation("Empty", "", "get", Characteristics("ReadWrite")),
        Observation("AuthorizationKey", None, "get", Characteristics("WriteOnly")),
        Observation("WifiPassword", None, "get", Characteristics("WriteOnly")),
        Observation("Nonsense", None, "get", unknown=True),
    )
    assert not reading.everything
    assert READ_ANSWERS["GetConfiguration"]({}, {}).everything


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("Accepted", Result.APPLIED),
        ("Rejected", Result.REJECTED),
        ("RebootRequired", Result.REBOOT_REQUIRED),
        ("NotSupported", Result.UNKNOWN),
    ],
)
def test_what_a_16_station_says_to_a_change(status: str, result: Result) -> None:
    """1.6 §5.3."""
    tried = WRITE_ANSWERS["ChangeConfiguration"]({"key": "K", "value": "v"}, {"status": status})
    assert tried == [SetResult("K", "v", result, status)]


def result_of(component: str, variable: str, status: str, **more: Any) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": variable}, "attributeStatus": status, **more}


def test_what_a_201_station_says_to_a_change() -> None:
    """B05.FR.01 to FR.10: a result each, in any order."""
    [write] = V201.write({f"C.V{n}": str(n) for n in range(6)}, MessageLimits(20, 20))
    results = [
        result_of("C", "V5", "Rejected", attributeStatusInfo={"reasonCode": "ReadOnly"}),
        result_of("c", "v0", "Accepted", attributeType="Actual"),
        result_of("C", "V1", "RebootRequired"),
        result_of("C", "V2", "UnknownComponent"),
        result_of("C", "V3", "UnknownVariable"),
    ]
    answer = {"setVariableResult": results}
    VERSIONS["2.0.1"].schemas.check_response("SetVariables", answer)
    assert WRITE_ANSWERS["SetVariables"](write.payload, answer) == [
        SetResult("C.V0", "0", Result.APPLIED, "Accepted"),
        SetResult("C.V1", "1", Result.REBOOT_REQUIRED, "RebootRequired"),
        SetResult("C.V2", "2", Result.UNKNOWN, "UnknownComponent"),
        SetResult("C.V3", "3", Result.UNKNOWN, "UnknownVariable"),
        SetResult("C.V4", "4", Result.REJECTED, "no result of it in the answer"),
        SetResult("C.V5", "5", Result.REJECTED, "Rejected (ReadOnly)"),
    ]


def test_what_a_201_station_says_to_a_question() -> None:
    """B06.FR.02, FR.06 to FR.10."""
    answer = {
        "getVariableResult": [
            result_of("C", "A", "Accepted", attributeValue="1", attributeType="Target"),
            result_of("C", "B", "UnknownVariable"),
            result_of("C", "D", "NotSupportedAttributeType", attributeType="MaxSet"),
            result_of("C", "W", "Rejected"),
            result_of("SecurityCtrlr", "BasicAuthPassword", "Accepted", attributeValue="secret"),
        ]
    }
    VERSIONS["2.0.1"].schemas.check_response("GetVariables", answer)
    assert READ_ANSWERS["GetVariables"]({}, answer).settings == (
        Observation("C.A#Target", "1", "get"),
        Observation("C.B", None, "get", unknown=True),
        Observation("C.D#MaxSet", None, "get", unknown=True),
        Observation(PASSWORD, None, "get"),
    )


def test_a_part_of_a_report() -> None:
    """B07.FR.03, FR.08, FR.10, FR.11; WriteOnly values stay unsaid (2025-09 errata)."""
    characteristics = {"dataType": "integer", "supportsMonitoring": False, "unit": "s", "minLimit": 1, "maxLimit": 9}
    payload = {
        "requestId": 7,
        "generatedAt": "2026-03-01T12:00:00Z",
        "seqNo": 1,
        "tbc": True,
        "reportData": [
            {
                "component": {"name": "EVSE", "evse": {"id": 1}},
                "variable": {"name": "Interval"},
                "variableAttribute": [
                    {"value": "5", "mutability": "ReadOnly", "persistent": True},
                    {"type": "Target", "value": "6"},
                ],
                "variableCharacteristics": characteristics,
            },
            {
                "component": {"name": "SecurityCtrlr"},
                "variable": {"name": "BasicAuthPassword"},
                "variableAttribute": [{"value": "secret"}],
            },
        ],
    }
    VERSIONS["2.0.1"].schemas.check_request("NotifyReport", payload)
    part = v201.part(payload)
    assert (part.request_id, part.seq_no, part.more) == (7, 1, True)
    told = Characteristics("ReadOnly", "integer", "s", 1, 9, None, True, False)
    assert part.settings == (
        Observation("EVSE@1.Interval", "5", "report", told),
        Observation(
            "EVSE@1.Interval#Target",
            "6",
            "report",
            Characteristics("ReadWrite", "integer", "s", 1, 9, None, False, False),
        ),
        Observation(PASSWORD, None, "report", Characteristics("WriteOnly", persistent=False, constant=False)),
    )


@pytest.mark.parametrize("numbers", [{"requestId": 2**63, "seqNo": 0}, {"requestId": 1, "seqNo": -1}])
def test_a_part_with_impossible_numbers(numbers: dict[str, int]) -> None:
    with pytest.raises(Unprocessable):
        v201.part({"generatedAt": "2026-03-01T12:00:00Z", **numbers})


@pytest.mark.parametrize("status", ["Accepted", "Rejected", "NotSupported", "EmptyResultSet"])
def test_a_report_is_promised_or_not(status: str) -> None:
    """B07.FR.01, FR.02, FR.13; B08.FR.15 (TC_B_18)."""
    _, asked = V201.read_all("SummaryInventory", 9)
    told = REPORT_ANSWERS["GetBaseReport"](asked, {"status": status})
    assert told == ReportReply(9, "SummaryInventory", status == "Accepted", status)
    assert REPORT_ANSWERS["GetReport"]({"requestId": 9}, {"status": status}) == ReportReply(
        9, None, status == "Accepted", status
    )


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """JSON has one kind of number, and the schema takes it."""
    component = {"name": "Connector", "evse": {"id": 1.0, "connectorId": 2.0}}
    variable = Variable.of({"component": component, "variable": {"name": "V", "instance": ""}}, None)
    assert str(variable) == "Connector@1.2.V"
    told = REPORT_ANSWERS["GetReport"]({"requestId": 9.0}, {"status": "Accepted"})
    assert told == ReportReply(9, None, True, "Accepted")
    assert REPORT_ANSWERS["GetReport"]({"requestId": 1e300}, {"status": "Accepted"}) is None


@pytest.mark.parametrize("evse", [{"id": -1}, {"id": 1, "connectorId": 2**31}])
def test_a_setting_of_an_impossible_place_is_left_out(evse: dict[str, int]) -> None:
    item = {"component": {"name": "EVSE", "evse": evse}, "variable": {"name": "V"}, "variableAttribute": [{}]}
    report = {"requestId": 1, "seqNo": 0, "generatedAt": "2026-03-01T12:00:00Z", "reportData": [item]}
    assert v201.part(report).settings == ()


def test_secrets_are_never_what_was_wanted() -> None:
    """A01: passwords are neither shown nor kept."""
    [tried] = WRITE_ANSWERS["ChangeConfiguration"]({"key": "authorizationKey", "value": "00"}, {"status": "Accepted"})
    assert tried == SetResult("authorizationKey", None, Result.APPLIED, "Accepted")
    [write] = V201.write({PASSWORD: "secret"}, MessageLimits(20, 20))
    assert WRITE_ANSWERS["SetVariables"](write.payload, None) == [SetResult(PASSWORD, None, Result.PENDING)]
    assert V201.is_secret("Vendor.Code", Characteristics("WriteOnly"))
    assert not V201.is_secret("OCPPCommCtrlr.HeartbeatInterval")


@pytest.mark.parametrize("example", [minimal, full])
@pytest.mark.parametrize(
    ("version", "action"),
    [
        (version, action)
        for version, dialect in SETTINGS.items()
        for action in {**dialect.read_answers, **dialect.report_answers}
    ],
)
def test_any_valid_answer_can_be_read(version: str, action: str, example: Any) -> None:
    schemas = VERSIONS[version].schemas
    asked = example(schemas.request_document(action))
    answer = example(schemas.document(f"{action}Response"))
    assert {**READ_ANSWERS, **REPORT_ANSWERS}[action](asked, answer)
