"""A fleet registers itself as anybody would: once, and again."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from voltbus.errors import LocalError
from voltbus.simulator.fleet.fleet import Fleet, FleetPlan, build
from voltbus.simulator.fleet.register import Registrar

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN = FleetPlan(stations=30, seed=5)


def fleet() -> Fleet:
    return build(PLAN, lambda: NOW)


class Auth:
    """As auth answers; a few connections are closed under the client's feet."""

    def __init__(self) -> None:
        self.stations: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.requests % 10 == 0:
            raise httpx.RemoteProtocolError("closed")
        path = request.url.path.split("/")[2:]
        body = json.loads(request.content or b"{}")
        match request.method, path:
            case "PUT", ["stations", name]:
                known = name in self.stations
                self.stations[name] = body
                return (
                    httpx.Response(200, json={}) if known else httpx.Response(201, json={"password": f"first {name}"})
                )
            case "POST", ["stations", name, "password"]:
                return httpx.Response(200, json={"password": f"next {name}"})
            case "PUT", ["tokens", token]:
                self.tokens[token] = body["status"]
                return httpx.Response(201, json=body)
        return httpx.Response(404)


async def register(made: Fleet, answer: Callable[[httpx.Request], httpx.Response]) -> int:
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        await Registrar(http, "http://auth").register(made, count)
    return done


async def test_it_registers_once_and_again() -> None:
    auth = Auth()
    for word in ("first", "next"):
        made = fleet()
        known = [driver for driver in made.drivers if driver.registered]
        assert await register(made, auth) == len(made.machines) + len(known)
        assert {machine.charger.password for machine in made.machines} == {
            f"{word} {machine.charger.id}" for machine in made.machines
        }
    assert auth.stations["FLEET-001"]["group"] == "fleet"
    assert auth.tokens == {driver.id_token: driver.status for driver in known}
    assert set(auth.tokens.values()) == {"Accepted", "Blocked"}
    assert len(known) < len(made.drivers)


async def test_a_stack_with_other_secrets() -> None:
    with pytest.raises(
        LocalError, match=r"^auth at http://auth refused to register the fleet \(401 Unauthorized\): is"
    ):
        await register(fleet(), lambda _: httpx.Response(401))


async def test_nobody_there() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(LocalError, match=r"^nothing answers at http://auth: start it with `make run`"):
        await register(fleet(), refuse)
