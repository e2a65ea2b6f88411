"""One command for many stations at once, of both versions: each has a result of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from services.ocpp.versions import VERSIONS
from tests.clients.rpc import Node
from tests.clients.system import System, eventually
from tests.e2e.triggers import ACCEPTED, HEARTBEAT, TRIGGER

GROUP = "group-of-many"
# Each does something else with it.
ANSWERS: Mapping[str, Any] = {
    "many-accepts-1.6": ACCEPTED,
    "many-accepts-2.0.1": ACCEPTED,
    "many-refuses-1.6": {"error": "InternalError"},
    "many-rejects-2.0.1": {"status": "Rejected"},
}
AWAY = "many-away-1.6"
ENDS = {
    "many-accepts-1.6": ("answered", ACCEPTED),
    "many-accepts-2.0.1": ("answered", ACCEPTED),
    "many-refuses-1.6": ("refused", None),
    "many-rejects-2.0.1": ("answered", {"status": "Rejected"}),
    AWAY: ("expired", None),
}


@pytest.fixture(scope="module", autouse=True)
async def _stations(voltbus: System, node: Node) -> AsyncIterator[None]:
    """Stations of one group on both gateways, and one that is away."""
    async with AsyncExitStack() as leaving:
        await voltbus.register(AWAY, group=GROUP)
        for number, (name, answer) in enumerate(ANSWERS.items()):
            password = await voltbus.register(name, group=GROUP)
            endpoint = voltbus.endpoint(voltbus.gateways[number % 2])
            protocol = VERSIONS[name.rpartition("-")[2]].subprotocol
            station = await node.connect(endpoint, name, protocol, password, answers={TRIGGER: answer})
            leaving.push_async_callback(station.close)
        yield


async def give(voltbus: System, **body: Any) -> httpx.Response:
    """Waits until all have answered, but for the one that is away: it has three seconds to come."""
    many = {"payload": HEARTBEAT} | body
    query = {"wait": "20", "expires_in": "3"}
    return await voltbus.ask("POST", "firmware", f"/v1/commands/{TRIGGER}", json=many, params=query)


def ends(told: Any) -> dict[str, tuple[str, Any]]:
    return {it["station_id"]: (it["outcome"], it["response"]) for it in told["commands"]["items"]}


async def test_stations_by_name(voltbus: System) -> None:
    given = await give(voltbus, stations=list(ENDS))
    told = given.json()
    assert (given.status_code, ends(told)) == (200, ENDS)
    assert (told["stations"], told["open"]) == (5, 0)
    assert told["by_status"] == {"answered": 3, "rejected": 1, "expired": 1}
    path = f"/v1/batches/{told['batch_id']}"
    assert given.headers["Location"] == path
    assert await voltbus.get("firmware", path) == told
    page = await voltbus.get("firmware", "/v1/commands", batch_id=told["batch_id"])
    assert page == told["commands"]
    for command in page["items"]:
        [*_, last] = await voltbus.life(command["station_id"], command["command_id"], command["outcome"])
        assert last.body.batch_id == told["batch_id"]


@pytest.mark.parametrize(
    ("more", "chosen"),
    [
        ({}, set(ENDS)),
        ({"version": "1.6"}, {"many-accepts-1.6", "many-refuses-1.6"}),
        ({"version": "2.0.1"}, {"many-accepts-2.0.1", "many-rejects-2.0.1"}),
    ],
)
async def test_stations_by_a_filter(voltbus: System, more: dict[str, str], chosen: set[str]) -> None:
    """Services hear of groups and of what stations are a moment after."""
    given = await eventually(
        lambda: give(voltbus, filter={"group": GROUP} | more), lambda given: given.json().get("stations") == len(chosen)
    )
    assert ends(given.json()) == {name: ENDS[name] for name in chosen}


async def test_a_filter_that_fits_no_station(voltbus: System) -> None:
    refused = await give(voltbus, filter={"group": "nobody is in it"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (404, "body.filter")


async def test_a_payload_that_no_version_can_say(voltbus: System) -> None:
    refused = await give(voltbus, stations=list(ENDS), payload={"requestedMessage": "MakeCoffee"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "body.payload.requestedMessage"


async def test_a_payload_that_one_version_can_say(voltbus: System) -> None:
    """The stations of the other are told apart: theirs cannot be rendered."""
    payload = {"requestedMessage": "DiagnosticsStatusNotification"}
    told = (await give(voltbus, stations=["many-accepts-1.6", "many-accepts-2.0.1"], payload=payload)).json()
    assert {name: outcome for name, (outcome, _) in ends(told).items()} == {
        "many-accepts-1.6": "answered",
        "many-accepts-2.0.1": "unrenderable",
    }


async def test_the_same_idempotency_key(voltbus: System) -> None:
    path, headers = f"/v1/commands/{TRIGGER}?wait=10", {"Idempotency-Key": "key of many"}
    body = {"stations": ["many-accepts-1.6"], "payload": HEARTBEAT}
    first, again = [await voltbus.ask("POST", "firmware", path, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, first.json()) == (200, again.json())
    other = body | {"stations": ["many-accepts-2.0.1"]}
    assert (await voltbus.ask("POST", "firmware", path, json=other, headers=headers)).status_code == 409
