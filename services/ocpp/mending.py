"""JSON as stations write it that is none, or that no program holds: made into JSON that says the same. Pure.

One pass over the text, and another over what is wrong in it, so that the work is bounded by its length.
"""

import contextlib
import re
from typing import Any, NamedTuple

import orjson

from services.ocpp.deviations import Deviation, Told

# With more of them, a text is refused: what is right in a message is a question of chance then.
MOST_FLAWS = 1000

_HEX = "[0-9a-fA-F]"
_LOW = rf"\\u[dD][c-fC-F]{_HEX}{{2}}"
_HIGH = rf"\\u[dD][89abAB]{_HEX}{{2}}"
# What may stand in a string: no half of an UTF-16 pair, though the grammar has it (RFC 8259 §8.2).
_SOUND = rf'(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F]){_HEX}{{4}}|{_HIGH}{_LOW})*+'
_SPACE = r"[ \t\r\n]*+"
_WORD = r"(?:true|false|null|-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?)(?=[ \t\r\n,\]}]|\Z)"
_RIGHT = rf'(?:[ \t\r\n\[\]{{}}]++|,(?!{_SPACE}[\]}}])|:(?!{_SPACE}[,\]}}])|"{_SOUND}"|{_WORD})*+'
_ANY_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_JSON = re.compile(rf'({_RIGHT})(?:({_ANY_STRING})|([,:])|([^ \t\r\n,:{{}}\[\]"]++)|\Z)'.encode(), re.DOTALL)
_TEXT = re.compile(rf"({_SOUND})(?:({_HIGH}|{_LOW})|([\\\x00-\x1f])|\Z)".encode(), re.DOTALL)


class Mended(NamedTuple):
    """written: JSON. value: what it says. deviations: what had to be mended."""

    written: bytes
    value: Any
    deviations: tuple[Told, ...]


def mended(written: bytes) -> Mended | None:
    """JSON that says what a text says that is none; None where that cannot be known.

    A character that must be escaped is; a half of an UTF-16 pair becomes U+FFFD; what stands where a value should and
    is none (NaN, 1e400, 007) becomes a text, and nothing becomes null; a comma before a bracket goes, and so does what
    stands behind the value, unless it is another one. A text that is cut off says nothing: what is missing could be
    the end of a number.
    """
    flaws = _Flaws()
    try:
        made = _JSON.sub(flaws.mend, written)
        try:
            value = orjson.loads(made)
        except orjson.JSONDecodeError as error:
            made = flaws.before(made, error.pos)
            value = orjson.loads(made)
    except ValueError:
        return None
    return Mended(made, value, tuple(flaws.told()))


class _Flaws:
    """Of one text."""

    def __init__(self) -> None:
        self._not_json = self._surrogates = 0

    def told(self) -> list[Told]:
        counts = ((Deviation.NOT_JSON, self._not_json), (Deviation.SURROGATE, self._surrogates))
        return [Told(kind, "", count) for kind, count in counts if count]

    def mend(self, found: re.Match[bytes]) -> bytes:
        """One flaw, and what is right before it."""
        right, string, mark, word = found.groups()
        if string is not None:
            return bytes(right + _TEXT.sub(self._mend_text, string[:1] + string[1:-1]) + string[-1:])
        if mark is not None:
            self._count()
            return bytes(right + (b":null" if mark == b":" else b""))
        return bytes(right + self._value(word, found)) if word is not None else bytes(right)

    def before(self, written: bytes, place: int) -> bytes:
        """What stands before a place, in characters, at which a value has ended and something follows."""
        text = written.decode()
        if text[place:].lstrip().startswith(("[", "{")):
            raise ValueError("another value follows")
        self._count()
        return text[:place].encode()

    def _value(self, word: bytes, found: re.Match[bytes]) -> bytes:
        if found.string[found.end() : found.end() + 1] != b":":
            with contextlib.suppress(orjson.JSONDecodeError):
                orjson.loads(word)
                return word
        self._count()
        return orjson.dumps(word.decode(errors="replace"))

    def _mend_text(self, found: re.Match[bytes]) -> bytes:
        right, half, character = found.groups()
        if half is not None:
            self._surrogates += 1
            self._count(0)
            return bytes(right + b"\\ufffd")
        if character is None:
            return bytes(right)
        self._count()
        return bytes(right + (b"\\\\" if character == b"\\" else b"\\u%04x" % character[0]))

    def _count(self, more: int = 1) -> None:
        self._not_json += more
        if self._not_json + self._surrogates > MOST_FLAWS:
            raise ValueError("too many flaws")
