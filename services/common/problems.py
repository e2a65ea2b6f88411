"""Errors of the REST API as RFC 9457 problem details."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.errors import Unavailable

CONTENT_TYPE = "application/problem+json"


TEXT = {"type": "string"}
FIELD = {"type": "object", "properties": {"field": TEXT | {"examples": ["body.status"]}, "message": TEXT}}
SCHEMA = {
    "title": "Problem",
    "type": "object",
    "properties": {
        "type": TEXT | {"default": "about:blank"},
        "title": TEXT | {"examples": ["Unprocessable Entity"]},
        "status": {"type": "integer", "examples": [422]},
        "detail": TEXT,
        "errors": {"type": "array", "items": FIELD, "description": "where fields are at fault"},
    },
    "required": ["type", "title", "status", "detail"],
}
# What every operation may answer instead, for OpenAPI.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "a problem (RFC 9457)", "content": {CONTENT_TYPE: {"schema": SCHEMA}}}
}


class Problem(Exception):
    """A request that cannot be answered. status: HTTP. errors: [{"field", "message"}] where fields are at fault."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers


def response(problem: Problem) -> JSONResponse:
    """The problem as the client sees it."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    headers = dict(problem.headers or {})
    return JSONResponse(body, problem.status, headers=headers, media_type=CONTENT_TYPE)


def install(app: FastAPI) -> None:
    """Makes every error of an app a problem."""
    app.add_middleware(NoNul)

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return response(error)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        return response(Problem(error.status_code, str(error.detail), headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        errors = [{"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        first = errors[0]
        return response(Problem(422, f"{first['field']}: {first['message']}", errors))

    @app.exception_handler(Unavailable)
    async def unavailable(_: Request, __: Unavailable) -> Response:
        problem = Problem(503, "a part that this service stands on does not answer now", headers={"Retry-After": "1"})
        return response(problem)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        return response(Problem(500, "something went wrong here; the log says what"))


class NoNul:
    """Refuses the character NUL in addresses: nothing is called so, and Postgres cannot even compare with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            await response(Problem(422, "the address holds the character NUL"))(scope, receive, send)
        else:
            await self._app(scope, receive, send)
