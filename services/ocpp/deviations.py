"""In what the messages of stations deviate from their schemas: the closed list that metrics and events speak of."""

from enum import StrEnum
from typing import NamedTuple


class Deviation(StrEnum):
    """One kind, and what is done about it."""

    # What stands in the message although nobody knows it, or is nothing: passed over.
    UNKNOWN_PROPERTY = "unknown_property"
    NULL = "null"
    EMPTY_TEXT = "empty_text"
    EMPTY_LIST = "empty_list"
    # What cannot be used: passed over, alone.
    UNUSABLE = "unusable"
    BAD_ITEM = "bad_item"
    # Of another type, or written in another way: read as what it means.
    CONVERTED = "converted"
    WHOLE_AS_DECIMAL = "whole_as_decimal"
    FRACTION = "fraction"
    SPELLING = "spelling"
    NOT_A_LIST = "not_a_list"
    NUL = "nul"
    # Half of an UTF-16 pair: JSON by its grammar, and no text: read as U+FFFD.
    SURROGATE = "surrogate"
    # Not written as JSON is, and readable nonetheless.
    NOT_JSON = "not_json"
    # Type, id or elements of the frame around a payload.
    ENVELOPE = "envelope"
    # Kept as it is.
    UNKNOWN_VALUE = "unknown_value"
    LONG_TEXT = "long_text"
    LONG_LIST = "long_list"
    OUT_OF_RANGE = "out_of_range"
    TIMESTAMP = "timestamp"
    # What should be there, and nothing hangs on it.
    MISSING = "missing"
    # The message lacks what its decision needs, or is none.
    REFUSED = "refused"


# After these, the payload that is read says what the one that came said, in the same words.
UNCHANGED = frozenset(
    {
        Deviation.UNKNOWN_VALUE,
        Deviation.LONG_TEXT,
        Deviation.TIMESTAMP,
        Deviation.OUT_OF_RANGE,
        Deviation.LONG_LIST,
        Deviation.MISSING,
    }
)


class Told(NamedTuple):
    """One kind of deviation of a message. path: of the field, without the places in lists."""

    deviation: Deviation
    path: str
    times: int
