"""Example payloads made from JSON schemas: the least that is valid, and everything there is."""

from collections.abc import Mapping
from math import inf
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
    "vendorId": "com.example",
    "key": "HeartbeatInterval",
    "chargingProfilePurpose": "ChargingStationMaxProfile",
}


def minimal(document: Schema) -> Any:
    """Only what is required."""
    return _make(document, document, full=False)


def full(document: Schema) -> Any:
    """Everything there is, lists with as few items as allowed but one at least."""
    return _make(document, document, full=True)


def resolve(schema: Schema, document: Schema) -> Schema:
    """What a schema's references lead to."""
    while reference := schema.get("$ref"):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


def _make(schema: Schema, document: Schema, full: bool, name: str = "") -> Any:
    schema = resolve(schema, document)
    if "enum" in schema:
        plausible = PLAUSIBLE.get(name)
        return plausible if plausible in schema["enum"] else schema["enum"][0]
    match schema.get("type"):
        case "object":
            return _object(schema, document, full)
        case "array":
            return [_make(schema["items"], document, full, name)] * max(1, schema.get("minItems", 1))
        case "string":
            return _string(schema, name)
        case "integer" | "number":
            return min(max(1, schema.get("minimum", 1)), schema.get("maximum", inf))
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
