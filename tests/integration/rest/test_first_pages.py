"""Where a person begins: `/` and `/docs` of every process, with nothing from elsewhere."""

import re
from urllib.parse import urljoin

import httpx
import pytest

from tests.integration.rest.serving import BUILDS, serving

LOADED = re.compile(r'(?:src|href)="([^"]*)"')


@pytest.mark.parametrize("name", [*BUILDS, "gateway"])
async def test_the_page_loads_what_the_process_serves(environment: dict[str, str], name: str) -> None:
    async with serving(name, environment) as served, httpx.AsyncClient() as http:
        page = await http.get(f"{served.url}/docs")
        assert page.headers["content-type"].startswith("text/html")
        assert "://" not in page.text
        loaded = [urljoin(f"{served.url}/docs", link) for link in LOADED.findall(page.text)]
        found = {link.rpartition("/")[2]: await http.get(link) for link in loaded}
        assert found.keys() == {"favicon.png", "swagger-ui.css", "swagger-ui-bundle.js", "start.js"}
        assert {answer.status_code for answer in found.values()} == {200}
        assert "SwaggerUIBundle" in found["swagger-ui-bundle.js"].text
        [document] = re.findall(r'url: "([^"]*)"', found["start.js"].text)
        described = await http.get(urljoin(f"{served.url}/docs", document))
        assert described.json()["info"]["title"] == f"Voltbus {name}"


async def test_the_page_may_load_nothing_from_elsewhere(environment: dict[str, str]) -> None:
    async with serving("gateway", environment) as served, httpx.AsyncClient() as http:
        policy = (await http.get(f"{served.url}/docs")).headers["content-security-policy"]
    sources = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert sources["default-src"] == "'none'"
    assert sources["script-src"] == "'self'"
    assert not re.search(r"https?:|\*", policy)


@pytest.mark.parametrize("name", [*BUILDS, "gateway"])
async def test_the_first_address_leads_to_everything(environment: dict[str, str], name: str) -> None:
    async with serving(name, environment) as served, httpx.AsyncClient() as http:
        first = (await http.get(served.url)).json()
        found = {page: (await http.get(link)).status_code for page, link in first["links"].items()}
        own = [one["url"] for one in first["services"] if one["name"] == name]
    assert first["name"] == f"Voltbus {name}"
    assert found == dict.fromkeys(["docs", "openapi", "health", "readiness", "metrics"], 200)
    assert [one["name"] for one in first["services"]] == list(BUILDS)
    assert own == ([] if name == "gateway" else [served.url])
