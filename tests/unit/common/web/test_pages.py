"""Cursors come back as they went, and a client's own are refused."""

import base64
import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.web.pages import read_cursor, write_cursor
from services.common.web.problems import Problem

BIGINT = st.integers(-(1 << 63) + 1, (1 << 63) - 1)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(TEXT, BIGINT)
def test_a_cursor_is_read_as_it_was_written(text: str, number: int) -> None:
    assert read_cursor(write_cursor(text, number), str, int) == [text, number]


def test_no_cursor_is_the_first_page() -> None:
    assert read_cursor(None, str) is None


def forged(position: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "é",
        "====",
        "a",
        write_cursor(1),
        write_cursor("a", "b"),
        forged("a"),
        forged({"a": 1}),
        forged([None]),
        forged([True]),
        forged(["with \0 in it"]),
    ],
)
def test_what_this_list_did_not_give_out_is_refused_by_field(cursor: str) -> None:
    with pytest.raises(Problem) as raised:
        read_cursor(cursor, str)
    assert raised.value.status == 422
    assert raised.value.errors
    assert raised.value.errors[0]["field"] == "query.cursor"


@pytest.mark.parametrize("position", [[1 << 63], [-(1 << 63)], [1.5], [True]])
def test_a_number_that_is_no_bigint_is_refused(position: object) -> None:
    with pytest.raises(Problem):
        read_cursor(forged(position), int)


@given(st.text())
def test_no_text_makes_it_fail_in_another_way(cursor: str) -> None:
    with contextlib.suppress(Problem):
        read_cursor(cursor, str)
