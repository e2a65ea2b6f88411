"""Which profiles a station is taken to have, and which of them are in the way of another one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ocpp.timestamps import write_time
from services.smartcharging.domain.installed_profiles import ProfileCommand
from services.smartcharging.domain.profile import Period, Profile, Purpose, Schedule
from services.smartcharging.domain.profile_commands import ClearProfiles
from services.smartcharging.domain.profile_conflicts import ReportedProfiles, in_the_way, known_profiles

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFAULT = Profile(1, Purpose.TX_DEFAULT, Schedule("A", (Period(0, 16),)), evse_id=1)
ELSEWHERE = replace(DEFAULT, id=2, evse_id=2)
MAX = replace(DEFAULT, id=3, purpose=Purpose.STATION_MAX, evse_id=0)
TX = replace(DEFAULT, id=4, purpose=Purpose.TX, transaction_id="tx-1")


def after(hours: float) -> str:
    return write_time(NOW + timedelta(hours=hours))


def asked(change: Profile | ClearProfiles, done: bool = True, open: bool = False) -> ProfileCommand:
    return ProfileCommand("c", change, "answered", None, NOW, done, open)


def refused(change: Profile | ClearProfiles) -> ProfileCommand:
    return asked(change, done=False)


def unanswered(change: Profile | ClearProfiles) -> ProfileCommand:
    return asked(change, done=False, open=True)


@pytest.mark.parametrize(
    ("known", "change", "taken"),
    [
        (DEFAULT, {}, True),
        (DEFAULT, {"id": 1}, False),  # It is replaced (K01.FR.05).
        (DEFAULT, {"stack_level": 1}, False),
        (DEFAULT, {"purpose": Purpose.STATION_MAX}, False),
        (DEFAULT, {"evse_id": 2}, False),
        # K01.FR.52, K01.FR.53: a TxDefaultProfile of EVSE 0 is on all EVSEs.
        (DEFAULT, {"evse_id": 0}, True),
        (replace(DEFAULT, evse_id=0), {"evse_id": 1}, True),
        (MAX, {"purpose": Purpose.STATION_MAX, "evse_id": 0}, True),
        (MAX, {"purpose": Purpose.STATION_MAX, "evse_id": 1}, False),
    ],
)
def test_one_of_a_purpose_and_stack_level_on_an_evse(known: Profile, change: dict[str, Any], taken: bool) -> None:
    """K01.FR.06."""
    assert in_the_way(replace(DEFAULT, **({"id": 9} | change)), [known], NOW) == (known if taken else None)


@pytest.mark.parametrize(
    ("known", "new", "taken"),
    [
        ((None, None), (None, None), True),  # K01.FR.10: for ever.
        ((None, -1), (None, None), False),  # It has expired.
        ((None, 1), (None, None), True),
        ((None, 1), (1, None), False),
        ((2, 3), (None, 2), False),
        ((2, 3), (None, 2.5), True),
        ((2, 3), (3, 4), False),
        ((-3, -2), (-3, -1), False),  # Both are over.
        ((None, None), (None, -1), False),
    ],
)
def test_only_where_both_are_valid_at_a_time(known: Any, new: Any, taken: bool) -> None:
    """K01.FR.06: an overlapping validity period."""

    def valid(id: int, since: float | None, until: float | None) -> Profile:
        times = [None if at is None else after(at) for at in (since, until)]
        return replace(DEFAULT, id=id, valid_from=times[0], valid_to=times[1])

    assert bool(in_the_way(valid(9, *new), [valid(1, *known)], NOW)) == taken


def test_what_is_no_time_says_nothing() -> None:
    """Stations report all kinds of times."""
    known = replace(DEFAULT, valid_from="soon", valid_to="later")
    assert in_the_way(replace(DEFAULT, id=9), [known], NOW) == known


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True),
        ({"evse_id": 2}, True),
        ({"valid_from": after(1)}, True),
        ({"id": 4}, False),
        ({"stack_level": 1}, False),
        ({"transaction_id": "tx-2"}, False),
    ],
)
def test_one_of_a_stack_level_for_a_transaction(change: dict[str, Any], taken: bool) -> None:
    """K01.FR.39: whenever they are valid."""
    known = replace(TX, valid_to=after(0.5))
    assert in_the_way(replace(TX, **({"id": 9} | change)), [known], NOW) == (known if taken else None)


def test_profiles_of_no_transaction_are_in_nobody_s_way() -> None:
    """As a station may report one of a remote start."""
    known = replace(TX, transaction_id=None)
    assert in_the_way(replace(TX, id=9), [known], NOW) is None


hours = st.none() | st.sampled_from([-1, 0, 1, 2]).map(after)
profiles = st.builds(
    Profile,
    id=st.integers(1, 2),
    purpose=st.sampled_from([Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX]),
    schedule=st.just(DEFAULT.schedule),
    evse_id=st.integers(0, 2),
    stack_level=st.integers(0, 1),
    valid_from=hours,
    valid_to=hours,
    transaction_id=st.sampled_from([None, "tx-1", "tx-2"]),
)


@given(profiles, profiles)
def test_being_in_the_way_is_mutual(one: Profile, other: Profile) -> None:
    assert bool(in_the_way(one, [other], NOW)) == bool(in_the_way(other, [one], NOW))


TWIN, HIGHER = replace(DEFAULT, id=9), replace(DEFAULT, stack_level=5)


@pytest.mark.parametrize(
    ("steps", "known"),
    [
        ([], []),
        ([asked(DEFAULT), asked(MAX)], [DEFAULT, MAX]),
        ([refused(DEFAULT)], []),
        ([unanswered(DEFAULT)], [DEFAULT]),
        ([asked(DEFAULT), asked(HIGHER)], [HIGHER]),
        ([asked(DEFAULT), refused(HIGHER)], [DEFAULT]),
        # It has the one or the other.
        ([asked(DEFAULT), unanswered(HIGHER)], [DEFAULT, HIGHER]),
        ([asked(DEFAULT), asked(ClearProfiles(id=1))], []),
        ([asked(DEFAULT), asked(ELSEWHERE), asked(ClearProfiles(evse_id=2))], [DEFAULT]),
        ([asked(DEFAULT), unanswered(ClearProfiles(id=1))], [DEFAULT]),
        ([asked(DEFAULT), refused(ClearProfiles(id=1))], [DEFAULT]),
        ([asked(ClearProfiles(id=1)), asked(DEFAULT)], [DEFAULT]),
    ],
)
def test_what_a_station_has_by_what_it_answered(steps: list[ProfileCommand], known: list[Profile]) -> None:
    assert known_profiles(steps) == known


@pytest.mark.parametrize(
    ("report", "known"),
    [
        # Cleared at the station meanwhile, or set by somebody else.
        (ReportedProfiles(complete=True), []),
        (ReportedProfiles((TWIN,), complete=True), [TWIN]),
        (ReportedProfiles((ELSEWHERE,), evse_id=2, complete=True), [DEFAULT, ELSEWHERE]),
        (ReportedProfiles(evse_id=1, complete=True), [ELSEWHERE]),
        # There may be more: told in part, or by criteria.
        (ReportedProfiles(), [DEFAULT, ELSEWHERE]),
        (ReportedProfiles((HIGHER,)), [ELSEWHERE, HIGHER]),
    ],
)
def test_what_a_station_reports_counts(report: ReportedProfiles, known: list[Profile]) -> None:
    """K09.FR.02, K09.FR.04, K09.FR.06."""
    assert known_profiles([asked(DEFAULT), asked(ELSEWHERE), report]) == known


def test_a_report_that_is_told_late_says_nothing_of_what_was_asked_after_it() -> None:
    assert known_profiles([ReportedProfiles(complete=True), asked(DEFAULT)]) == [DEFAULT]
    assert known_profiles([ReportedProfiles((DEFAULT,)), asked(ClearProfiles(id=1))]) == []
