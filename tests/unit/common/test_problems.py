"""Every error of the REST API is a problem (RFC 9457) that names the field and gives nothing away."""

from typing import Annotated

import httpx
import pytest
from fastapi import Query
from pydantic import BaseModel, SecretStr

from services.common.errors import Unavailable
from services.common.problems import CONTENT_TYPE, Problem
from services.common.service import web


class Body(BaseModel):
    number: int
    secret: SecretStr | None = None


app = web("test")


@app.get("/items/{item}")
async def item(item: int, limit: Annotated[int, Query(le=10)] = 1) -> int:
    return item + limit


@app.post("/items")
async def create(body: Body) -> int:
    return body.number


@app.get("/fails/{how}")
async def fail(how: str) -> None:
    raise {
        "problem": Problem(409, "it is taken", [{"field": "body.name", "message": "taken"}], {"X-Hint": "other"}),
        "unavailable": Unavailable("Postgres: ConnectionRefusedError at 10.0.0.1"),
        "unexpected": RuntimeError("the password is hunter2"),
    }[how]


@pytest.fixture
def http() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "fields"),
    [
        ("GET", "/items/one", None, 422, ["path.item"]),
        ("GET", "/items/1?limit=11", None, 422, ["query.limit"]),
        ("POST", "/items", '{"number": "x"}', 422, ["body.number"]),
        ("POST", "/items", "{}", 422, ["body.number"]),
        ("POST", "/items", '{"number": "x", "secret": 5}', 422, ["body.number", "body.secret"]),
        ("POST", "/items", "{", 422, ["body.1"]),
        ("GET", "/fails/problem", None, 409, ["body.name"]),
        ("GET", "/nowhere", None, 404, []),
        ("DELETE", "/items", None, 405, []),
        ("GET", "/fails/unavailable", None, 503, []),
        ("GET", "/fails/unexpected", None, 500, []),
        ("GET", "/fails/a%00b", None, 422, []),
        ("GET", "/items/1?group=a%00b", None, 422, []),
    ],
)
async def test_every_error_is_a_problem(
    http: httpx.AsyncClient, method: str, path: str, content: str | None, status: int, fields: list[str]
) -> None:
    headers = {"Content-Type": "application/json"} if content else {}
    answer = await http.request(method, path, content=content, headers=headers)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, CONTENT_TYPE)
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert problem["title"]
    assert problem["detail"]
    assert [error["field"] for error in problem.get("errors", [])] == fields
    assert all(field in problem["detail"] for field in fields[:1] if status == 422)


async def test_what_went_wrong_inside_stays_inside(http: httpx.AsyncClient) -> None:
    assert "hunter2" not in (await http.get("/fails/unexpected")).text
    unavailable = await http.get("/fails/unavailable")
    assert "10.0.0.1" not in unavailable.text
    assert unavailable.headers["Retry-After"] == "1"


async def test_headers_of_a_problem_are_sent(http: httpx.AsyncClient) -> None:
    assert (await http.get("/fails/problem")).headers["X-Hint"] == "other"
    assert (await http.delete("/items")).headers["Allow"] == "POST"


async def test_what_was_sent_is_not_repeated(http: httpx.AsyncClient) -> None:
    assert "hunter2" not in (await http.post("/items", json={"number": "hunter2", "secret": ["hunter2"]})).text


def test_openapi_says_that_errors_are_problems() -> None:
    operation = app.openapi()["paths"]["/items"]["post"]
    assert operation["responses"].keys() == {"200", "default"}
    assert operation["responses"]["default"]["content"].keys() == {CONTENT_TYPE}
