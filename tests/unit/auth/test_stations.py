"""Stations: state and command to decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.auth.domain.stations import (
    Password,
    PasswordPolicy,
    RegisterStation,
    Station,
    StationChanged,
    StationDecision,
    StationRegistered,
    StationRemoved,
    change,
    free_vend,
    register,
    remove,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
GROUPS = ("vienna", "level 2")
OLD, CHOSEN, GENERATED = Password(b"old"), Password(b"chosen"), Password(b"generated")
CURRENT = Station("CP1", OLD, "hall", GROUPS, "garage", BEFORE, BEFORE)
OPEN = replace(CURRENT, password=None)
UNSAID: dict[str, Any] = {
    "serial_number": None,
    "security_profile": None,
    "downgrade_allowed": False,
    "expired_certificate_allowed": False,
}


@pytest.mark.parametrize(
    ("current", "requested", "password"),
    [
        (None, PasswordPolicy.KEEP, GENERATED),
        (None, PasswordPolicy.REQUIRE, GENERATED),
        (None, PasswordPolicy.NONE, None),
        (None, CHOSEN, CHOSEN),
        (CURRENT, PasswordPolicy.KEEP, OLD),
        (CURRENT, PasswordPolicy.REQUIRE, OLD),
        (CURRENT, PasswordPolicy.NONE, None),
        (CURRENT, CHOSEN, CHOSEN),
        (OPEN, PasswordPolicy.KEEP, None),
        (OPEN, PasswordPolicy.REQUIRE, GENERATED),
        (OPEN, PasswordPolicy.NONE, None),
        (OPEN, CHOSEN, CHOSEN),
    ],
)
def test_which_password_a_station_has(
    current: Station | None, requested: Password | PasswordPolicy, password: Password | None
) -> None:
    decision = register(current, RegisterStation("CP1", requested, "hall", GROUPS, "garage"), GENERATED, NOW)
    assert decision.station.password == password
    assert (decision.station.registered_at, bool(decision.events)) == (
        BEFORE if current else NOW,
        current is None or current.password != password,
    )


def test_a_new_station_is_announced() -> None:
    station = Station("CP1", GENERATED, "hall", (), None, NOW, NOW)
    assert register(None, RegisterStation("CP1", PasswordPolicy.KEEP, "hall"), GENERATED, NOW) == StationDecision(
        station, [StationRegistered(station, NOW)]
    )


def test_how_messages_are_read_and_what_an_evse_delivers_are_attributes() -> None:
    as_it_is = partial(change, description="hall", groups=GROUPS, location_id="garage", free_vend=None)
    as_it_is = partial(as_it_is, password=OLD, now=NOW, **UNSAID)
    read_strictly = partial(as_it_is, reading="strict", rated_power_w=None)
    decision = read_strictly(CURRENT)
    assert (decision.station.reading, decision.events) == ("strict", [StationChanged(decision.station, NOW)])
    assert read_strictly(decision.station).events == ()
    rated = as_it_is(CURRENT, reading=None, rated_power_w=22_000)
    assert (rated.station.rated_power_w, rated.events) == (22_000, [StationChanged(rated.station, NOW)])


@pytest.mark.parametrize(
    ("description", "groups", "location_id", "password", "changed"),
    [
        ("hall", GROUPS, "garage", OLD, False),
        ("hall", GROUPS, "garage", Password(b"old", b"asked", b"nonce"), False),
        ("yard", GROUPS, "garage", OLD, True),
        (None, GROUPS, "garage", OLD, True),
        ("hall", (), "garage", OLD, True),
        ("hall", GROUPS[::-1], "garage", OLD, True),
        ("hall", GROUPS, None, OLD, True),
        ("hall", GROUPS, "garage", GENERATED, True),
        ("hall", GROUPS, "garage", None, True),
    ],
)
def test_only_what_is_different_is_a_change(
    description: str | None, groups: tuple[str, ...], location_id: str | None, password: Password | None, changed: bool
) -> None:
    decision = change(
        CURRENT,
        description=description,
        groups=groups,
        location_id=location_id,
        reading=None,
        rated_power_w=None,
        free_vend=None,
        password=password,
        **UNSAID,
        now=NOW,
    )
    station = Station("CP1", password, description, groups, location_id, BEFORE, NOW)
    assert decision == (
        StationDecision(station, [StationChanged(station, NOW)]) if changed else StationDecision(CURRENT)
    )


def test_removal_is_announced() -> None:
    assert remove(CURRENT, NOW) == StationDecision(CURRENT, [StationRemoved(CURRENT, NOW)])


@pytest.mark.parametrize(
    ("own", "groups", "counts"),
    [
        (None, (), None),
        (None, ("other",), None),
        (None, ("other", "fair", "staff"), "FAIR"),
        (None, ("staff", "fair"), ""),
        ("", ("fair",), ""),
        ("MINE", ("fair",), "MINE"),
    ],
)
def test_a_station_is_free_vend_by_its_own_word_or_by_its_first_group_that_says_so(
    own: str | None, groups: tuple[str, ...], counts: str | None
) -> None:
    station = replace(CURRENT, groups=groups, free_vend=own)
    assert free_vend(station, {"fair": "FAIR", "staff": ""}) == counts
