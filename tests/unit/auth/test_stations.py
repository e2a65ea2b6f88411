"""Stations: state and command to decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.auth.domain.stations import (
    Changed,
    Decision,
    Password,
    Register,
    Registered,
    Removed,
    Station,
    Wish,
    change,
    register,
    remove,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
GROUPS = ("vienna", "level 2")
OLD, CHOSEN, FRESH = Password(b"old"), Password(b"chosen"), Password(b"fresh")
KNOWN = Station("CP1", OLD, "hall", GROUPS, "garage", BEFORE, BEFORE)
OPEN = replace(KNOWN, password=None)


@pytest.mark.parametrize(
    ("known", "wished", "password"),
    [
        (None, Wish.KEPT, FRESH),
        (None, Wish.NEEDED, FRESH),
        (None, Wish.NONE, None),
        (None, CHOSEN, CHOSEN),
        (KNOWN, Wish.KEPT, OLD),
        (KNOWN, Wish.NEEDED, OLD),
        (KNOWN, Wish.NONE, None),
        (KNOWN, CHOSEN, CHOSEN),
        (OPEN, Wish.KEPT, None),
        (OPEN, Wish.NEEDED, FRESH),
        (OPEN, Wish.NONE, None),
        (OPEN, CHOSEN, CHOSEN),
    ],
)
def test_which_password_a_station_has(
    known: Station | None, wished: Password | Wish, password: Password | None
) -> None:
    decision = register(known, Register("CP1", wished, "hall", GROUPS, "garage"), FRESH, NOW)
    assert decision.station.password == password
    assert (decision.station.registered_at, bool(decision.events)) == (
        BEFORE if known else NOW,
        known is None or known.password != password,
    )


def test_a_new_station_is_announced() -> None:
    station = Station("CP1", FRESH, "hall", (), None, NOW, NOW)
    assert register(None, Register("CP1", Wish.KEPT, "hall"), FRESH, NOW) == Decision(station, [Registered("CP1", NOW)])


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
        ("hall", GROUPS, "garage", FRESH, True),
        ("hall", GROUPS, "garage", None, True),
    ],
)
def test_only_what_is_different_is_a_change(
    description: str | None, groups: tuple[str, ...], location_id: str | None, password: Password | None, changed: bool
) -> None:
    decision = change(KNOWN, description, groups, location_id, password, NOW)
    station = Station("CP1", password, description, groups, location_id, BEFORE, NOW)
    assert decision == (Decision(station, [Changed("CP1", NOW)]) if changed else Decision(KNOWN))


def test_removal_is_announced() -> None:
    assert remove(KNOWN, NOW) == Decision(KNOWN, [Removed("CP1", NOW)])
