"""Sequence numbers: which have arrived, which have not (2.0.1 part 2, E §1.3.2)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transactions.domain import sequence_numbers


def added(numbers: list[int]) -> sequence_numbers.Ranges:
    ranges: sequence_numbers.Ranges = ()
    for number in numbers:
        ranges = sequence_numbers.add(ranges, number)
    return ranges


@pytest.mark.parametrize(
    ("numbers", "ranges", "missing"),
    [
        ([], (), []),
        ([0, 1, 2], ((0, 2),), []),
        ([17, 18], ((17, 18),), []),
        ([0, 3], ((0, 0), (3, 3)), [1, 2]),
        ([5, 3, 4, 1], ((1, 1), (3, 5)), [2]),
        ([2, 2, 2], ((2, 2),), []),
        ([0, 10**9], ((0, 0), (10**9, 10**9)), list(range(1, 1001))),
    ],
)
def test_ranges(numbers: list[int], ranges: sequence_numbers.Ranges, missing: list[int]) -> None:
    assert added(numbers) == ranges
    assert sequence_numbers.missing(ranges) == missing


@given(st.lists(st.integers(-20, 40)))
def test_any_order_gives_the_ranges_of_the_set(numbers: list[int]) -> None:
    ranges = added(numbers)
    assert {n for low, high in ranges for n in range(low, high + 1)} == set(numbers)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(ranges))
    assert all(sequence_numbers.add(ranges, number) is ranges for number in numbers)
