"""Charging profiles as a station understands them: which one counts, when, and the composite of all (K01, K08)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltbus.simulator.station.profiles import Period, Profile, Purpose, composite, limit, read_periods, write_periods
from voltbus.simulator.station.types import Session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOST = 22_000.0
SESSION = Session("tx", 1, "TAG", NOW - timedelta(minutes=10))


def profile(watts: float, purpose: Purpose = Purpose.DEFAULT, *, outlet: int = 0, **more: Any) -> Profile:
    periods = (Period(0, watts),)
    fields: dict[str, Any] = {"id": 1, "outlet": outlet, "purpose": purpose, "stack": 0, "periods": periods} | more
    return Profile(**fields)


def allowed(*profiles: Profile, session: Session | None = SESSION, at: datetime = NOW) -> float:
    return min([MOST, *limit(profiles, 1, session, at).values()])


@pytest.mark.parametrize(
    ("profiles", "watts"),
    [
        ([], MOST),
        ([profile(5000)], 5000),
        ([profile(5000), profile(7000, outlet=1)], 7000),
        ([profile(5000), profile(7000, stack=1)], 7000),
        ([profile(5000), profile(9000, Purpose.SESSION, outlet=1)], 9000),
        ([profile(5000, Purpose.STATION), profile(9000, Purpose.SESSION, outlet=1)], 5000),
        ([profile(5000, Purpose.EXTERNAL), profile(9000)], 5000),
        ([profile(9000, Purpose.SESSION, outlet=1, transaction="tx")], 9000),
        ([profile(9000, Purpose.SESSION, outlet=1, transaction="other")], MOST),
        ([profile(5000, valid_to=NOW)], MOST),
        ([profile(5000, valid_from=NOW)], 5000),
        ([profile(5000, start=NOW + timedelta(seconds=1))], MOST),
        ([profile(5000, start=NOW - timedelta(seconds=60), duration=60)], MOST),
        ([profile(5000, start=NOW - timedelta(days=1, seconds=59), duration=60, recurs="Daily")], 5000),
        ([profile(5000, start=NOW - timedelta(days=8), duration=60, recurs="Weekly")], MOST),
    ],
)
def test_which_one_counts(profiles: list[Profile], watts: float) -> None:
    """The highest stack level of each purpose, and of the purposes the least."""
    assert allowed(*profiles) == watts


def test_a_session_profile_is_of_a_session() -> None:
    assert allowed(profile(5000, Purpose.SESSION, outlet=1), session=None) == MOST


def test_a_schedule_without_a_start_begins_with_the_session() -> None:
    """K01.FR.41; ten minutes of it have passed."""
    steps = profile(0, periods=(Period(0, 11_000), Period(599, 4000), Period(601, 8000)))
    assert allowed(steps) == 4000
    assert allowed(steps, session=None) == 11_000


def test_amperes_are_of_each_phase() -> None:
    written = {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16},
            {"startPeriod": 60, "limit": 10, "numberPhases": 1},
        ],
    }
    assert read_periods(written) == (Period(0, 11_040), Period(60, 2300))
    assert write_periods(read_periods(written), "A")[0] == {"startPeriod": 0, "limit": 16.0}


def test_what_a_profile_takes_the_place_of() -> None:
    """K01.FR.05."""
    one = profile(5000)
    assert profile(6000, id=2).replaces(one)
    assert profile(6000, stack=3, outlet=1).replaces(one)
    assert not profile(6000, id=2, stack=1).replaces(one)
    assert not profile(6000, id=2, outlet=1).replaces(one)


moments = st.integers(-7200, 7200).map(lambda seconds: NOW + timedelta(seconds=seconds))
periods = st.lists(st.tuples(st.integers(1, 3600), st.integers(0, 30_000)), max_size=4).map(
    lambda later: (Period(0, 9000), *(Period(start, watts) for start, watts in sorted(dict(later).items())))
)
profiles = st.builds(
    Profile,
    id=st.integers(1, 9),
    outlet=st.integers(0, 1),
    purpose=st.sampled_from(Purpose),
    stack=st.integers(0, 3),
    periods=periods,
    start=st.none() | moments,
    duration=st.none() | st.integers(1, 7200),
    recurs=st.none() | st.just("Daily"),
    valid_from=st.none() | moments,
    valid_to=st.none() | moments,
    transaction=st.sampled_from([None, "tx", "other"]),
)


@given(st.lists(profiles, max_size=6), st.integers(1, 7200), st.data())
def test_a_composite_says_at_every_moment_what_counts_then(
    known: list[Profile], seconds: int, data: st.DataObject
) -> None:
    """K08.FR.02."""
    found = composite(known, 1, SESSION, NOW, seconds, MOST)
    passed = data.draw(st.integers(0, seconds - 1))
    said = next(period.watts for period in reversed(found) if period.start <= passed)
    assert found[0].start == 0
    assert said == allowed(*known, at=NOW + timedelta(seconds=passed))
