"""Charging profiles as each version writes them: valid, and read back as they were."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.commands.command import Command, End, Status, Unrenderable
from services.ocpp.commands import forms
from services.ocpp.versions import VERSIONS
from services.smartcharging.dialects import BY_VERSION
from services.smartcharging.domain.applied_limit import Outcome
from services.smartcharging.domain.profile import Kind, Period, Profile, Purpose, Schedule, as_json, faults, from_json
from services.smartcharging.domain.profile_commands import CommandName
from services.smartcharging.remote import RENDERERS, outcome_of, profile_command, read_composite_schedule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEDULE = Schedule("A", (Period(0, 16.0),))
PROFILE = Profile(1, Purpose.TX_DEFAULT, SCHEDULE)
# What every version has.
KINDS = (Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE)
MAX = {"connectorId": 0, "chargingProfilePurpose": "ChargePointMaxProfile"}

periods = st.lists(
    st.builds(
        Period,
        start=st.integers(0, 86400),
        limit=st.integers(0, 10_000).map(lambda tenths: tenths / 10),
        phases=st.none() | st.integers(1, 3),
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def profiles(draw: Any) -> Profile:
    """Whatever OCPP allows."""
    purpose = draw(st.sampled_from([Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX]))
    kind = draw(st.sampled_from([kind for kind in KINDS if purpose != Purpose.STATION_MAX or kind != Kind.RELATIVE]))
    starts = sorted({period.start for period in draw(periods)} | {0})
    made = tuple(Period(start, draw(periods)[0].limit, draw(st.none() | st.integers(1, 3))) for start in starts)
    profile = Profile(
        id=draw(st.integers(1, 2**31 - 1)),
        purpose=purpose,
        schedule=Schedule(
            draw(st.sampled_from("AW")),
            made,
            None if kind == Kind.RELATIVE else "2026-03-01T12:00:00Z",
            draw(st.none() | st.integers(1, 86400)),
            draw(st.none() | st.just(6.5)),
        ),
        evse_id=draw(st.integers(1, 9)) if purpose == Purpose.TX else 0,
        stack_level=draw(st.integers(0, 9)),
        kind=kind,
        recurrency=draw(st.sampled_from(["Daily", "Weekly"])) if kind == Kind.RECURRING else None,
        valid_from=draw(st.none() | st.just("2026-03-01T12:00:00Z")),
        transaction_id=str(draw(st.integers(1, 2**31 - 1))) if purpose == Purpose.TX else None,
    )
    assert not list(faults(profile))
    return profile


def command(action: str, payload: Any, version: str | None = None, **more: Any) -> Command:
    sent = NOW if version else None
    status = more.pop("status", Status.SENT)
    return Command("c", 12, "CP1", action, payload, status, NOW, NOW, version=version, sent_at=sent, **more)


def render(command: Command, version: str) -> tuple[str, Any]:
    return RENDERERS[command.action](command, version)


@pytest.mark.parametrize("version", BY_VERSION)
@given(profile=profiles())
def test_a_profile_is_valid_and_read_back_as_it_was(version: str, profile: Profile) -> None:
    """Limits of one decimal are multiples of 0.1, however floats write them."""
    assert from_json(as_json(profile)) == profile
    action, payload = render(command(CommandName.SET, as_json(profile)), version)
    assert BY_VERSION[version].read_profile(dict(payload)) == profile
    assert VERSIONS[version].schemas.request_fault(action, payload) is None


@pytest.mark.parametrize(
    ("version", "payload", "written"),
    [
        ("1.6", {"id": 7}, {"id": 7}),
        ("1.6", {"evse_id": 0, "purpose": "ChargingStationMaxProfile"}, MAX),
        ("2.0.1", {"id": 7}, {"chargingProfileId": 7}),
        ("2.0.1", {"evse_id": 0, "stack_level": 1}, {"chargingProfileCriteria": {"evseId": 0, "stackLevel": 1}}),
    ],
)
def test_clearing(version: str, payload: dict[str, Any], written: dict[str, Any]) -> None:
    """K10.FR.02, 1.6 §5.3."""
    assert render(command(CommandName.CLEAR, payload), version) == ("ClearChargingProfile", written)
    criteria = BY_VERSION[version].read_clear(written)
    found = profile_command(command(CommandName.CLEAR, payload))
    assert found is not None
    assert found.change == criteria


@pytest.mark.parametrize(
    ("response", "done"),
    [({"status": "Accepted"}, True), ({"status": "Unknown"}, True), ({"status": "Rejected"}, False), (None, False)],
)
def test_what_a_station_does_not_know_is_cleared(response: Any, done: bool) -> None:
    """K10.FR.01, 1.6 §5.3."""
    found = profile_command(command(CommandName.CLEAR, {"id": 7}, response=response))
    assert found is not None
    assert (found.done, found.open) == (done, True)


def test_a_profile_that_is_not_known_is_not_set() -> None:
    found = profile_command(command(CommandName.SET, as_json(PROFILE), response={"status": "Unknown"}))
    assert found is not None
    assert not found.done


@pytest.mark.parametrize("version", BY_VERSION)
def test_commands_of_clients_count_once_they_are_sent(version: str) -> None:
    """Until then nobody knows in which version they are written."""
    action, payload = render(command(CommandName.SET, as_json(PROFILE)), version)
    sent = profile_command(command(action, payload, version))
    assert sent is not None
    assert sent.change == PROFILE
    assert profile_command(replace(command(action, payload, version), sent_at=None)) is None
    assert profile_command(command("Reset", {}, version)) is None


def test_our_actions_are_no_actions_of_ocpp() -> None:
    """Or a command could be written in two ways."""
    assert not RENDERERS.keys() & forms("smartcharging").keys()
    assert all(version in VERSIONS for version in BY_VERSION)


@pytest.mark.parametrize(
    ("action", "payload", "version"),
    [
        (CommandName.REPORT, {"evse_id": None}, "1.6"),
        (CommandName.SET, as_json(Profile(1, Purpose.TX, SCHEDULE, 1, transaction_id="tx-1")), "1.6"),
        (CommandName.CLEAR, {"id": 1}, "9.9"),
    ],
)
def test_what_a_version_cannot_say(action: str, payload: Any, version: str) -> None:
    with pytest.raises(Unrenderable):
        render(command(action, payload), version)


@pytest.mark.parametrize(
    ("end", "response", "outcome"),
    [
        (None, None, Outcome.OPEN),
        (End.ANSWERED, {"status": "Accepted"}, Outcome.ACCEPTED),
        (End.ANSWERED, {"status": "Rejected"}, Outcome.REFUSED),
        (End.ANSWERED, {"status": "NotSupported"}, Outcome.REFUSED),
        (End.ANSWERED, {"status": "Maybe"}, Outcome.UNKNOWN),
        (End.REFUSED, None, Outcome.REFUSED),
        (End.UNRENDERABLE, None, Outcome.REFUSED),
        (End.INVALID, "nonsense", Outcome.UNKNOWN),
        (End.TIMED_OUT, None, Outcome.UNKNOWN),
        (End.LATE, {"status": "Accepted"}, Outcome.LATE),
        (End.UNDELIVERED, None, Outcome.UNSENT),
        (End.EXPIRED, None, Outcome.UNSENT),
        (End.CANCELLED, None, Outcome.UNSENT),
    ],
)
def test_what_a_command_comes_to(end: End | None, response: Any, outcome: Outcome) -> None:
    """A CALLERROR, and what never left, changed nothing; what nobody knows may have."""
    assert outcome_of(end, response) == outcome


def test_every_end_has_an_outcome() -> None:
    assert {outcome_of(end, None) for end in End} <= set(Outcome)


def test_no_schedule_where_none_was_given() -> None:
    assert read_composite_schedule("1.6", {"status": "Rejected"}) is None
    assert read_composite_schedule("1.6", {"status": "Accepted"}) is None
    assert read_composite_schedule("2.0.1", {"status": "Accepted"}) is None
    assert read_composite_schedule(None, None) is None


def broken() -> Iterator[tuple[Profile, str]]:
    yield Profile(1, Purpose.TX, SCHEDULE, 0, transaction_id="1"), "evse_id"
    yield Profile(1, Purpose.TX, SCHEDULE, 1), "transaction_id"
    yield Profile(1, Purpose.TX_DEFAULT, SCHEDULE, 1, transaction_id="1"), "transaction_id"
    yield Profile(1, Purpose.STATION_MAX, SCHEDULE, 1), "evse_id"
    yield Profile(1, Purpose.STATION_MAX, SCHEDULE), "kind"
    yield replace(PROFILE, kind=Kind.ABSOLUTE), "schedule.start"
    yield replace(PROFILE, recurrency="Daily"), "recurrency"
    yield replace(PROFILE, schedule=Schedule("A", (Period(0, 6.01),))), "schedule"
    yield replace(PROFILE, schedule=replace(SCHEDULE, min_charging_rate=6.01)), "schedule"
    yield replace(PROFILE, schedule=Schedule("A", (Period(5, 6),))), "schedule.periods"
    yield replace(PROFILE, schedule=Schedule("A", (Period(0, 6), Period(0, 7)))), "schedule.periods"
    yield replace(PROFILE, schedule=Schedule("A", (Period(0, 6, 3, 1),))), "schedule.periods"


@pytest.mark.parametrize(("profile", "field"), list(broken()))
def test_what_ocpp_does_not_allow(profile: Profile, field: str) -> None:
    assert field in [found for found, _ in faults(profile)]
