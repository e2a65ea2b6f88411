"""What is wrong with a payload is said in the words of the version that was meant, and where they are from."""

from typing import Any

import pytest

from services.common.commands.catalogue import Catalogue
from services.common.commands.command import Unrenderable

FIRMWARE, SMARTCHARGING = Catalogue.of("firmware", {}), Catalogue.of("smartcharging", {})
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}
PROFILE_16 = {
    "chargingProfileId": 1,
    "stackLevel": "low",
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": SCHEDULE,
}


def fields(catalogue: Catalogue, action: str, payload: Any) -> dict[str, str]:
    with pytest.raises(Unrenderable) as raised:
        catalogue.check(action, payload)
    return dict(raised.value.fields)


def test_a_word_of_no_version_names_those_of_each() -> None:
    assert fields(FIRMWARE, "Reset", {"type": "Gentle"}) == {
        "type": "must be one of Hard, Soft (Reset of OCPP 1.5 and 1.6); "
        "must be one of Immediate, OnIdle (Reset of OCPP 2.0.1); "
        "must be one of Immediate, OnIdle, ImmediateAndResume (Reset of OCPP 2.1)"
    }


def test_what_both_ask_for_is_said_once() -> None:
    assert fields(FIRMWARE, "Reset", {}) == {"type": "is missing (Reset of OCPP 1.5, 1.6, 2.0.1 and 2.1)"}


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (
            {"connectorId": 1, "csChargingProfiles": PROFILE_16},
            {"csChargingProfiles.stackLevel": "must be a whole number (SetChargingProfile of OCPP 1.6)"},
        ),
        ({"connectorId": 1}, {"csChargingProfiles": "is missing (SetChargingProfile of OCPP 1.6)"}),
        ({"evseId": 1}, {"chargingProfile": "is missing (SetChargingProfile of OCPP 2.0.1 and 2.1)"}),
        ([], {"": "must be an object (SetChargingProfile of OCPP 1.6, 2.0.1 and 2.1)"}),
    ],
)
def test_the_version_is_the_one_whose_names_the_payload_has(payload: Any, wanted: dict[str, str]) -> None:
    assert fields(SMARTCHARGING, "SetChargingProfile", payload) == wanted
