"""How far ahead a table has partitions: up to the first time that has none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.postgres.measures import covered_until
from services.common.postgres.partitions import Partition

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2026, 3, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "until"),
    [
        ([14, 15, 16, 17], day(18)),
        ([14, 15, 17], day(16)),
        ([13, 14], NOW),
        ([16, 17], NOW),
        ([], NOW),
    ],
    ids=["all", "a hole", "only the past", "not today", "none"],
)
def test_days(days: list[int], until: datetime) -> None:
    assert covered_until([Partition("", day(one), day(one + 1)) for one in days], NOW) == until


@given(st.sets(st.integers(1, 30)))
def test_nothing_before_it_is_missing(days: set[int]) -> None:
    found = [Partition("", day(one), day(one) + timedelta(days=1)) for one in sorted(days)]
    until = covered_until(found, NOW)
    moment = NOW
    while moment < until:
        assert any(one.start <= moment < one.end for one in found)
        moment += timedelta(hours=12)
    assert not any(one.start <= until < one.end for one in found)
