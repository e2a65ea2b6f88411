"""Commands that are not taken at all: nothing is kept, nothing is sent, and the problem says what is wrong."""

from typing import Any

import pytest

from services.ocpp.commands import owners
from services.ocpp.versions import VERSIONS, Version
from tests.clients.system import System, bearer
from tests.contract import examples
from tests.e2e.conftest import Connect, Known
from tests.e2e.triggers import HEARTBEAT, TRIGGER, each_version, ended, works


@each_version
@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"requestedMessage": "MakeCoffee"}, "body.requestedMessage"),
        ({}, "body.requestedMessage"),
        (HEARTBEAT | {"noSuchProperty": 1}, "body.noSuchProperty"),
        ([], "body"),
    ],
)
async def test_a_payload_that_breaks_the_schema_of_the_stations_version(
    voltbus: System, known: Known, connect: Connect, version: Version, payload: Any, field: str
) -> None:
    """Nothing is kept, and nothing is sent."""
    station = await connect(version.subprotocol)
    refused = await voltbus.command(known.id, TRIGGER, payload)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    await works(voltbus, known, station)
    assert station.asked.qsize() == 1
    given = await voltbus.get("firmware", "/v1/commands", station_id=known.id)
    assert [ended(command) for command in given["items"]] == [("answered", "answered")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{nonsense", 422),
        (b"\xff", 422),
        (b'{"requestedMessage":"\\ud800"}', 422),
        (b'{"requestedMessage":' * 10_000, 422),
        (b'{"requestedMessage":' + b"[" * 300 + b"]" * 300 + b"}", 422),
        (b'{"requestedMessage":"' + b"x" * 300_000 + b'"}', 413),
    ],
    ids=["empty", "no JSON", "no UTF-8", "half a character", "without an end", "deep", "large"],
)
async def test_a_body_that_is_no_payload(voltbus: System, known: Known, body: bytes, status: int) -> None:
    path = f"/v1/stations/{known.id}/commands/{TRIGGER}"
    refused = await voltbus.ask("POST", "firmware", path, content=body)
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("query", [{"wait": -1}, {"wait": 61}, {"wait": "long"}, {"expires_in": 0}])
async def test_a_time_that_cannot_be(voltbus: System, known: Known, query: dict[str, Any]) -> None:
    refused = await voltbus.command(known.id, TRIGGER, HEARTBEAT, **query)
    [name] = query
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, [f"query.{name}"])


@each_version
async def test_every_rule_of_every_schema(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    """Each keyword of each action's schema, broken once."""
    station = await connect(version.subprotocol)
    for action, owner in version.to_station.items():
        for keyword, payload in dict(examples.broken(version.schemas.request_document(action))).items():
            refused = await voltbus.command(known.id, action, payload, owner=owner)
            assert refused.status_code == 422, (action, keyword, payload)
            [error] = refused.json()["errors"]
            assert error["field"].partition(".")[0] == "body"
    await station.call("Heartbeat", {})
    assert station.asked.empty()


@each_version
async def test_an_action_of_another_version(voltbus: System, known: Known, connect: Connect, version: Version) -> None:
    await connect(version.subprotocol)
    every = {action for one in VERSIONS.values() for action in one.to_station}
    for action in sorted(every - version.to_station.keys()):
        refused = await voltbus.command(known.id, action, {})
        assert (refused.status_code, refused.json()["detail"]) == (409, f"OCPP {version.name} has no {action}")


async def test_an_action_that_nobody_knows(voltbus: System, known: Known) -> None:
    refused = await voltbus.command(known.id, "MakeCoffee", {}, owner="firmware")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (404, "path.action")


async def test_an_action_of_another_service(voltbus: System, known: Known) -> None:
    """Each service knows who owns it."""
    for action, owner in owners().items():
        for other in {*owners().values()} - {owner}:
            refused = await voltbus.command(known.id, action, {}, owner=other)
            assert refused.status_code == 404
            problem = refused.json()
            assert problem["type"] == "urn:voltbus:problem:other-service"
            assert problem["detail"].startswith(f"{action} belongs to {owner}: {voltbus.processes.rest(owner)}/v1/")


async def test_who_may_not(voltbus: System, known: Known) -> None:
    """No token; a token that may only read; one that may write elsewhere."""
    path = f"/v1/stations/{known.id}/commands/{TRIGGER}"
    for scope, status in ((None, 401), ("firmware:read auth:write", 403), ("", 403)):
        headers = {"Authorization": bearer(voltbus.env, scope) if scope is not None else ""}
        refused = await voltbus.ask("POST", "firmware", path, json=HEARTBEAT, headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert not (await voltbus.get("firmware", "/v1/commands", station_id=known.id))["items"]
