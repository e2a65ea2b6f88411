"""The targets of `make fuzz` (tests/fuzz), in short: what is worth trying again, and some hundreds of others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS

CHOICES = st.lists(st.integers(0, 9) | st.integers(0, 255), max_size=300).map(bytes)


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_kept_breaks_no_promise(target: str) -> None:
    kept = corpus.inputs(target)
    assert kept
    for data in kept:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
@given(CHOICES)
@settings(max_examples=200, derandomize=True, database=None, deadline=None)
def test_no_input_breaks_a_promise(target: str, data: bytes) -> None:
    TARGETS[target](data)
