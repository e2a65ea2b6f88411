"""Example payloads made from JSON schemas: the least, everything, and each way to break the rules once."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any

from services.ocpp.examples import TIME, Schema, full, minimal, resolve

__all__ = ["TIME", "Schema", "broken", "full", "minimal", "sloppy"]

# Names in the path of a field that is deep in a message.
DEEP = 2
WRONG_TYPE = {"string": 7, "integer": "seven", "number": "seven", "boolean": "yes", "array": {}, "object": []}


def broken(document: Schema) -> Iterator[tuple[str, Any]]:
    """(keyword, payload): the full example with one rule broken; every keyword of the schema, each where it stands."""
    yield from _break(document, document, full(document))


def _break(schema: Schema, document: Schema, value: Any) -> Iterator[tuple[str, Any]]:
    schema = resolve(schema, document)
    yield from _break_here(schema, value)
    if isinstance(value, dict):
        for name, part in value.items():
            for keyword, wrong in _break(schema["properties"][name], document, part):
                yield keyword, {**deepcopy(value), name: wrong}
    elif isinstance(value, list):
        for keyword, wrong in _break(schema["items"], document, value[0]):
            yield keyword, [wrong, *deepcopy(value[1:])]


def _break_here(schema: Schema, value: Any) -> Iterator[tuple[str, Any]]:
    if "type" in schema:
        yield "type", WRONG_TYPE[schema["type"]]
    if "enum" in schema:
        yield "enum", "NoSuchValue"
    if "maxLength" in schema:
        yield "maxLength", "x" * (schema["maxLength"] + 1)
    if schema.get("minItems"):
        yield "minItems", []
    if "maxItems" in schema:
        yield "maxItems", value * (schema["maxItems"] + 1)
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - 1
    if "maximum" in schema:
        yield "maximum", schema["maximum"] + 1
    if "multipleOf" in schema:
        yield "multipleOf", 0.123
    # Enumerations of 2.0.1 forbid additional properties of their strings.
    if isinstance(value, dict) and schema.get("required"):
        yield "required", {name: part for name, part in value.items() if name not in schema["required"]}
    if isinstance(value, dict) and schema.get("additionalProperties") is False:
        yield "additionalProperties", {**value, "noSuchProperty": 1}


def sloppy(document: Schema, seen: set[str] | None = None) -> Iterator[tuple[str, Any]]:
    """(what, payload): the full example, each of its fields once as stations in the field send it.

    Of a type that stands deep in it at several places, at the first. seen: types that were spoilt before.
    """
    yield from _spoil(document, document, full(document), "", set() if seen is None else seen)


def _spoil(schema: Schema, document: Schema, value: Any, path: str, seen: set[str]) -> Iterator[tuple[str, Any]]:
    if reference := schema.get("$ref"):
        if reference in seen and path.count(".") >= DEEP:
            return
        seen.add(reference)
    schema = resolve(schema, document)
    for what, wrong in _spoil_here(schema, value):
        yield f"{path or 'payload'}: {what}", wrong
    if isinstance(value, dict):
        for name, part in value.items():
            if name in schema.get("properties", {}):
                yield f"{path}.{name}: absent", {key: deepcopy(one) for key, one in value.items() if key != name}
                for what, wrong in _spoil(schema["properties"][name], document, part, f"{path}.{name}", seen):
                    yield what, {**deepcopy(value), name: wrong}
    elif isinstance(value, list):
        for what, wrong in _spoil(schema["items"], document, value[0], f"{path}[]", seen):
            yield what, [wrong, *deepcopy(value[1:])]


def _spoil_here(schema: Schema, value: Any) -> Iterator[tuple[str, Any]]:
    yield "null", None
    yield from SPOILT.get(schema.get("type", ""), lambda _: ())(value)
    if "enum" in schema:
        yield "unknown word", "NoSuchValue"
        yield "other case", value.upper()
    if "maxLength" in schema:
        yield "long text", value + "é" * (schema["maxLength"] + 100)
    if schema.get("format") == "date-time":
        for time in ("", "0000-00-00T00:00:00Z", "2026-03-01T12:00:00z", "yesterday", 1_772_366_400):
            yield f"time {time}", time


def _spoilt_number(value: Any) -> Iterator[tuple[str, Any]]:
    yield "1.0", float(value)
    yield "number as text", str(value)
    yield "a word", "many"
    yield "too large", 2**70
    yield "below zero", -1


SPOILT: dict[str, Callable[[Any], Iterable[tuple[str, Any]]]] = {
    "string": lambda value: [
        ("a number", 12345),
        ("empty", ""),
        ("NUL", f"\0{value}\0"),
        ("a list", [value]),
        ("an object", {"a": value}),
        ("very long", value + "x" * 5000),
    ],
    "integer": _spoilt_number,
    "number": _spoilt_number,
    "boolean": lambda value: [("as text", str(value)), ("as number", int(value)), ("a word", "perhaps")],
    "array": lambda value: [
        ("empty", []),
        ("not a list", value[0]),
        ("bad beside good", [7, *value, None, {}, "x"]),
        ("many", value * 100),
    ],
    "object": lambda value: [
        ("unknown property", {**value, "noSuchProperty": {"a": [1, None]}}),
        ("empty", {}),
        ("a list", []),
        ("a text", "x"),
    ],
}
