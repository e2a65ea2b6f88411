"""GET / says what a process is and where everything is, as whoever asks can reach it."""

from typing import Any

import httpx
import pytest

from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from services.common.web import overview
from services.common.web.app import web_app
from services.common.web.overview import Services

MEANINGS = {"auth": "who may charge", "firmware": "what stations are"}


async def get(url: str, **settings: Any) -> Any:
    app = web_app("auth", "Who may connect.")
    overview.install(app, Services(CommonSettings(**settings), MEANINGS))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        return (await http.get(url)).json()


async def test_it_says_what_the_process_is() -> None:
    said = await get("http://localhost:9081/")
    assert (said["name"], said["description"]) == ("Voltbus auth", "Who may connect.")
    assert said["version"]


async def test_its_links_are_below_the_address_that_was_called() -> None:
    links = (await get("http://csms.example:8080/"))["links"]
    assert links["docs"] == "http://csms.example:8080/docs"
    assert links["health"] == "http://csms.example:8080/healthz"


async def test_services_are_at_their_ports_on_the_host_that_was_called() -> None:
    said = await get("http://10.0.0.7:9081/", firmware_port=19084)
    assert said["services"] == [
        {"name": "auth", "url": "http://10.0.0.7:9081", "description": "who may charge"},
        {"name": "firmware", "url": "http://10.0.0.7:19084", "description": "what stations are"},
    ]


async def test_an_address_that_is_set_goes_before() -> None:
    said = await get("http://10.0.0.7:9081/", addresses={"firmware": "https://csms.example/firmware/"})
    assert [one["url"] for one in said["services"]] == ["http://10.0.0.7:9081", "https://csms.example/firmware"]


def test_an_address_of_no_service_is_a_mistake() -> None:
    settings = CommonSettings(addresses={"billing": "https://csms.example"})
    with pytest.raises(Misconfigured, match="'billing', only auth, firmware"):
        Services(settings, MEANINGS)
