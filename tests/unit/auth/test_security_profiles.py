"""Security profiles of registrations: they rise, and fall by an operator's word alone (A05)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.stations import (
    Password,
    PasswordPolicy,
    RegisterStation,
    Station,
    UnfitProfile,
    downgradable,
    lowered,
    profile,
    register,
    secured,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STATION = Station("CP1", Password(b"old"), None, (), None, NOW - SECOND, NOW - SECOND)


@pytest.mark.parametrize(
    ("station", "least"),
    [
        (STATION, 1),
        (replace(STATION, password=None), 0),
        (replace(STATION, security_profile=2), 2),
        (replace(STATION, security_profile=3, password=None), 3),
    ],
)
def test_the_least_profile_of_a_station(station: Station, least: int) -> None:
    assert profile(station) == least


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=8))
def test_what_gateways_say_never_lowers_it_in_any_order_however_often(said: list[tuple[int, int]]) -> None:
    """A05.FR.07"""
    for order in (said, said[::-1], said + said):
        station = STATION
        for reached, at in order:
            before = profile(station)
            station = secured(station, {reached: NOW + at * SECOND}, NOW).station
            assert profile(station) == max(before, reached if reached >= 2 else 0)


def test_a_word_from_before_it_was_lowered_counts_no_more() -> None:
    """A board was replaced; that the old one had come with profile 3 is told late."""
    station = lowered(replace(STATION, security_profile=3), 1, NOW, "operator").station
    assert (profile(station), station.author) == (1, "operator")
    assert secured(station, {3: NOW - SECOND}, NOW + SECOND).events == ()
    assert secured(station, {3: NOW}, NOW + SECOND).events == ()
    assert profile(secured(station, {3: NOW + SECOND}, NOW + 2 * SECOND).station) == 3


def test_a_late_higher_one_hides_no_newer_lower_one() -> None:
    station = lowered(replace(STATION, security_profile=3), 1, NOW, "operator").station
    assert profile(secured(station, {3: NOW - SECOND, 2: NOW + SECOND}, NOW + SECOND).station) == 2


def test_told_again_nothing_changes() -> None:
    once = secured(STATION, {2: NOW}, NOW)
    assert once.events
    assert secured(once.station, {2: NOW}, NOW).events == ()
    assert lowered(STATION, 1, NOW).events == ()


def test_a_station_with_a_password_has_no_profile_0() -> None:
    """It would still be asked for it, and the answer would say 1."""
    for station in (STATION, replace(STATION, security_profile=3)):
        with pytest.raises(UnfitProfile, match="with one"):
            lowered(station, 0, NOW)
    bare = replace(STATION, password=None, security_profile=3)
    assert profile(lowered(bare, 0, NOW).station) == 0


@pytest.mark.parametrize(("password", "said"), [(Password(b"new"), 0), (PasswordPolicy.NONE, 1)])
def test_a_registration_whose_profile_and_password_do_not_fit(password: Password | PasswordPolicy, said: int) -> None:
    command = RegisterStation("CP1", password, security_profile=said)
    bare = replace(STATION, password=None)
    for current in (None, bare):
        with pytest.raises(UnfitProfile, match="with one"):
            register(current, command, Password(b""), NOW)
    for other in (None, 1 - said):
        fitting = replace(command, security_profile=other)
        assert profile(register(None, fitting, Password(b""), NOW).station) == 1 - said


@pytest.mark.parametrize("to", [1, 2])
def test_profiles_that_need_a_password(to: int) -> None:
    """A station that had its certificate alone would stand open."""
    with pytest.raises(UnfitProfile, match="no password"):
        lowered(replace(STATION, password=None, security_profile=3), to, NOW)


def test_what_a_station_says_of_downgrades() -> None:
    """A05.FR.08: its newest word counts, beside what its operator says, which is not changed by it."""
    station, told = STATION, list[tuple[int, bool]]()
    for second, allowed in ((10, False), (20, True), (15, False), (20, False), (20, True), (30, False), (40, True)):
        at = NOW + timedelta(seconds=second)
        decision = downgradable(station, allowed=allowed, told_at=at, now=NOW)
        told.append((len(decision.events), decision.station.downgrade_told))
        station = decision.station
    assert told == [(0, False), (1, True), (0, True), (0, True), (0, True), (1, False), (1, True)]
    assert not station.downgrade_allowed
