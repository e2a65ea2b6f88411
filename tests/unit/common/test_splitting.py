"""Lists cut into messages: every item once, in order, no message above its limits, as few as can be."""

from itertools import pairwise
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.common.splitting import FRAME, MessageLimit, chunks, fitting, message_size

ITEMS = st.lists(
    st.one_of(st.integers(0, 10**9), st.text(max_size=40), st.dictionaries(st.text(max_size=3), st.text()))
)
LIMITS = st.builds(
    MessageLimit,
    items=st.none() | st.integers(1, 7),
    bytes=st.none() | st.integers(FRAME, FRAME + 200),
)


def around() -> int:
    return message_size({"id": []})


def fits(items: list[Any], limit: MessageLimit) -> bool:
    """By the bytes that are written."""
    short = limit.items is None or len(items) <= limit.items
    return short and (limit.bytes is None or FRAME + len(orjson.dumps({"id": items})) <= limit.bytes)


@given(ITEMS, LIMITS)
def test_every_item_is_in_one_message_in_order_and_none_is_too_large(items: list[Any], limit: MessageLimit) -> None:
    cut = list(chunks(items, limit, around()))
    assert [item for chunk in cut for item in chunk] == items
    # What fits nowhere has a message of its own, which nobody sends.
    assert all(fits(chunk, limit) or len(chunk) == 1 for chunk in cut)
    # Greedy: the first item of the next one would have been too much.
    assert not any(fits([*one, following[0]], limit) for one, following in pairwise(cut))


@given(ITEMS, LIMITS, st.integers(0, 5))
def test_what_fits_is_as_much_as_can_be(items: list[Any], limit: MessageLimit, start: int) -> None:
    count = fitting(items, limit, around(), min(start, len(items)))
    left = items[start:]
    assert fits(left[:count], limit) or not count
    assert count == len(left) or not fits(left[: count + 1], limit)


def test_where_nothing_is_said_everything_fits() -> None:
    assert list(chunks([1, 2, 3], MessageLimit(), around())) == [[1, 2, 3]]
    assert list(chunks([], MessageLimit(1, 1), around())) == []
