"""Every error of the REST API is a problem (RFC 9457) that names the field and gives nothing away."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.common.process.errors import Unavailable
from services.common.web import problem_types
from services.common.web.app import web_app
from services.common.web.problem_types import BY_STATUS, MEANINGS, URN, ProblemType
from services.common.web.problems import CONTENT_TYPE, Problem
from services.common.web.requests import MAX_BODY_BYTES


class Colour(StrEnum):
    RED = "red"
    GREEN = "dark green"
    NONE = "none"


class Station(BaseModel):
    name: str
    phases: list[Literal[1, 2, 3]] = []


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    secret: SecretStr | None = None
    many: dict[str, list[int]] = {}
    anything: Any = None
    either: Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern="^a")] = 0
    stations: list[str | Station] = []
    kind: Literal["plain", "fancy"] = "plain"
    tint: Literal[Colour.RED, Colour.GREEN] | None = None


app = web_app("test")


@app.get("/items/{item}")
async def item(item: int, limit: Annotated[int, Query(le=10)] = 1) -> int:
    return item + limit


@app.post("/items")
@app.post("/v1/others")
async def create(body: Body) -> Any:
    return body.anything


@app.get("/things/{thing}")
@app.delete("/things/{thing}")
async def thing(thing: int) -> int:
    return thing


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
        ("POST", "/items", "{", 422, ["body"]),
        ("GET", "/fails/problem", None, 409, ["body.name"]),
        ("GET", "/nowhere", None, 404, []),
        ("DELETE", "/items", None, 405, []),
        ("GET", "/fails/unavailable", None, 503, []),
        ("GET", "/fails/unexpected", None, 500, []),
        ("GET", "/fails/a%00b", None, 422, ["path"]),
        ("GET", "/items/1?group=a%00b", None, 422, ["query.group"]),
        ("GET", "/fails/%ff", None, 422, ["path"]),
        ("GET", "/items/1?group=%ff", None, 422, ["query"]),
        ("POST", "/items", '{"number": 1, "many": {"a": [1, "x"]}}', 422, ["body.many.a.1"]),
        ("POST", "/items", '{"number": 1, "either": {"x": 1}}', 422, ["body.either"]),
        ("POST", "/items", '{"number": 1, "other": 1}', 422, ["body.other"]),
        ("POST", "/items", '"text"', 422, ["body"]),
        ("POST", "/items", f'{{"number": 1, "many": "{"x" * MAX_BODY_BYTES}"}}', 413, ["body"]),
    ],
)
async def test_every_error_is_a_problem(
    http: httpx.AsyncClient, method: str, path: str, content: str | None, status: int, fields: list[str]
) -> None:
    headers = {"Content-Type": "application/json"} if content else {}
    answer = await http.request(method, path, content=content, headers=headers)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, CONTENT_TYPE)
    kind = ProblemType(problem["type"].removeprefix(URN))
    assert (MEANINGS[kind].status, MEANINGS[kind].title, problem["status"]) == (status, problem["title"], status)
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"number": 1,}', "is not valid JSON at line 1 column 13: "),
        (b'{\n  "number": NaN\n}', "is not valid JSON at line 2 column 13: "),
        (b'{"number": "\xff"}', "is not valid JSON at line 1 column "),
        (b'{"number": "\\ud800"}', "is not valid JSON at line 1 column "),
        (b"[" * 100_000, "is not valid JSON at line 1 column "),
    ],
)
async def test_what_is_no_json_says_where(http: httpx.AsyncClient, content: bytes, message: str) -> None:
    answer = await http.post("/items", content=content, headers={"Content-Type": "application/json"})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, "body")
    assert error["message"].startswith(message)


async def test_a_number_beyond_64_bits_is_a_double(http: httpx.AsyncClient) -> None:
    content = b'{"number": 1, "anything": 18446744073709551617}'
    answer = await http.post("/items", content=content, headers={"Content-Type": "application/json"})
    assert answer.json() == float(2**64)


async def test_405_names_every_method_of_the_address(http: httpx.AsyncClient) -> None:
    assert (await http.put("/things/1")).headers["Allow"] == "DELETE, GET, HEAD"


def test_openapi_says_that_errors_are_problems() -> None:
    document = app.openapi()
    responses = document["paths"]["/v1/others"]["post"]["responses"]
    assert responses.keys() == {"200", "401", "403", "413", "422", "503"}
    for status, response in responses.items():
        if status != "200":
            assert response["content"][CONTENT_TYPE]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert document["components"]["schemas"].keys() == {"Body", "Problem", "Station"}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain"])
async def test_a_body_that_is_not_called_json_is_told_the_header(http: httpx.AsyncClient, content_type: str) -> None:
    answer = await http.post("/items", content='{"number": 1}', headers={"Content-Type": content_type})
    assert answer.status_code == 422
    message = "is read as JSON only with the header Content-Type: application/json"
    assert answer.json()["errors"] == [{"field": "body", "message": message}]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "body.number: is missing"),
        ({"number": 1, "colour": "red"}, "body.colour: is not known"),
        ({"number": 1, "Station": ["A"]}, "body.Station: unknown; did you mean stations?"),
        ({"number": 1, "kind": "plane"}, "body.kind: must be one of plain, fancy"),
        ({"number": 1, "tint": "none"}, "body.tint: must be one of red, dark green"),
        ({"number": 1, "stations": [{"name": "A", "phases": [4]}]}, "body.stations.0.phases.0: must be one of 1, 2, 3"),
        ({"number": 1, "stations": ["A", {"phases": [1]}]}, "body.stations.1.name: is missing"),
        ({"number": 1, "stations": [7]}, "body.stations.0: must be a valid string, or must be a valid dictionary"),
    ],
)
async def test_of_several_forms_the_one_that_was_meant_is_told(http: httpx.AsyncClient, body: Any, detail: str) -> None:
    answer = await http.post("/items", json=body)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 1)
    assert answer.json()["detail"].startswith(detail)


def test_every_type_has_a_meaning() -> None:
    assert list(MEANINGS) == list(ProblemType)


def test_every_status_that_is_answered_has_a_type() -> None:
    sources = Path(problem_types.__file__).parents[2].rglob("*.py")
    said = {int(status) for one in sources for status in re.findall(r"Problem\(\s*(\d{3})\b", one.read_text())}
    assert said >= {404, 409, 415}
    assert said <= BY_STATUS.keys()


async def test_nothing_at_an_address_is_told_from_nothing_of_a_name(http: httpx.AsyncClient) -> None:
    problem = (await http.get("/nowhere")).json()
    assert (problem["type"], problem["detail"]) == (f"{URN}no-such-address", "there is nothing at /nowhere")
    assert Problem(404, "there is no such item").kind is ProblemType.NOT_FOUND


async def test_openapi_has_every_type() -> None:
    shown = app.openapi()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert shown == [URN + kind for kind in ProblemType]
