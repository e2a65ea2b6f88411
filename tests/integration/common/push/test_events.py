"""GET /v1/events of a service as it runs, over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.common.process.clock import now
from tests.integration.common.running import token
from tests.integration.rest.serving import Serving, serving
from tests.patience import GIVE_UP
from tests.unit.common.push.events import boots, record
from voltbus.v1.events_pb2 import StationBooted


@pytest.fixture(scope="module")
async def firmware(environment: dict[str, str]) -> AsyncIterator[Serving]:
    async with serving("firmware", environment) as served:
        yield served


def headers(served: Serving, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {served.token}", **more}


async def blocks(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Those that say something, by field."""
    block: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if not line:
            if "data" in block:
                yield block
            block = {}
        elif name:
            block[name] = value


async def taken(found: AsyncIterator[dict[str, str]], count: int) -> list[dict[str, str]]:
    async with asyncio.timeout(GIVE_UP):
        return [await anext(found) for _ in range(count)]


async def test_events_of_one_group_and_on_after_a_lost_connection(firmware: Serving) -> None:
    query: dict[str, Any] = {"group": "vienna", "type": ["StationBooted", "stationconnected"]}
    async with httpx.AsyncClient(base_url=firmware.url, headers=headers(firmware), timeout=GIVE_UP) as http:
        async with http.stream("GET", "/v1/events", params=query) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            await firmware.bus.publish([*boots("elsewhere", [0]), *boots("vienna-1", [1, 2])])
            first, second = await taken(blocks(answer), 2)
        assert json.loads(first["data"])["subject"] == "vienna-1"
        assert json.loads(second["data"])["data"] == {"station_id": "vienna-1", "reason": "2"}
        await firmware.bus.publish(boots("vienna-2", [3]))
        back = {"Last-Event-ID": first["id"]}
        async with http.stream("GET", "/v1/events", params=query, headers=back) as answer:
            again = [json.loads(one["data"])["data"]["reason"] for one in await taken(blocks(answer), 2)]
        assert sorted(again) == ["2", "3"]


async def test_a_token_that_is_limited_to_groups_follows_their_events(firmware: Serving) -> None:
    """Whatever it asks for; of others not even that something happened."""
    begin = now()
    await firmware.bus.publish([*boots("elsewhere", [0]), *boots("vienna-1", [1]), *boots("vienna-2", [2])])
    moved = StationBooted(station_id="vienna-2", reason="of before", groups=["graz"])
    await firmware.bus.publish([record(moved, "vienna-2")])
    for groups, query, expected in (
        (["vienna", "linz"], {}, {"1", "2"}),
        (["vienna"], {"station_id": ["elsewhere", "vienna-1"]}, {"1"}),
        (["vienna"], {"group": "graz"}, set()),
        (["graz"], {}, {"of before"}),
        ([], {}, set()),
        (["*"], {}, {"0", "1", "2", "of before"}),
    ):
        bearer = {"Authorization": f"Bearer {token('firmware:read', voltbus_groups=groups)}"}
        asked = {"since": begin.isoformat(), "follow": "false"} | query
        async with httpx.AsyncClient(base_url=firmware.url, headers=bearer, timeout=GIVE_UP) as http:
            answer = await http.get("/v1/events", params=asked)
        told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
        assert {event["data"]["reason"] for event in told} == expected, (groups, query)


async def test_events_of_one_location(firmware: Serving) -> None:
    """By what they say of it themselves."""
    begin = now()
    places = {"CP1": "garage", "CP2": "yard", "CP3": "garage"}
    for name, place in places.items():
        await firmware.bus.publish([record(StationBooted(station_id=name, location_id=place), name)])
    query = {"since": begin.isoformat(), "location_id": "garage", "follow": "false"}
    async with httpx.AsyncClient(base_url=firmware.url, headers=headers(firmware), timeout=GIVE_UP) as http:
        answer = await http.get("/v1/events", params=query)
    told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert {event["subject"] for event in told} == {"CP1", "CP3"}


async def test_what_there_was_since_a_time_and_no_more(firmware: Serving) -> None:
    begin = now()
    await firmware.bus.publish(boots("CP9", range(300)))
    query = {"since": begin.isoformat(), "station_id": "CP9", "follow": "false"}
    async with httpx.AsyncClient(base_url=firmware.url, headers=headers(firmware), timeout=GIVE_UP) as http:
        answer = await http.get("/v1/events", params=query)
    told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert [event["data"]["reason"] for event in told] == [str(number) for number in range(300)]


@pytest.mark.parametrize(
    ("query", "given", "message"),
    [
        ({"type": "StationBoted"}, {}, "query.type: there is no event StationBoted; did you mean StationBooted?"),
        ({"type": "TransactionEnded"}, {}, "query.type: there is no event TransactionEnded; "),
        ({"station": "CP1"}, {}, "query.station: unknown; did you mean station_id?"),
        ({"since": "yesterday"}, {}, "query.since: must be a time of RFC 3339"),
        ({}, {"Last-Event-ID": "auth:1.2"}, "header.last-event-id: is not the id of an event of firmware"),
    ],
)
async def test_what_is_wrong_is_said(
    firmware: Serving, query: dict[str, str], given: dict[str, str], message: str
) -> None:
    async with httpx.AsyncClient(base_url=firmware.url, headers=headers(firmware, **given)) as http:
        answer = await http.get("/v1/events", params=query)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(message)
