"""How messages are written in XML: records of fields in the order of their schema, to and from the payloads of JSON."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.ocpp.soap.xml import Element, element, escaped, holds

Payload = Mapping[str, Any]

_BLANKS = " \t\r\n"
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_DECIMAL = re.compile(r"\s*[+-]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})\s*")


def text(said: str) -> Any:
    """As it stands there; but a line break at one of its ends is of how it is written, with what indents it."""
    bare = said.strip(_BLANKS)
    if bare == said:
        return said
    begins = said.find(bare)
    around = said[:begins] + said[begins + len(bare) :]
    return bare if "\n" in around or "\r" in around else said


def integer(said: str) -> Any:
    """A text that is no integer stays one: whoever reads the payload says what is wrong with it."""
    return int(said) if _INTEGER.fullmatch(said) else said


def decimal(said: str) -> Any:
    """An xsd:decimal: 16, 16.0, .5, never 1e3; what is not, stays a text."""
    if _INTEGER.fullmatch(said):
        return int(said)
    return float(said) if _DECIMAL.fullmatch(said) else said


def boolean(said: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(said.strip(), said)


def word(said: str) -> Any:
    """Of an enumeration, or a time: white space around it says nothing (whiteSpace=collapse)."""
    return said.strip()


NO_WORDS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Field:
    """One element, or attribute, of a record.

    name: in XML. read: of its text. record: what it has instead of a text. own: what JSON calls it; empty: the same.
    many: a list in JSON. inner: it stands around elements of that name, which are the items of the list. elsewhere:
    what inner is in another version. words: values that JSON has in other words.
    """

    name: str
    read: Callable[[str], Any] = text
    record: "Record | None" = None
    own: str = ""
    many: bool = False
    inner: str = ""
    elsewhere: str = ""
    words: Mapping[str, str] = field(default_factory=lambda: NO_WORDS)

    @property
    def key(self) -> str:
        return self.own or self.name


@dataclass(frozen=True, slots=True)
class Record:
    """fields: in the order in which they are written. content: the field that is the text of its element; the others
    are its attributes. None: all are elements. elsewhere: what another version has for some of them, which is read.
    """

    fields: tuple[Field, ...] = ()
    content: Field | None = None
    elsewhere: tuple[Field, ...] = ()

    def field(self, name: str) -> Field | None:
        for one in self.fields:
            if one.name == name:
                return one
        return None


@dataclass(frozen=True, slots=True)
class Operation:
    """One action: what is asked, and what is answered."""

    request: Record
    response: Record


def record(*fields: Field | str) -> Record:
    """Of texts where no more than a name is said."""
    return Record(tuple(Field(one) if isinstance(one, str) else one for one in fields))


def integers(*names: str) -> list[Field]:
    return [Field(name, integer) for name in names]


def words(name: str, translated: Mapping[str, str] = NO_WORDS) -> Field:
    """Of an enumeration. translated: by the word in XML, that in JSON."""
    return Field(name, word, words=translated)


def time(name: str) -> Field:
    return Field(name, word)


def read_record(shape: Record, written: Element, foreign: Counter[str] | None = None) -> dict[str, Any]:
    """The payload. Elements come in any order; what the record does not have is there, too, under its own name.

    foreign: counts by their names the elements that are written as another version has them.
    """
    foreign = Counter() if foreign is None else foreign
    payload: dict[str, Any] = {}
    for name, value in written.attributes.items():
        if known := _known(shape, name):
            payload[known.key] = _value(known, value)
    if shape.content is not None and (written.text.strip() or not written.children):
        payload[shape.content.key] = _value(shape.content, written.text)
    for child in written.children:
        if child.nil:
            continue
        if (known := _known(shape, child.name)) is None:
            if (known := _elsewhere(shape, child.name)) is None:
                _put(payload, child.name, _unknown(child), many=False)
                continue
            foreign[child.name] += 1
        for value in _values(known, child, foreign):
            _put(payload, known.key, value, many=known.many)
    return payload


def write_record(shape: Record, payload: Payload, prefix: str = "") -> str:
    """Its elements, in their order. What the record does not have is left out. prefix: of names, with its colon."""
    parts: list[str] = []
    for one in shape.fields:
        value = payload.get(one.key)
        if value is None:
            continue
        items = value if one.many else [value]
        written = [_written(one, item, prefix) for item in items]
        if one.inner:
            written = [element(prefix + one.name, "".join(written))] if written else []
        parts += written
    return "".join(parts)


def unwritable(payload: Any, path: str = "") -> str:
    """The first field whose text XML cannot hold; empty: there is none."""
    if type(payload) is str:
        return "" if holds(payload) else path
    if isinstance(payload, Mapping):
        inner = [(f"{path}.{key}" if path else key, value) for key, value in payload.items()]
    else:
        inner = [(path, value) for value in payload] if type(payload) is list else []
    return next((found for key, value in inner if (found := unwritable(value, key))), "")


def _known(shape: Record, name: str) -> Field | None:
    if shape.content is not None and name == shape.content.name:
        return shape.content
    return shape.field(name)


def _elsewhere(shape: Record, name: str) -> Field | None:
    return next((one for one in shape.elsewhere if one.name == name), None)


def _values(known: Field, child: Element, foreign: Counter[str]) -> list[Any]:
    if not (level := known.inner or known.elsewhere):
        return [_child_value(known, child, foreign)]
    inner = [item for item in child.children if item.name == level]
    is_around = bool(inner) or (known.inner != "" and not child.children)
    if is_around != (known.inner != ""):
        foreign[known.name] += 1
    items = inner if is_around else [child]
    return [_child_value(known, item, foreign) for item in items if not item.nil]


def _child_value(known: Field, child: Element, foreign: Counter[str]) -> Any:
    return _value(known, child.text) if known.record is None else read_record(known.record, child, foreign)


def _value(known: Field, said: str) -> Any:
    value = known.read(said)
    return known.words.get(value, value) if known.words else value


def _put(payload: dict[str, Any], key: str, value: Any, *, many: bool) -> None:
    """What comes more often than it may is a list: which of them counts is nobody's guess."""
    if many:
        payload.setdefault(key, []).append(value)
    elif key not in payload:
        payload[key] = value
    elif type(payload[key]) is list:
        payload[key].append(value)
    else:
        payload[key] = [payload[key], value]


def _unknown(written: Element) -> Any:
    if not written.children:
        return written.text
    payload: dict[str, Any] = {}
    for child in written.children:
        _put(payload, child.name, _unknown(child), many=False)
    return payload


def _written(known: Field, value: Any, prefix: str) -> str:
    name = prefix + (known.inner or known.name)
    if known.record is None:
        return element(name, escaped(_text(known, value)))
    if known.record.content is None:
        return element(name, write_record(known.record, value, prefix))
    content = known.record.content
    attributes = [
        (one.name, _text(one, value[one.key])) for one in known.record.fields if value.get(one.key) is not None
    ]
    return element(name, escaped(_text(content, value.get(content.key, ""))), attributes)


def _text(known: Field, value: Any) -> str:
    if type(value) is str:
        return next((there for there, here in known.words.items() if here == value), value)
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float:
        # No exponent: xsd:decimal has none.
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value) if type(value) is int else orjson.dumps(value).decode()
