"""Example payloads made from JSON schemas: the least, everything, and each way to break the rules once."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

Schema = Mapping[str, Any]

TIME = "2026-03-01T12:00:00Z"
# What a string of this name usually holds, where any text would be valid but tell little.
PLAUSIBLE = {
    "value": "1520.5",
    "startTime": TIME,
    "stopTime": TIME,
    "language1": "en",
    "language": "en",
    "ocppCsmsUrl": "wss://csms.example/ocpp",
    "responderURL": "https://ocsp.example/",
    "location": "https://files.example/here",
    "remoteLocation": "https://files.example/here",
    "idTag": "TAG-1",
    "idToken": "TAG-1",
    "transactionId": "tx-1",
}
WRONG_TYPE = {"string": 7, "integer": "seven", "number": "seven", "boolean": "yes", "array": {}, "object": []}


def minimal(document: Schema) -> Any:
    """Only what is required."""
    return _make(document, document, full=False)


def full(document: Schema) -> Any:
    """Everything there is, lists with as few items as allowed but one at least."""
    return _make(document, document, full=True)


def broken(document: Schema) -> Iterator[tuple[str, Any]]:
    """(keyword, payload): the full example with one rule broken; every keyword of the schema, each where it stands."""
    yield from _break(document, document, full(document))


def _make(schema: Schema, document: Schema, full: bool, name: str = "") -> Any:
    schema = _resolve(schema, document)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return _object(schema, document, full)
        case "array":
            return [_make(schema["items"], document, full, name)] * max(1, schema.get("minItems", 1))
        case "string":
            return _string(schema, name)
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
    return "anything"


def _object(schema: Schema, document: Schema, full: bool) -> dict[str, Any]:
    wanted = schema.get("properties", {}) if full else schema.get("required", ())
    return {name: _make(schema["properties"][name], document, full, name) for name in wanted}


def _string(schema: Schema, name: str) -> str:
    formats = {"date-time": TIME, "uri": "https://files.example/here"}
    text = formats.get(schema.get("format", "")) or PLAUSIBLE.get(name, name or "text")
    return text[: schema.get("maxLength", len(text))]


def _resolve(schema: Schema, document: Schema) -> Schema:
    while reference := schema.get("$ref"):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


def _break(schema: Schema, document: Schema, value: Any) -> Iterator[tuple[str, Any]]:
    schema = _resolve(schema, document)
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
