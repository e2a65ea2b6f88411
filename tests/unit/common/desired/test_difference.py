"""What is desired of a station that is in groups, and what is to be done for it; of whatever keys and values."""

from services.common.desired.difference import Desired, difference, resolve


def test_the_first_group_that_says_something_counts() -> None:
    desired = resolve([("site", {"a": 1}), ("region", {"a": 2, "b": 3}), ("country", {"a": 1, "b": 4, "c": 5})])
    assert {key: one.value for key, one in desired.items()} == {"a": 1, "b": 3, "c": 5}
    assert {key: one.group for key, one in desired.items()} == {"a": "site", "b": "region", "c": "country"}


def test_who_says_otherwise_is_a_conflict() -> None:
    """And who says the same is none."""
    desired = resolve([("site", {"a": 1}), ("region", {"a": 2}), ("country", {"a": 1}), ("world", {"a": 3})])
    assert desired == {"a": Desired(1, "site", {"region": 2, "world": 3})}


def test_nothing_is_desired_by_no_group() -> None:
    assert resolve([]) == resolve([("site", {})]) == {}


def test_what_is_missing_or_otherwise_is_put_and_what_nobody_wants_is_removed() -> None:
    desired, actual = (
        {("k", 1): "one", ("k", 2): "two", ("k", 3): "three"},
        {("k", 1): "ONE", ("k", 2): "2", ("k", 9): "nine"},
    )
    found = difference(desired, actual, lambda there, wanted: there.casefold() == wanted)
    assert (found.put, found.remove) == ({("k", 2): "two", ("k", 3): "three"}, (("k", 9),))


def test_what_is_as_desired_is_left_alone() -> None:
    found = difference({"a": 1}, {"a": 1}, lambda there, wanted: there == wanted)
    assert (found.put, found.remove) == ({}, ())
