"""Tolerant reading: what a payload says although it breaks its schema, and in what it deviates. Pure.

Only what its decision needs is asked of it. What cannot be used is passed over, and never takes its neighbours with
it; words that OCPP does not have, and long texts, are kept as they are. What comes out has the types of its schema.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

import jsonschema_rs
import orjson

from services.ocpp.deviations import UNCHANGED, Deviation, Told
from services.ocpp.errors import ErrorCode
from services.ocpp.sampled_values import QUALIFIERS, with_own_unit
from services.ocpp.schema_nodes import Node, compared
from services.ocpp.schemas import Fault

LARGEST = 2**63 - 1
# No index takes names that are much longer.
LONGEST_IDENTIFIER = 500
# So many kinds of deviation are told of one message; a name that is not ours is cut.
MOST_TOLD, LONGEST_NAME = 32, 50
# After so many deviations of a message, no item of a list is looked into that deviates: 262 kB have room for some 2,500
# that a station means, and for 87,000 empty ones, which would take the gateway from all others for a second.
MOST_MENDED = 5000

# No comma: some write decimals with it, some thousands.
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_NUL, _ESCAPED_BACKSLASH = rb"\u0000", rb"\\"
_DATE_TIME = jsonschema_rs.Draft4Validator({"type": "string", "format": "date-time"}, validate_formats=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. fault: why it must be refused, where it must; then payload is nothing.

    changed: whether payload says anything in other words than what came.
    """

    payload: Any
    deviations: tuple[Told, ...] = ()
    fault: Fault | None = None

    @property
    def changed(self) -> bool:
        return any(told.deviation not in UNCHANGED for told in self.deviations)


def read(schema: Node, payload: object) -> Reading:
    """What a payload says. One that is nested deeper than can be written again (254 levels) is refused."""
    try:
        orjson.dumps(payload)
    except orjson.JSONEncodeError:
        return Reading(None, fault=Fault(ErrorCode.FORMAT_VIOLATION, "is nested too deep"))
    tally = _Tally()
    value = _read(tally, schema, payload, "")
    if type(value) is Lost:
        fault = value.fault or Fault(ErrorCode.FORMAT_VIOLATION, "must be an object")
        return Reading(None, fault=fault)
    return Reading(value, tuple(tally.told()))


def without_nul(payload: bytes) -> bytes:
    """JSON whose texts have no NUL, which Postgres cannot hold."""
    return _ESCAPED_BACKSLASH.join(part.replace(_NUL, b"") for part in payload.split(_ESCAPED_BACKSLASH))


class Lost(NamedTuple):
    """Instead of a value that is passed over. told: why is counted already. fault: what an object lacks."""

    told: bool = False
    fault: Fault | None = None


UNUSABLE, ABSENT = Lost(), Lost(told=True)


class _Tally:
    """The deviations of one payload."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Deviation, str]] = Counter()
        self._left = MOST_MENDED

    @property
    def full(self) -> bool:
        """Whether no more is mended than what a message has once."""
        return self._left <= 0

    def count(self, deviation: Deviation, path: str, times: int = 1) -> None:
        key = (deviation, path)
        if key not in self._counts and len(self._counts) >= MOST_TOLD:
            key = (deviation, "")
        self._counts[key] += times
        self._left -= times

    def told(self) -> Iterator[Told]:
        return (Told(deviation, path, count) for (deviation, path), count in self._counts.items())


def _read(tally: _Tally, schema: Node, value: Any, path: str) -> Any:
    """The value; or Lost."""
    if schema.is_exact and schema.is_exact(value):
        return value
    return READERS[schema.kind](tally, schema, value, path) if schema.kind else value


def _object(tally: _Tally, schema: Node, value: Any, path: str) -> Any:
    if value == []:
        # Some languages write an empty object so.
        tally.count(Deviation.EMPTY_LIST, path)
        value = {}
    if type(value) is not dict:
        return UNUSABLE
    if schema.unit_name and (sample := with_own_unit(value, schema.unit_name)) is not value:
        tally.count(Deviation.SPELLING, _below(path, schema.unit_name))
        if schema.is_exact and schema.is_exact(sample):
            return sample
        value = sample
    made: dict[str, Any] = {}
    lost: dict[str, Lost] = {}
    for written, part in value.items():
        name = _own_name(tally, schema, written, value, path)
        inner, known = _below(path, name), schema.fields.get(name)
        if known is None and schema.open:
            made[name] = part
        elif known is None:
            tally.count(Deviation.UNKNOWN_PROPERTY, _below(path, name[:LONGEST_NAME]))
        elif part is None and known.kind is not None:
            tally.count(Deviation.NULL, inner)
        elif type(read := _read(tally, known, part, inner)) is Lost:
            lost[name] = read
        else:
            made[name] = read
    if lost and schema.unit_name and any(name in QUALIFIERS and not one.told for name, one in lost.items()):
        return UNUSABLE
    if fault := _fault(schema, made, lost, path):
        return Lost(fault=fault)
    for name in [*lost, *(name for name in schema.required if name not in made and name not in lost)]:
        if not (name in lost and lost[name].told):
            tally.count(Deviation.UNUSABLE if name in lost else Deviation.MISSING, _below(path, name))
    return made


def _own_name(tally: _Tally, schema: Node, name: str, value: Mapping[str, Any], path: str) -> str:
    """What the schema calls a property whose name is in other capitals."""
    own = None if name in schema.fields or schema.open else schema.spelled.get(compared(name))
    if own is None or own in value:
        return name
    tally.count(Deviation.SPELLING, _below(path, own))
    return own


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _fault(schema: Node, made: Mapping[str, Any], lost: Mapping[str, Lost], path: str) -> Fault | None:
    """What an object lacks of that without which it is of no use."""
    for names in schema.needs:
        if not made.keys().isdisjoint(names):
            continue
        for name in names:
            if name in lost and not lost[name].told:
                where = _below(path, name)
                return lost[name].fault or Fault(ErrorCode.TYPE_CONSTRAINT_VIOLATION, "cannot be used", where)
        return Fault(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "is missing", _below(path, names[0]))
    return None


def _list(tally: _Tally, schema: Node, value: Any, path: str) -> Any:
    assert schema.item is not None
    if type(value) is not list:
        tally.count(Deviation.NOT_A_LIST, path)
        value = [value]
    elif not value and schema.least:
        tally.count(Deviation.EMPTY_LIST, path)
        return ABSENT
    made: list[Any] = []
    inner = f"{path}[]"
    for place, part in enumerate(value):
        if tally.full:
            made += _exact(tally, schema.item, value[place:], path)
            break
        if part is None or type(read := _read(tally, schema.item, part, inner)) is Lost:
            tally.count(Deviation.BAD_ITEM, path)
        else:
            made.append(read)
    if schema.most is not None and len(made) > schema.most:
        tally.count(Deviation.LONG_LIST, path)
    return made if len(made) >= schema.least else ABSENT


def _exact(tally: _Tally, schema: Node, items: list[Any], path: str) -> list[Any]:
    """Those that can be used as they are."""
    is_exact = schema.is_exact
    made = [item for item in items if is_exact(item)] if is_exact else []
    if lost := len(items) - len(made):
        tally.count(Deviation.BAD_ITEM, path, lost)
    return made


def _text(tally: _Tally, schema: Node, value: Any, path: str) -> Any:
    if type(value) is not str:
        if type(value) in (dict, list) and (schema.words or schema.longest or schema.date_time):
            return UNUSABLE
        tally.count(Deviation.CONVERTED, path)
        value = orjson.dumps(value).decode()
    if schema.words:
        return _word(tally, schema, value, path)
    if schema.identifier and len(value) > LONGEST_IDENTIFIER:
        return UNUSABLE
    if schema.longest is not None and len(value) > schema.longest:
        tally.count(Deviation.LONG_TEXT, path)
    if schema.date_time and not _DATE_TIME.is_valid(value):
        tally.count(Deviation.TIMESTAMP, path)
    return value


def _word(tally: _Tally, schema: Node, value: str, path: str) -> Any:
    key = compared(value)
    if not key:
        tally.count(Deviation.EMPTY_TEXT, path)
        return ABSENT
    word = schema.words.get(key)
    if word is None:
        tally.count(Deviation.UNKNOWN_VALUE, path)
    elif word != value:
        tally.count(Deviation.SPELLING, path)
    return word or value


def _number(tally: _Tally, schema: Node, value: Any, path: str) -> Any:
    if type(value) is str:
        tally.count(Deviation.CONVERTED, path)
        value = _parsed(value)
    if type(value) not in (int, float):
        return UNUSABLE
    if not schema.minimum <= value <= schema.maximum:
        tally.count(Deviation.OUT_OF_RANGE, path)
    return value


def _integer(tally: _Tally, schema: Node, value: Any, path: str) -> Any:
    number = _number(tally, schema, value, path)
    if type(number) is float:
        if number.is_integer():
            tally.count(Deviation.WHOLE_AS_DECIMAL, path)
        elif schema.amount:
            tally.count(Deviation.FRACTION, path)
        else:
            return UNUSABLE
        number = round(number)
    return UNUSABLE if type(number) is int and abs(number) > LARGEST else number


def _parsed(text: str) -> int | float | None:
    """A number as a text; None where it is none."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if not isfinite(number):
        return None
    return int(text) if text.lstrip("+-").isdigit() and len(text) < 20 else number


def _boolean(tally: _Tally, _schema: Node, value: Any, path: str) -> Any:
    if type(value) is bool:
        return value
    if (read := _BOOLEANS.get(str(value).strip().lower())) is None:
        return UNUSABLE
    tally.count(Deviation.CONVERTED, path)
    return read


READERS: Mapping[str, Callable[[_Tally, Node, Any, str], Any]] = {
    "object": _object,
    "array": _list,
    "string": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}
