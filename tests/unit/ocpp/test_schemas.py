"""What schemas say of payloads, and in which words."""

import pytest

from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.versions import VERSIONS

START = {"connectorId": 1, "idTag": "TAG", "meterStart": 1, "timestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (
            {"connectorId": "one"},
            ErrorCode.TYPE_CONSTRAINT_VIOLATION,
            "connectorId: must be a whole number",
        ),
        ({"meterStart": 12.5}, ErrorCode.TYPE_CONSTRAINT_VIOLATION, "meterStart: must be a whole number"),
        ({"idTag": "T" * 21}, ErrorCode.TYPE_CONSTRAINT_VIOLATION, "idTag: must have 20 characters at most"),
        ({"color": "red"}, ErrorCode.FORMAT_VIOLATION, "color: is not known"),
        ({"idTag": None}, ErrorCode.TYPE_CONSTRAINT_VIOLATION, "idTag: must be a text"),
    ],
)
def test_a_broken_request_is_named_after_what_is_broken(change: dict[str, object], code: ErrorCode, words: str) -> None:
    with pytest.raises(OcppError) as raised:
        VERSIONS["1.6"].schemas.check_request("StartTransaction", START | change)
    assert raised.value.code == code
    assert words in raised.value.description


def test_a_missing_field_is_named() -> None:
    with pytest.raises(OcppError, match="idTag: is missing") as raised:
        VERSIONS["1.6"].schemas.check_request("StartTransaction", {k: v for k, v in START.items() if k != "idTag"})
    assert raised.value.code == ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION


def test_of_thousands_of_faults_the_first_is_looked_for_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One compressed frame has 87,000 of them; all together take seconds."""
    schemas = VERSIONS["2.0.1"].schemas
    asked: list[str] = []

    class Asked:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            return getattr(validator, name)

    validator = schemas.request("NotifyReport")
    monkeypatch.setattr(schemas, "request", lambda _: Asked())
    report = {"requestId": 1, "generatedAt": "2026-01-01T00:00:00Z", "seqNo": 0, "reportData": [{}] * 87_000}
    fault = schemas.request_fault("NotifyReport", report)
    assert fault is not None
    assert fault.field == "reportData.0.component"
    assert asked == ["validate"]


def test_an_enum_is_a_property_constraint() -> None:
    with pytest.raises(OcppError) as raised:
        VERSIONS["1.6"].schemas.check_request(
            "StatusNotification", {"connectorId": 1, "errorCode": "x", "status": "Available"}
        )
    assert raised.value.code == ErrorCode.PROPERTY_CONSTRAINT_VIOLATION
    assert raised.value.description.startswith("errorCode: must be one of ConnectorLockFailure, EVCommunicationError")


def test_a_description_never_holds_the_value() -> None:
    with pytest.raises(OcppError) as raised:
        VERSIONS["1.6"].schemas.check_request("Authorize", {"idTag": "SECRET-TAG-OF-A-DRIVER-THAT-IS-LONG"})
    assert "SECRET" not in raised.value.description


def test_one_decimal_is_a_multiple_of_a_tenth() -> None:
    """Binary floats make 0.3 no multiple of 0.1 for naive validators."""
    for limit in (tenths / 10 for tenths in range(1000)):
        VERSIONS["1.6"].schemas.check_request("SetChargingProfile", profile_with(limit))


def profile_with(limit: float) -> dict[str, object]:
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile",
               "chargingProfileKind": "Relative", "chargingSchedule": schedule}  # fmt: skip
    return {"connectorId": 1, "csChargingProfiles": profile}


def test_actions_with_an_empty_answer() -> None:
    decided = {name: {a for a in v.from_station if not v.schemas.answered_empty(a)} for name, v in VERSIONS.items()}
    assert {name: len(VERSIONS[name].from_station.keys() - actions) for name, actions in decided.items()} == {
        "1.5": 4,
        "1.6": 7,
        "2.0.1": 15,
        "2.1": 22,
    }
    assert decided["1.6"] >= {"Authorize", "StartTransaction", "StopTransaction"}


def test_spelling_of_codes() -> None:
    assert VERSIONS["1.6"].spell(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION) == "OccurenceConstraintViolation"
    assert VERSIONS["1.6"].spell(ErrorCode.FORMAT_VIOLATION) == "FormationViolation"
    assert VERSIONS["2.0.1"].spell(ErrorCode.FORMAT_VIOLATION) == "FormatViolation"
    assert VERSIONS["1.6"].read_code("OccurenceConstraintViolation") == "OccurrenceConstraintViolation"
    assert VERSIONS["2.0.1"].read_code("SomethingElse") == "SomethingElse"
