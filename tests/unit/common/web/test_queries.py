"""A query parameter that a call does not have is refused with the name that was meant."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, Query

from services.common.web.app import web_app

app = web_app("test")
things = APIRouter(prefix="/v1/things")


def selected(owner: str | None = None, kind: Annotated[str | None, Query(alias="of-kind")] = None) -> dict[str, Any]:
    return {"owner": owner, "kind": kind}


@things.get("")
async def page(selection: Annotated[dict[str, Any], Depends(selected)], station_id: str = "", limit: int = 50) -> Any:
    return {**selection, "station_id": station_id, "limit": limit}


@things.get("/many")
async def many(id: Annotated[list[str] | None, Query()] = None) -> Any:
    return id


@things.get("/{thing}")
async def one(thing: str) -> str:
    return thing


app.include_router(things)


@app.get("/probe")
async def probe() -> bool:
    return True


async def get(path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        return await http.get(path)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("station=CP1", "query.station: unknown; did you mean station_id?"),
        ("station_id=CP1&limits=3", "query.limits: unknown; did you mean limit?"),
        ("LIMIT=3", "query.LIMIT: unknown; did you mean limit?"),
        ("owners=me", "query.owners: unknown; did you mean owner?"),
        ("kind=a", "query.kind: unknown; did you mean of-kind?"),
        ("owner=me&owner=you", "query.owner: is there more than once"),
        ("xyzzy", "query.xyzzy: unknown; known are station_id, limit, owner, of-kind"),
    ],
)
async def test_what_is_unknown_names_what_is_meant(query: str, problem: str) -> None:
    answer = await get(f"/v1/things?{query}")
    assert (answer.status_code, answer.json()["detail"]) == (422, problem)


async def test_every_unknown_name_is_told_once() -> None:
    errors = (await get("/v1/things?station=a&station=b&limit=3&own=c")).json()["errors"]
    assert [error["field"] for error in errors] == ["query.station", "query.own"]


async def test_a_call_without_parameters_says_so() -> None:
    assert (await get("/v1/things/1?limit=3")).json()["detail"] == "query.limit: unknown; there are none"


async def test_what_is_known_is_taken() -> None:
    answer = await get("/v1/things?station_id=CP1&limit=3&owner=me&of-kind=a")
    assert answer.json() == {"owner": "me", "kind": "a", "station_id": "CP1", "limit": 3}


async def test_probes_may_say_what_they_like() -> None:
    assert (await get("/probe?at=12")).status_code == 200


async def test_a_list_is_given_by_one_name_many_times() -> None:
    assert (await get("/v1/things/many?id=a&id=b")).json() == ["a", "b"]
