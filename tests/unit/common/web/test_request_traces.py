"""REST requests as beginnings of traces, or as parts of those of who calls."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.common.process.tracing import TRACED
from services.common.web.app import web_app
from services.common.web.request_traces import RequestTraces
from tests.clients.spans import MemorySpans

CALLER = f"00-{'c' * 32}-{'d' * 16}"


@pytest.fixture
def spans() -> MemorySpans:
    return MemorySpans()


@pytest.fixture
async def http(spans: MemorySpans) -> AsyncIterator[httpx.AsyncClient]:
    app = web_app("auth")

    async def token(id_token: str) -> str:
        if id_token == "fails":
            raise ValueError(id_token)
        whole = (traced := TRACED.get()) and traced.whole
        return whole.trace_id if whole else ""

    app.add_api_route("/v1/tokens/{id_token}", token)
    app.add_api_route("/healthz", lambda: "")
    app.add_middleware(RequestTraces, tracing=spans.tracing(0.5))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_a_request_is_a_part_of_its_callers_trace_and_says_its_route_not_its_path(
    http: httpx.AsyncClient, spans: MemorySpans
) -> None:
    answer = await http.get("/v1/tokens/CARD-1?", headers={"traceparent": f"{CALLER}-01"})
    [span] = spans.all
    assert answer.json() == span.trace_id == "c" * 32
    assert (span.name, span.kind, span.parent) == ("GET /v1/tokens/{id_token}", "server", "d" * 16)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/tokens/{id_token}",
        "http.response.status_code": 200,
    }
    assert (span.ends, span.failure) == ([None], "")
    assert TRACED.get() is None


async def test_what_its_caller_does_not_trace_is_not_whatever_the_share(
    http: httpx.AsyncClient, spans: MemorySpans
) -> None:
    for _ in range(20):
        assert (await http.get("/v1/tokens/CARD-1", headers={"traceparent": f"{CALLER}-00"})).json() == ""
    assert spans.all == []


async def test_only_the_api_is_traced(http: httpx.AsyncClient, spans: MemorySpans) -> None:
    await http.get("/healthz", headers={"traceparent": f"{CALLER}-01"})
    assert spans.all == []
    await http.get("/auth/v1/tokens/CARD-1", headers={"traceparent": f"{CALLER}-01"})
    await http.get("/v1/tokens/CARD-1", headers={"traceparent": f"{CALLER}-01"})
    assert spans.all[-1].name == "GET /v1/tokens/{id_token}"


async def test_what_fails_here_is_an_error_without_its_text(http: httpx.AsyncClient, spans: MemorySpans) -> None:
    assert (await http.get("/v1/tokens/fails", headers={"traceparent": f"{CALLER}-01"})).status_code == 500
    assert (spans.all[0].failure, spans.all[0].attributes["http.response.status_code"]) == ("500", 500)


async def test_what_is_refused_is_none(http: httpx.AsyncClient, spans: MemorySpans) -> None:
    assert (await http.get("/v1/nothing", headers={"traceparent": f"{CALLER}-01"})).status_code == 404
    assert (spans.all[0].name, spans.all[0].failure) == ("GET", "")
    assert "http.route" not in spans.all[0].attributes
