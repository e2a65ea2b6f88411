"""What schemathesis must know that an OpenAPI document cannot say."""

import gc
from math import inf
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

# At its usual rate the collector takes a fifteenth of the CPU of schemathesis.
gc.set_threshold(50_000, 20, 20)

NAMES = {
    "settings": {"heartbeat_interval": "300"},
    "names": ["heartbeat_interval"],
    "versions": {"1.6": {"HeartbeatInterval": "300"}},
}


@schemathesis.serializer("text/csv", "application/x-ndjson")
def as_it_is(_: object, value: Any) -> bytes:
    """A file, which is text to the document."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(_: HookContext, case: Case[Any], __: dict[str, Any]) -> None:
    """Nobody waits for stations that are not there, or for events; no text that is made up is a cursor of a list."""
    query = case.query = case.query or {}
    if case.operation.path == "/v1/events":
        _events(case, query)
    if case.operation.path.endswith("/log/tail") and 0 < _number(query.get("seconds", 3600)) <= 3600:
        query["seconds"] = 0.01
    composing = case.operation.path.endswith("/composite-schedule")
    if _number(query.get("wait", 30 if composing else None)) <= 60:
        query["wait"] = 0.001 if composing else 0
    if case.meta and case.meta.generation.mode == GenerationMode.POSITIVE:
        query.pop("cursor", None)
        if isinstance(case.body, dict | list):
            # Of a body that is set schemathesis asks again whether it is valid, and says no of none at all.
            case.body = _whole(case.body)
        _agree(case)


def _events(case: Case[Any], query: dict[str, Any]) -> None:
    """An answer that ends; types that there are, and ids that an event had."""
    if str(query.get("follow", True)).lower() in {"true", "1", "on", "t", "y", "yes"}:
        query["follow"] = "false"
    if case.meta and case.meta.generation.mode == GenerationMode.POSITIVE:
        query.pop("type", None)
        case.headers.pop("last-event-id", None)


def _agree(case: Case[Any]) -> None:
    """What each part allows but not both together."""
    if case.operation.method.upper() == "POST" and "station_id" in case.path_parameters:
        # Known, but not its version: the payload may be one of any.
        case.path_parameters["station_id"] = "anyone"
    if case.operation.method.upper() == "POST" and isinstance(case.body, dict) and "stations" in case.body:
        case.body["stations"] = ["anyone"]
    _settings(case.body)
    registering = ("/v1/stations/{station_id}", "/v1/stations/refused/{station_id}/accept")
    if case.operation.path in registering and isinstance(case.body, dict):
        # A password, or null, contradicts one of the two; and a group that is not the first of groups.
        for said, other in (("password", "auth"), ("groups", "group")):
            if said in case.body:
                case.body.pop(other, None)


def _settings(body: Any) -> None:
    """Names have a grammar of their own, and belong to a version."""
    if isinstance(body, dict) and {"settings", "names", "versions"} & set(body):
        for field, valid in NAMES.items():
            if body.get(field):
                body[field] = valid


def _whole(value: Any) -> Any:
    """Before draft 6 of JSON Schema, which OCPP 1.6 is written in, 5.0 was no integer; and those here have 64 bits."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value % 2**31 if isinstance(value, int) and abs(value) >= 2**63 else value


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return inf
