"""An app answers below its name as it does at its root; what it says of addresses, clients can follow."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Response
from pydantic import SecretStr
from starlette.requests import Request

from services.common.process.settings import CommonSettings
from services.common.web import one_address, overview
from services.common.web.access import Access, TokenFirst
from services.common.web.app import web_app
from services.common.web.files import is_file
from services.common.web.overview import Services
from services.common.web.request_metrics import REQUESTS, RequestMetrics

MEANINGS = {"auth": "who may charge", "firmware": "what stations are"}
SECRET = SecretStr("a secret of the tests, long enough for HS256")
ONE = "https://csms.example"
things = APIRouter(prefix="/v1/things")


@things.post("/{thing}")
async def make(thing: str, response: Response) -> str:
    response.headers["Location"] = f"/v1/things/{thing}"
    return thing


@things.get("/{thing}")
async def one(thing: str, request: Request, kind: str = "") -> dict[str, str]:
    return {"thing": thing, "kind": kind, "firmware": request.app.state.services.address("firmware", request)}


async def ask(url: str, method: str = "GET", /, *, tokens: bool = False, **settings: Any) -> httpx.Response:
    app, given = web_app("auth", "Who may connect."), CommonSettings(jwt_secret=SECRET, **settings)
    app.state.services = Services(given, MEANINGS)
    overview.install(app, app.state.services)
    one_address.install(app, app.state.services)
    app.include_router(things)
    if tokens:
        app.add_middleware(TokenFirst, access=Access(given))
    app.add_middleware(RequestMetrics)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        return await http.request(method, url)


async def get(url: str, /, **settings: Any) -> Any:
    answer = await ask(url, **settings)
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("prefix", ["", "/auth"])
async def test_what_is_at_the_root_is_below_the_name(prefix: str) -> None:
    found = await get(f"http://localhost:9081{prefix}/v1/things/one?kind=a")
    assert (found["thing"], found["kind"]) == ("one", "a")
    made = await ask(f"http://localhost:9081{prefix}/v1/things/one", "POST")
    assert made.headers["location"] == f"{prefix}/v1/things/one"


@pytest.mark.parametrize("path", ["/authv1/things/one", "/firmware/v1/things/one", "/auth/auth/v1/things/one"])
async def test_what_is_not_below_the_name_is_nowhere(path: str) -> None:
    answer = await ask(f"http://localhost:9081{path}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"there is nothing at {path}"


@pytest.mark.parametrize("prefix", ["", "/auth"])
async def test_what_is_checked_is_checked_there_too(prefix: str) -> None:
    url = f"http://localhost:9081{prefix}/v1/things/one"
    assert (await ask(url, tokens=True)).status_code == 401
    misspelt = (await ask(f"{url}?kin=a")).json()
    assert misspelt["detail"] == "query.kin: unknown; did you mean kind?"
    scope = {"type": "http", "method": "POST", "path": f"{prefix}/v1/stations/import", "root_path": prefix}
    assert is_file(Request(scope))


async def test_requests_are_counted_by_route_wherever_they_came() -> None:
    def counted() -> float:
        samples = (sample for metric in REQUESTS.collect() for sample in metric.samples)
        route = {"method": "GET", "route": "/v1/things/{thing}", "status": "2xx"}
        return sum(sample.value for sample in samples if sample.labels == route)

    before = counted()
    await get("http://localhost:9081/v1/things/one")
    await get("http://localhost:9081/auth/v1/things/one")
    assert counted() == before + 2


@pytest.mark.parametrize("path", ["/auth", "/auth/"])
async def test_links_are_below_the_name(path: str) -> None:
    said = await get(f"http://localhost:8080{path}")
    assert said["links"]["docs"] == "http://localhost:8080/auth/docs"
    assert [one["url"] for one in said["services"]] == ["http://localhost:8080/auth", "http://localhost:8080/firmware"]


async def test_the_others_are_beside_it() -> None:
    assert (await get("http://localhost:8080/auth/v1/things/one"))["firmware"] == "http://localhost:8080/firmware"
    assert (await get("http://localhost:9081/v1/things/one"))["firmware"] == "http://localhost:9084"


async def test_one_address_that_is_set_goes_before_what_was_called_and_an_address_before_it() -> None:
    inside = "http://10.0.0.7:9081/auth/v1/things/one"
    assert (await get(inside, url=f"{ONE}/"))["firmware"] == f"{ONE}/firmware"
    assert (await get("http://10.0.0.7:9081/v1/things/one", url=ONE))["firmware"] == f"{ONE}/firmware"
    assert (await get(inside, url=ONE, addresses={"firmware": "https://f.example"}))["firmware"] == "https://f.example"
    assert (await get("http://10.0.0.7:9081/auth/", url=ONE))["links"]["docs"] == f"{ONE}/auth/docs"
    assert (await get("http://10.0.0.7:9081/", url=ONE))["links"]["docs"] == "http://10.0.0.7:9081/docs"


async def test_its_document_says_where_it_is() -> None:
    assert "servers" not in await get("http://localhost:9081/openapi.json")
    assert (await get("http://localhost:9081/auth/openapi.json"))["servers"] == [{"url": "/auth"}]


@pytest.mark.parametrize("prefix", ["", "/auth", "/all", "/auth/all"])
async def test_the_page_finds_its_files(prefix: str) -> None:
    for path in ("/docs", "/docs/start.js", "/docs/files/swagger-ui.css", "/openapi.json", "/"):
        assert (await ask(f"http://localhost:9081{prefix}{path}")).status_code == 200, path


@pytest.mark.parametrize(("settings", "address"), [({}, "http://localhost:8080"), ({"url": ONE}, ONE)])
async def test_the_first_page_of_the_one_address(settings: dict[str, str], address: str) -> None:
    said = await get("http://localhost:8080/all/", **settings)
    assert said["name"] == "Voltbus"
    assert said["links"] == {"docs": f"{address}/docs", "openapi": f"{address}/openapi.json"}
    assert [one["url"] for one in said["services"]] == [f"{address}/auth", f"{address}/firmware"]
