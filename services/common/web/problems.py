"""Errors of the REST API as RFC 9457 problem details."""

import re
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match

from services.common.process.errors import Unavailable
from services.common.web.meant import Path, meant, nearest, paths_of
from services.common.web.problem_types import BY_STATUS, MEANINGS, ProblemType

CONTENT_TYPE = "application/problem+json"
# Instead of what pydantic says.
# As pydantic writes a member of an enum.
ENUM_MEMBER = re.compile(r"<\w+\.\w+: (.+?)>")
WORDS = {"missing": "is missing"}
MOST_LISTED = 20
# Nobody reads it: the client left before it had sent all of its request, as web servers count it.
CLIENT_LEFT = Response(status_code=499)
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


class Problem(Exception):
    """A request that cannot be answered.

    status: HTTP. errors: [{"field", "message"}] where fields are at fault. kind: where it says more than the status.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        kind: ProblemType | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers
        self.kind = kind or BY_STATUS.get(status)


def response(problem: Problem) -> JSONResponse:
    """The problem as the client sees it."""
    kind = problem.kind
    body: dict[str, Any] = {
        "type": kind.uri if kind else "about:blank",
        "title": MEANINGS[kind].title if kind else HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    headers = dict(problem.headers or {})
    return JSONResponse(body, problem.status, headers=headers, media_type=CONTENT_TYPE)


def field_problem(field: str, message: str, status: int = 422, kind: ProblemType | None = None) -> Problem:
    """One field that is at fault: its path, such as body.stations.3."""
    return field_problems({field: message}, status, kind)


def field_problems(messages: Mapping[str, str], status: int = 422, kind: ProblemType | None = None) -> Problem:
    """Several fields that are at fault, each with what is wrong."""
    errors = [{"field": field, "message": message} for field, message in messages.items()]
    first = errors[0]
    return Problem(status, f"{first['field']}: {first['message']}", errors, kind=kind)


def did_you_mean(name: str, known: Collection[str]) -> str:
    """What whoever wrote this name may have meant, or what there is."""
    if near := nearest(name, {one: one for one in known}):
        return f"did you mean {near}?"
    if len(known) > MOST_LISTED:
        return "/docs lists what there is"
    return f"known are {', '.join(known)}" if known else "there are none"


def install(app: FastAPI) -> None:
    """Makes every error of an app a problem."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return response(error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        status = error.status_code
        if status == 404:
            detail = f"there is nothing at {request.url.path}"
            return response(Problem(404, detail, kind=ProblemType.NO_SUCH_ADDRESS))
        headers = {"Allow": _allowed(request)} if status == 405 else error.headers
        return response(Problem(status, str(error.detail), headers=headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        misspelt = any(one["type"] == "extra_forbidden" for one in error.errors())
        errors = field_errors(error, _fields(request) if misspelt else ())
        first = errors[0]
        return response(Problem(422, f"{first['field']}: {first['message']}", errors))

    @app.exception_handler(Unavailable)
    async def unavailable(_: Request, __: Unavailable) -> Response:
        problem = Problem(
            503, "something that this service needs does not answer: try again", headers={"Retry-After": "1"}
        )
        return response(problem)

    @app.exception_handler(ClientDisconnect)
    async def left(_: Request, __: ClientDisconnect) -> Response:
        return CLIENT_LEFT

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        return response(Problem(500, "something went wrong in the service; its log says what"))


def field_errors(error: RequestValidationError, known: Collection[Path] = ()) -> list[dict[str, str]]:
    """What is wrong with a request, by field; that null would be right too is no help.

    known: the fields that its body can have.

    Of what may have several forms it tells of the form that was meant: the one of which something within is at fault,
    or all of them.
    """
    told = [one for one in error.errors() if one["type"] != "none_required"] or error.errors()
    found: dict[str, list[str]] = {}
    for one in told:
        found.setdefault(_field(one, error.body), []).append(_message(one, error.body, known))
    within = tuple(field.rpartition(".")[0] for field in found)
    return [
        {"field": field, "message": ", or ".join(dict.fromkeys(messages))}
        for field, messages in found.items()
        if not any(f"{parent}.".startswith(f"{field}.") for parent in within)
    ]


def _fields(request: Request) -> Collection[Path]:
    """All that the body of a call can have, at whatever depth."""
    route = request.scope.get("route")
    field = getattr(route, "body_field", None)
    model = field.field_info.annotation if field else None
    return paths_of(TypeAdapter(model).json_schema()) if model else ()


def _message(error: Mapping[str, Any], body: Any, known: Collection[Path]) -> str:
    """What is wrong, in words; a body that stayed bytes was not sent as JSON, which is what curl does by itself."""
    if isinstance(body, bytes) and tuple(error["loc"]) == ("body",):
        return "is read as JSON only with the header Content-Type: application/json"
    if error["type"] in ("enum", "literal_error"):
        values = ENUM_MEMBER.sub(r"\1", str(error["ctx"]["expected"]))
        return f"must be one of {values}".replace("'", "").replace(" or ", ", ")
    if error["type"] == "extra_forbidden":
        near = meant(_path(error, body)[1:], known)
        return f"unknown; did you mean {near}?" if near else "is not known"
    said = WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    return said.replace("Input should", "must")


def _field(error: Mapping[str, Any], body: Any) -> str:
    return ".".join(map(str, _path(error, body)))


def _path(error: Mapping[str, Any], body: Any) -> list[str | int]:
    """Of what is at fault, without what pydantic calls the parts of a union."""
    where, *steps = error["loc"]
    if where != "body":
        return list(error["loc"])
    path, value = [where], body
    for step in steps:
        if (isinstance(value, Mapping) and step in value) or (isinstance(value, list) and isinstance(step, int)):
            path.append(step)
            value = value[step]
        elif error["type"] == "missing" and step == steps[-1]:
            path.append(step)
    return path


def _allowed(request: Request) -> str:
    """The methods of an address; a route knows only its own."""
    # HEAD is answered wherever GET is, and no route knows it.
    asked = {method: "GET" if method == "HEAD" else method for method in METHODS}
    scopes = {method: {**request.scope, "method": as_what} for method, as_what in asked.items()}
    routes = request.app.router.routes
    return ", ".join(
        method for method, scope in scopes.items() if any(route.matches(scope)[0] == Match.FULL for route in routes)
    )
