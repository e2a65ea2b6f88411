"""Percentiles, and books that close."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltbus.lab.bench.tally import Tally, merged, quantile


@given(st.lists(st.integers(0, 10**6), min_size=1), st.floats(0.001, 1))
def test_a_quantile_is_the_smallest_that_enough_do_not_exceed(values: list[int], share: float) -> None:
    found = quantile(sorted(values), share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_of_a_hundred(share: float, expected: int) -> None:
    assert quantile(list(range(1, 101)), share) == expected


def test_of_nothing() -> None:
    assert quantile([], 0.5) == 0


def test_two_processes_make_one_book() -> None:
    one = Tally(sent=3, answered=2, refused=1, began=10.0, seconds=4.0, took=[5, 7], complaint="CP1: refused")
    two = Tally(sent=2, answered=1, unanswered=1, unsent=4, began=10.5, seconds=5.0, took=[6], complaint="CP2: silence")
    both = merged([Tally.load(one.dump()), two])
    assert both.closed
    assert (both.sent, both.answered, both.refused, both.unanswered, both.unsent) == (5, 3, 1, 1, 4)
    assert (both.began, both.seconds, sorted(both.took)) == (10.0, 5.5, [5, 6, 7])
    assert both.complaint == "CP1: refused"


@pytest.mark.parametrize("tally", [Tally(sent=2, answered=1, took=[1]), Tally(sent=1, answered=1)])
def test_a_call_without_an_end_or_an_answer_without_a_time_leaves_the_book_open(tally: Tally) -> None:
    assert not tally.closed
