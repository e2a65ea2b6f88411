"""JSON that is none: what it says all the same, and where that cannot be known."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ocpp.mending import MOST_FLAWS, mended

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (
            b"[1e400, nan, -nan(ind), 1.#QNAN, 0x1F, 007, .5, -]",
            ["1e400", "nan", "-nan(ind)", "1.#QNAN", "0x1F", "007", ".5", "-"],
        ),
        (b"[1e+006, 1e100, 100000000000000000000, true, null,]", [1e6, 1e100, 10**20, True, None]),
        (b'{a: 1, 2: 3, "b":, "c":}', {"a": 1, "2": 3, "b": None, "c": None}),
        (b'["a\nb\x00\x1f"]', ["a\nb\0\x1f"]),
        (b'["C:\\data\\u12\\\'"]', ["C:\\data\\u12\\'"]),
        (b'["\\ud83d\\ude00\\ude00\\ud83dx\\\\ud800"]', ["\U0001f600\ufffd\ufffdx\\ud800"]),
        (b'[1, {"a": [2, ], }, ]', [1, {"a": [2]}]),
        (b"[1]}]", [1]),
        ('["é", 1,]½'.encode(), ["é", 1]),
    ],
)
def test_what_it_says(written: bytes, value: Any) -> None:
    read = mended(written)
    assert read is not None
    assert read.value == value
    assert orjson.loads(read.written) == value
    assert read.deviations


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"[1",
        b'["a',
        b'["a\\"]',
        b'{"a":1',
        b"[1 2]",
        b"[,1]",
        b"[1,,2]",
        b'{"a":1,5}',
        b"[1][2]",
        b'[1] {"a":1}',
        b'["\xff"]',
    ],
)
def test_nothing_is_guessed(written: bytes) -> None:
    assert mended(written) is None


def test_a_text_of_many_flaws_says_nothing() -> None:
    assert mended(b"[%b1]" % (b"nan," * MOST_FLAWS)) is not None
    assert mended(b"[%b1]" % (b"nan," * (MOST_FLAWS + 1))) is None
    assert mended(b'["%b"]' % (b"\t" * (MOST_FLAWS + 1))) is None
    assert mended(b'["%b"]' % (b"\\ud800" * (MOST_FLAWS + 1))) is None


@given(value=VALUES)
def test_json_says_what_it_says(value: Any) -> None:
    written = orjson.dumps(value)
    read = mended(written)
    assert read is not None
    assert (read.written, read.deviations) == (written, ())


@given(value=st.lists(VALUES, min_size=1), cut=st.integers(1))
def test_what_is_cut_off_says_nothing(value: Any, cut: int) -> None:
    written = orjson.dumps(value)
    assert mended(written[: cut % len(written)]) is None


@given(written=st.binary(max_size=300) | st.text('[]{}:,"\\ud8e01n \t', max_size=60).map(str.encode))
def test_any_bytes_become_json_or_nothing(written: bytes) -> None:
    read = mended(written)
    assert read is None or orjson.loads(read.written) == read.value
