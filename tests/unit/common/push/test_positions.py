"""Where a reader is, as the id of an event, and where it goes on in what a topic still has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.bus import Bounds
from services.common.push.positions import read_position, resume, write_position

OFFSETS = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20)


@given(OFFSETS)
def test_an_id_says_where_every_partition_is(offsets: list[int]) -> None:
    positions = dict(enumerate(offsets))
    assert read_position("auth", write_position("auth", positions)) == positions


@pytest.mark.parametrize("written", ["auth:", "auth:1.", "firmware:1.2", "1.2", "auth:-1", "auth:1.x", "auth:²", ""])
def test_what_is_no_id_of_the_service(written: str) -> None:
    assert read_position("auth", written) is None


@pytest.mark.parametrize(
    ("positions", "bounds", "on", "gone"),
    [
        ({0: 5}, {0: Bounds(0, 9)}, {0: 5}, 0),
        ({0: 9}, {0: Bounds(0, 9)}, {0: 9}, 0),
        ({0: 5}, {0: Bounds(7, 9)}, {0: 7}, 2),
        ({0: 7}, {0: Bounds(7, 9)}, {0: 7}, 0),
        # A partition that is new.
        ({0: 5}, {0: Bounds(0, 9), 1: Bounds(0, 3)}, {0: 5, 1: 0}, 0),
        ({0: 5}, {0: Bounds(0, 9), 1: Bounds(2, 3)}, {0: 5, 1: 2}, 2),
        # The topic was made anew.
        ({0: 50}, {0: Bounds(0, 9)}, {0: 0}, 50),
        ({0: 5, 1: 6}, {0: Bounds(0, 9)}, {0: 5}, 6),
    ],
)
def test_it_goes_on_where_it_was_or_knows_how_much_is_gone(
    positions: dict[int, int], bounds: dict[int, Bounds], on: dict[int, int], gone: int
) -> None:
    assert resume(positions, bounds) == (on, gone)
