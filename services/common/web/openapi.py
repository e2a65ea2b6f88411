"""What every OpenAPI document of ours says beyond what routes say: problems, tags, names of operations."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.routing import APIRoute

from services.common.web.problem_types import MEANINGS, ProblemType
from services.common.web.problems import CONTENT_TYPE

Document = dict[str, Any]
# In a route that is for all actions: its parameter; in its operation: what each has of its own.
ACTION, EACH = "action", "x-each"

TEXT = {"type": "string"}
FIELD = {
    "type": "object",
    "properties": {"field": TEXT | {"examples": ["body.stations.3"]}, "message": TEXT},
    "required": ["field", "message"],
}
PROBLEM = {
    "title": "Problem",
    "description": "what is wrong (RFC 9457)",
    "type": "object",
    "properties": {
        "type": TEXT | {"enum": [kind.uri for kind in ProblemType], "description": "what kind of problem, to match"},
        "title": TEXT | {"description": "what that kind is", "examples": [MEANINGS[ProblemType.INVALID_REQUEST].title]},
        "status": {"type": "integer", "examples": [422]},
        "detail": TEXT | {"examples": ["body.limit.value: must be greater than 0"]},
        "errors": {"type": "array", "items": FIELD, "description": "the fields at fault, where there are any"},
    },
    "required": ["type", "title", "status", "detail"],
}
CONTENT = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
# FastAPI's own shape of a 422, which nothing here answers with.
UNUSED = ("HTTPValidationError", "ValidationError")
TAGS = {
    "commands": "What stations are asked to do, and what became of it.",
    "commands to many": "The same action for many stations at once.",
    "events": "What happened, as it happens, for systems without Kafka.",
    "messages": "What stations sent, kept word for word.",
    "webhooks": "Where events are posted to, and what could not be delivered.",
    "operations": "Whether the process lives and is ready.",
}
# As pydantic has the limits of numbers that are checked by a function of ours as well; JSON Schema does not.
LIMITS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
LOCATION = {"Location": {"description": "where its state is read", "schema": TEXT}}
NO_TOKEN = {"WWW-Authenticate": {"description": "how to authenticate", "schema": TEXT}}
LATER = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}


def problem_responses(because: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Problems of a route by status, for its `responses`; those that any route can have are added to all."""
    return {status: {"description": why} for status, why in because.items()}


def operation_id(route: APIRoute) -> str:
    """get_stations_station_id: of the method and the path, so that no two are the same."""
    path = re.sub(r"\W+", "_", route.path_format.removeprefix("/v1")).strip("_")
    return f"{''.join(route.methods or ()).lower()}_{path}"


def each(operations: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """For `openapi_extra` of a route with the parameter `action`: what the operation of each action has of its own.

    A route a service's every action would be the same again and again, and FastAPI takes a millisecond to make one.
    """
    return {EACH: operations}


def complete(document: Document, tags: Mapping[str, str]) -> None:
    """Adds the problems of each operation, and what its tags mean; all in words that JSON Schema has."""
    _say_limits(document)
    document["paths"] = dict(_told_apart(document["paths"]))
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for name in UNUSED:
        schemas.pop(name, None)
    used = set()
    for path, operation in operations(document):
        used.update(operation.get("tags", ()))
        if path.startswith("/v1"):
            operation["responses"] = dict(sorted(_responses(operation).items()))
    document["tags"] = [{"name": n, "description": why} for n, why in {**tags, **TAGS}.items() if n in used]


def _told_apart(paths: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Paths, with one for each action where a route is for all, see each()."""
    for path, item in paths.items():
        own = {method: operation.pop(EACH, None) for method, operation in item.items()}
        if not any(own.values()):
            yield path, item
            continue
        for method, actions in own.items():
            shared = item[method]
            shared["parameters"] = [one for one in shared["parameters"] if one["name"] != ACTION]
            for action, more in actions.items():
                yield path.replace(f"{{{ACTION}}}", action), {method: shared | more}


def operations(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its path."""
    return ((path, operation) for path, item in document["paths"].items() for operation in item.values())


def _say_limits(part: Any) -> None:
    """In place."""
    if isinstance(part, dict):
        for name, word in LIMITS.items():
            # There may be a field of that name.
            if name in part and not isinstance(part[name], dict):
                part[word] = part.pop(name)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _say_limits(inner)


def _responses(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the operation has, and those that follow from what it takes."""
    found: dict[str, Any] = dict(operation["responses"])
    found["401"] = {"description": "no valid bearer token", "headers": NO_TOKEN}
    found["403"] = {"description": f"the token does not have the role {', '.join(_roles(operation))}"}
    found["422"] = {"description": "a field is at fault: `errors` says which"}
    found["503"] = {"description": "something that the service needs does not answer: try again", "headers": LATER}
    if "requestBody" in operation:
        found["413"] = {"description": "the body is too large"}
    return {status: _problem(found[status]) if status >= "400" else found[status] for status in found}


def _roles(operation: Mapping[str, Any]) -> list[str]:
    """Which are needed (OpenAPI 3.1, Security Requirement Object)."""
    return [role for requirement in operation.get("security", ()) for roles in requirement.values() for role in roles]


def _problem(response: Mapping[str, Any]) -> dict[str, Any]:
    return dict(response) | {"content": CONTENT}
