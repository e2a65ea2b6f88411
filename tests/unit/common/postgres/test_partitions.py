"""Which partitions there are to be: whole units of time, without holes, none over another."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.postgres.partitions import BEGINNING, Partition, Unit, missing
from services.common.postgres.retention import oldest_kept

NOW = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        (Unit.DAY, ["2026_12_30", "2026_12_31", "2027_01_01", "2027_01_02"]),
        (Unit.WEEK, ["2026_12_21", "2026_12_28", "2027_01_04", "2027_01_11"]),
        (Unit.MONTH, ["2026_11", "2026_12", "2027_01", "2027_02"]),
    ],
)
def test_names_over_the_turn_of_a_year(unit: Unit, names: list[str]) -> None:
    made = list(missing([], unit, NOW, behind=1, ahead=2))
    assert [unit.suffix(start) for start, _ in made] == names
    assert all(end == start for (_, end), (start, _) in pairwise(made))


@given(TIMES, st.sampled_from(Unit), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_no_hole_and_none_twice(now: datetime, unit: Unit, behind: int, ahead: int, there: int) -> None:
    """Whatever is there, also all that is older in one, the others are made beside it."""
    every = list(missing([], unit, now, behind=behind, ahead=ahead))
    before = [Partition("before", BEGINNING, every[min(there, len(every) - 1)][0])]
    found = [*before, *(Partition("one", *one) for one in every[there + 1 : there + 2])]
    made = [*found, *(Partition("new", *one) for one in missing(found, unit, now, behind=behind, ahead=ahead))]
    made.sort(key=lambda one: one.start)
    assert all(one.end == other.start for one, other in pairwise(made))
    assert made[0].start <= now < made[-1].end
    assert list(missing(made, unit, now, behind=behind, ahead=ahead)) == []


def test_for_ever() -> None:
    assert oldest_kept(NOW, 0) is None
    assert oldest_kept(NOW, 30) == NOW - timedelta(days=30)
