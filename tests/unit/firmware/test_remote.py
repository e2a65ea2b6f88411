"""What stations of every version are asked: what is said of each in the words of its version."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.common.commands.command import Command, Status, Unrenderable
from services.firmware.domain.remote import Trigger
from services.firmware.remote import AVAILABILITY, RENDERERS, RESET, TRIGGER, UNLOCK
from services.ocpp.commands import forms
from services.ocpp.versions import VERSIONS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE, BOTH = {"evse_id": 2}, {"evse_id": 2, "connector_id": 1}
TRIGGERED = [name for name, version in VERSIONS.items() if "TriggerMessage" in version.actions]


def said(action: str, version: str, **payload: Any) -> tuple[str, Any]:
    """Raises Unrenderable."""
    return RENDERERS[action](Command("c", 1, "CP1", action, payload, Status.ACCEPTED, NOW, NOW), version)


def test_names_are_none_of_ocpp() -> None:
    """Or a command could be written in two ways."""
    assert not RENDERERS.keys() & forms("firmware").keys()


@pytest.mark.parametrize(
    ("version", "type", "written"),
    [
        ("1.6", "soft", "Soft"),
        ("1.6", "immediate", "Soft"),
        ("1.6", "hard", "Hard"),
        ("2.0.1", "on_idle", "OnIdle"),
        ("2.0.1", "immediate", "Immediate"),
        ("2.0.1", "soft", "Immediate"),
        ("2.0.1", "hard", "Immediate"),
        ("2.1", "on_idle", "OnIdle"),
        ("2.1", "hard", "Immediate"),
        ("2.1", "resume", "ImmediateAndResume"),
    ],
)
def test_a_reset(version: str, type: str, written: str) -> None:
    """1.6 §5.14, B12."""
    assert said(RESET, version, type=type) == ("Reset", {"type": written})


def test_a_reset_that_ends_sessions_is_none_that_waits_for_them() -> None:
    """1.6 §5.14 stops what goes on, so that it has nothing for B12.FR.03."""
    with pytest.raises(Unrenderable, match="choose soft or hard") as error:
        said(RESET, "1.6", type="on_idle")
    assert error.value.code == "NotSupported"


def test_sessions_go_on_after_a_reset_of_2_1_alone() -> None:
    """B13.FR.02, B13.FR.10."""
    assert said(RESET, "2.1", type="resume", evse_id=2)[1] == {"type": "ImmediateAndResume", "evseId": 2}
    for version in ("1.6", "2.0.1"):
        with pytest.raises(Unrenderable) as error:
            said(RESET, version, type="resume")
        assert error.value.code == "NotSupported"


def test_one_evse_is_reset_where_there_are_any() -> None:
    """B12.FR.07."""
    assert said(RESET, "2.0.1", type="on_idle", evse_id=2)[1] == {"type": "OnIdle", "evseId": 2}
    with pytest.raises(Unrenderable, match="the whole station"):
        said(RESET, "1.6", type="soft", evse_id=2)


@pytest.mark.parametrize(
    ("version", "place", "written"),
    [
        ("1.6", ONE, {"connectorId": 2}),
        ("1.6", BOTH, {"connectorId": 2}),
        ("1.6", {"connector_id": 2}, {"connectorId": 2}),
        ("1.6", {"evse_id": 2, "connector_id": 2}, {"connectorId": 2}),
        ("2.0.1", ONE, {"evseId": 2, "connectorId": 1}),
        ("2.0.1", {"evse_id": 2, "connector_id": 3}, {"evseId": 2, "connectorId": 3}),
        ("2.0.1", {"connector_id": 2}, {"evseId": 2, "connectorId": 1}),
    ],
)
def test_an_unlock(version: str, place: dict[str, int], written: Any) -> None:
    assert said(UNLOCK, version, **place) == ("UnlockConnector", written)


def test_a_connector_that_1_6_cannot_have_is_not_another_one() -> None:
    """Somebody else's cable would come free."""
    with pytest.raises(Unrenderable, match="one connector at each EVSE"):
        said(UNLOCK, "1.6", evse_id=1, connector_id=2)


@pytest.mark.parametrize(
    ("version", "place", "written"),
    [
        ("1.6", {}, {"connectorId": 0, "type": "Inoperative"}),
        ("1.6", ONE, {"connectorId": 2, "type": "Inoperative"}),
        ("2.0.1", {}, {"operationalStatus": "Inoperative"}),
        ("2.0.1", ONE, {"operationalStatus": "Inoperative", "evse": {"id": 2}}),
        ("2.0.1", BOTH, {"operationalStatus": "Inoperative", "evse": {"id": 2, "connectorId": 1}}),
    ],
)
def test_availability(version: str, place: dict[str, int], written: Any) -> None:
    """1.6 §5.2, G03, G04.FR.01."""
    assert said(AVAILABILITY, version, status="inoperative", **place) == ("ChangeAvailability", written)


@pytest.mark.parametrize("version", TRIGGERED)
@pytest.mark.parametrize("message", [one for one in Trigger if one != Trigger.TRANSACTION])
def test_whatever_can_be_triggered(version: str, message: Trigger) -> None:
    action, payload = said(TRIGGER, version, message=message, evse_id=1)
    assert action in ("TriggerMessage", "ExtendedTriggerMessage")
    assert payload["requestedMessage"]


def test_a_trigger_of_all_connectors() -> None:
    """F06.FR.11, 1.6 §5.17."""
    for version in TRIGGERED:
        assert said(TRIGGER, version, message="meter_values")[1] == {"requestedMessage": "MeterValues"}


def test_a_version_without_a_trigger_has_nothing_for_it() -> None:
    """TriggerMessage came with 1.6."""
    with pytest.raises(Unrenderable, match=r"1\.5 has nothing") as error:
        said(TRIGGER, "1.5", message="boot")
    assert error.value.code == "NotSupported"


def test_a_status_is_that_of_one_connector_where_it_must_be() -> None:
    """F06.FR.13."""
    assert said(TRIGGER, "1.6", message="status")[1] == {"requestedMessage": "StatusNotification"}
    assert said(TRIGGER, "2.0.1", message="status", evse_id=2)[1]["evse"] == {"id": 2, "connectorId": 1}
    with pytest.raises(Unrenderable) as error:
        said(TRIGGER, "2.0.1", message="status")
    assert list(error.value.fields) == ["evse_id"]


def test_a_transaction_is_triggered_where_there_is_such_a_message() -> None:
    """F06.FR.07."""
    assert said(TRIGGER, "2.0.1", message="transaction")[1] == {"requestedMessage": "TransactionEvent"}
    with pytest.raises(Unrenderable):
        said(TRIGGER, "1.6", message="transaction")
