"""What is desired of a group, in the words of each version."""

import pytest

from services.firmware.configuration.group_settings import GroupSettings, faults

SETTINGS = {"heartbeat_interval": "60", "Own16": "1", "Own.V201": "2"}


def test_each_version_gets_what_it_can_have() -> None:
    desired = GroupSettings(SETTINGS, {"1.6": {"Vendor.Key": "3", "heartbeatinterval": "30"}})
    assert desired.values("1.6") == {"heartbeatinterval": "30", "Own16": "1", "Vendor.Key": "3"}
    assert desired.values("2.0.1") == {"OCPPCommCtrlr.HeartbeatInterval": "60", "Own.V201": "2"}
    assert desired.values("9.9") == desired.values(None) == {}


@pytest.mark.parametrize(
    ("settings", "versions", "expected"),
    [
        (SETTINGS, {"1.6": {"Vendor.Key": "3", "HeartbeatInterval": "30"}}, []),
        ({}, {}, []),
        ({"A@x.B": "1"}, {}, [("settings.A@x.B", "is a name of no version")]),
        ({"heartbeat_interval": "1", "HEARTBEATINTERVAL": "2"}, {}, [("settings.HEARTBEATINTERVAL", "is given twice")]),
        ({"Own16": "x" * 501}, {}, [("settings.Own16", "must have 500 characters at most")]),
        ({"Own.V201": "x" * 501}, {}, []),
        ({}, {"9.9": {"A": "1"}}, [("versions.9.9", "must be one of 1.5, 1.6, 2.0.1, 2.1")]),
        ({}, {"1.6": {"K": "1", "k": "2"}}, [("versions.1.6.k", "is given twice")]),
    ],
)
def test_what_cannot_be_desired(
    settings: dict[str, str], versions: dict[str, dict[str, str]], expected: list[tuple[str, str]]
) -> None:
    assert list(faults(settings, versions)) == expected


@pytest.mark.parametrize("name", ["AuthorizationKey", "WifiPassword", "securityctrlr.basicauthpassword"])
def test_secrets_cannot_be_desired(name: str) -> None:
    [(field, why)] = faults({name: "0011"}, {})
    assert field == f"settings.{name}"
    assert why.startswith("is a secret")
