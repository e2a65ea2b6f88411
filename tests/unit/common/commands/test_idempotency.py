"""A key of one caller means nothing to another, whoever was first."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.commands.idempotency import KeyReused, keys_of, of_caller, own_key

CALLERS = st.sampled_from(["anna", "bert", None])
# The last is what the first becomes for somebody.
KEYS = st.sampled_from(["k", "l", own_key("k", "anna")])


@dataclass(frozen=True)
class Kept:
    idempotency_key: str
    author: str | None
    number: int


def ask(kept: list[Kept], author: str | None, key: str) -> Kept:
    """As the tables do it, whose keys are unique."""
    own, free = of_caller([one for one in kept if one.idempotency_key in keys_of(key, author)], key, author)
    if own:
        return own[0]
    assert free not in {one.idempotency_key for one in kept}
    kept.append(Kept(free, author, len(kept)))
    return kept[-1]


@given(st.lists(st.tuples(st.sampled_from(["anna", "bert", "carla"]), st.sampled_from(["k", "l"]))))
def test_each_caller_has_one_of_each_key(asked: list[tuple[str, str]]) -> None:
    kept: list[Kept] = []
    numbers = [ask(kept, *one).number for one in asked]
    assert len(kept) == len({*asked})
    assert len({*zip(asked, numbers, strict=True)}) == len(kept)


@given(st.lists(st.tuples(CALLERS, KEYS)))
def test_nobody_gets_what_somebody_else_asked_for_by_name(asked: list[tuple[str | None, str]]) -> None:
    """Whatever keys are called."""
    kept: list[Kept] = []
    for author, key in asked:
        assert ask(kept, author, key).author in (None, author)


@pytest.mark.parametrize("key", ["on_block/7/", "configuration/CP1/k/0", "resumed/e/c", own_key("k", "bert")])
def test_what_a_caller_says_is_no_key_that_a_service_makes(key: str) -> None:
    assert keys_of(key, "anna") == (own_key(key, "anna"),)


def test_what_was_kept_without_a_name_is_whoever_has_its_key() -> None:
    """As of the release before, which did not keep who asked; but the caller's own comes first."""
    old = Kept("k", None, 1)
    assert of_caller([old], "k", "anna")[0] == [old]
    own = Kept(keys_of("k", "anna")[1], "anna", 2)
    assert of_caller([old, own], "k", "anna")[0] == [own, old]


def test_a_key_of_which_both_are_taken_by_others_is_refused() -> None:
    taken = [Kept(one, "bert", n) for n, one in enumerate(keys_of("k", "anna"))]
    with pytest.raises(KeyReused):
        of_caller(taken, "k", "anna")
