"""Example payloads made from JSON schemas: the least, everything, and each way to break the rules once."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from services.ocpp.examples import TIME, Schema, full, minimal, resolve

__all__ = ["TIME", "Schema", "broken", "full", "minimal"]

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
