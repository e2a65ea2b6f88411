"""REST requests as metrics: by route, never by what a client has written."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse

from services.common.process.fast_metrics import FastCounter, FastHistogram
from services.common.web import request_metrics
from services.common.web.request_metrics import RequestMetrics

GET = ("GET", "/v1/stations/{station_id}")


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_metrics, "REQUESTS", FastCounter("requests", "", ("method", "route", "status")))
    monkeypatch.setattr(request_metrics, "SECONDS", FastHistogram("seconds", "", ("method", "route"), (1,)))


def made() -> FastAPI:
    routes = APIRouter()

    @routes.get("/{station_id}")
    async def station(station_id: str) -> str:
        return station_id

    @routes.post("/{station_id}")
    async def fails(station_id: str) -> None:
        raise ValueError(station_id)

    @routes.get("/{station_id}/tail")
    async def tail(station_id: str) -> StreamingResponse:
        return StreamingResponse(iter([station_id]))

    outer = APIRouter()
    outer.include_router(routes, prefix="/v1/stations")
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(outer)
    app.add_api_route("/metrics", lambda: "")
    app.add_middleware(RequestMetrics)
    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(made(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def counts() -> dict[tuple[str, ...], int]:
    return {labels: count for labels, count in request_metrics.REQUESTS._counts.items() if count}


async def test_by_route_and_status(http: httpx.AsyncClient) -> None:
    for station in ("CP1", "CP2"):
        await http.get(f"/v1/stations/{station}")
    await http.post("/v1/stations/CP1")
    await http.delete("/v1/stations/CP1")
    assert counts() == {
        (*GET, "2xx"): 2,
        ("POST", GET[1], "5xx"): 1,
        ("DELETE", GET[1], "4xx"): 1,
    }
    assert sum(request_metrics.SECONDS._counts[GET]) == 2


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing/x"), ("BREW", "/nothing/y"), ("SPOON", "/z")])
async def test_what_clients_make_up_makes_no_series(http: httpx.AsyncClient, method: str, path: str) -> None:
    await http.request(method, path)
    [(said, route, status)] = counts()
    assert (said in ("GET", "other"), route, status) == (True, "", "4xx")


async def test_operations_are_left_out(http: httpx.AsyncClient) -> None:
    await http.get("/metrics")
    assert counts() == {}


async def test_an_answer_that_goes_on_is_timed_to_its_beginning(http: httpx.AsyncClient) -> None:
    await http.get("/v1/stations/CP1/tail")
    assert counts() == {("GET", "/v1/stations/{station_id}/tail", "2xx"): 1}
    assert sum(request_metrics.SECONDS._counts["GET", "/v1/stations/{station_id}/tail"]) == 1


def test_every_route_begins_at_0() -> None:
    request_metrics.begin(made().routes)
    begun = {status for *route, status in request_metrics.REQUESTS._counts if tuple(route) == GET}
    assert begun == {"2xx", "4xx", "5xx"}
    assert not [labels for labels in request_metrics.REQUESTS._counts if labels[1] == "/metrics"]
