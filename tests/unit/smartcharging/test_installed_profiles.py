"""What profiles a station has, from the commands that set and cleared them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.smartcharging.domain.installed_profiles import ProfileCommand, installed_profiles
from services.smartcharging.domain.profile import Period, Profile, Purpose, Schedule
from services.smartcharging.domain.profile_commands import ClearProfiles

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFAULT = Profile(1, Purpose.TX_DEFAULT, Schedule("A", (Period(0, 16),)), evse_id=1)
OTHER = replace(DEFAULT, id=2, stack_level=1)
TX = Profile(3, Purpose.TX, DEFAULT.schedule, 1, transaction_id="tx-1")


def command(change: Profile | ClearProfiles, done: bool = True, open: bool = False) -> ProfileCommand:
    return ProfileCommand("c", change, "answered", None, NOW, done, open)


def profiles_after(*steps: ProfileCommand) -> dict[int, tuple[Profile | None, Profile | None]]:
    return {one.profile_id: (one.asked, one.installed) for one in installed_profiles(steps)}


def test_what_was_refused_is_asked_and_not_installed() -> None:
    assert profiles_after(command(DEFAULT, done=False)) == {1: (DEFAULT, None)}
    higher = replace(DEFAULT, stack_level=5)
    assert profiles_after(command(DEFAULT), command(higher, done=False)) == {1: (higher, DEFAULT)}


def test_the_same_place_is_taken() -> None:
    """1.6 §3.13.2: one profile for each purpose and stack level."""
    twin = replace(DEFAULT, id=9)
    assert profiles_after(command(DEFAULT), command(twin)) == {1: (DEFAULT, None), 9: (twin, twin)}


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        (ClearProfiles(id=1), {2, 3}),
        (ClearProfiles(purpose=Purpose.TX_DEFAULT), {3}),
        (ClearProfiles(evse_id=1, stack_level=1), {1, 3}),
        (ClearProfiles(evse_id=2), {1, 2, 3}),
        (ClearProfiles(), set()),
    ],
)
def test_clearing_takes_what_fits(criteria: ClearProfiles, left: set[int]) -> None:
    """K10.FR.03, K10.FR.04."""
    assert profiles_after(command(DEFAULT), command(OTHER), command(TX), command(criteria)).keys() == left


def test_what_is_not_cleared_yet_is_there() -> None:
    assert profiles_after(command(DEFAULT), command(ClearProfiles(id=1), done=False, open=True)) == {1: (None, DEFAULT)}


def test_profiles_of_transactions_go_with_them() -> None:
    assert installed_profiles([command(TX)], {"tx-1"}) == []
    assert len(installed_profiles([command(TX)], {"tx-2"})) == 1
