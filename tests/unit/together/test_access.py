"""Every route of the five processes asks who calls, and what each needs is what the page says."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from services.common.kafka.bus import Record
from services.common.process.service import Service, _add_operations
from services.common.testing.memory import MemoryBus
from services.common.web.access import Requirement, _groups
from services.common.web.openapi import operations
from services.common.web.roles import Role
from tests.conftest import SECRETS
from tests.integration.common.running import token
from tests.integration.rest.serving import BUILDS, built
from tests.patience import GIVE_UP
from voltbus.v1.state_pb2 import Registration

PROCESSES = (*BUILDS, "gateway")
# What needs no token, and why.
OPEN = {
    "/": "what the process is, and where the others are",
    "/docs": "the page of the API, which has nothing of the operator's",
    "/docs/start.js": "of that page",
    "/docs/files": "of that page",
    "/openapi.json": "what the page shows",
    "/all/": "as / and /docs, of all services",
    "/all/docs": "as / and /docs, of all services",
    "/all/docs/start.js": "of that page",
    "/all/docs/files": "of that page",
    "/all/openapi.json": "as /openapi.json, of all services",
    "/healthz": "the kubelet has no token",
    "/readyz": "the kubelet has no token",
    "/metrics": "Prometheus has none; network policies say who may ask",
}
ROW = re.compile(r"^\| (\w+) \| `(\w+) (\S+)` \|", re.MULTILINE)
# Of what a token that is limited to groups gets a part: the columns are the other way round.
PARTLY = re.compile(r"^\| `(\w+) (\S+)` \| (\w+) \|", re.MULTILINE)
# The list of commands is of one station then.
NAMES_STATION = {"/v1/commands"}


@pytest.fixture(scope="module")
def services() -> Mapping[str, Service]:
    made = {name: built(name, SECRETS, MemoryBus()) for name in PROCESSES}
    for service in made.values():
        _add_operations(service)
    return made


def requirements(of: Dependant | None) -> Iterator[Requirement]:
    """Of a route: its own, and those of the routers that it is in."""
    if of is None:
        return
    if isinstance(of.call, Requirement):
        yield of.call
    for one in of.dependencies:
        yield from requirements(one)


def calls(of: Dependant | None, wanted: object) -> bool:
    """Whether a route depends on something, by whatever way."""
    return of is not None and (of.call is wanted or any(calls(one, wanted) for one in of.dependencies))


def routes(service: Service) -> Iterator[tuple[str, RouteContext]]:
    for context in iter_route_contexts(service.app.routes):
        yield (context.path or "").replace(":path}", "}"), context


def rights(services: Mapping[str, Service]) -> Iterator[tuple[str, str, str, Requirement]]:
    """Process, method, path, and what it needs."""
    for name, service in services.items():
        for path, context in routes(service):
            for one in requirements(getattr(context, "dependant", None)):
                for method in context.methods or ():
                    yield name, method, path, one


@pytest.mark.parametrize("process", PROCESSES)
def test_every_route_asks_who_calls(services: Mapping[str, Service], process: str) -> None:
    asking = {path: list(requirements(getattr(one, "dependant", None))) for path, one in routes(services[process])}
    assert {path for path, found in asking.items() if not found} <= OPEN.keys()
    assert not {path for path, found in asking.items() if found} & OPEN.keys()
    assert {path: len(found) for path, found in asking.items() if len(found) > 1} == {}


def test_reading_needs_no_more_than_reading_and_acting_more(services: Mapping[str, Service]) -> None:
    for process, method, path, one in rights(services):
        assert (one.right.role == Role.READ_ONLY) == (method == "GET"), (process, method, path)
        assert one.right.scope.partition(":")[0] == process, (process, method, path)


def test_what_only_an_admin_may_do_is_on_the_page(services: Mapping[str, Service]) -> None:
    page = Path(__file__).parents[3] / "docs/access.md"
    told = {(process, method, path) for process, method, path in ROW.findall(page.read_text())}
    needed = {
        (process, method, path) for process, method, path, one in rights(services) if one.right.role == Role.ADMIN
    }
    everywhere = {(method, path) for _, method, path in needed if path.startswith("/v1/webhooks")}
    assert told == {(process, method, path) for process, method, path in needed if (method, path) not in everywhere} | {
        ("all", method, path) for method, path in everywhere
    }


def test_what_shows_a_part_to_a_token_of_some_groups_is_on_the_page(services: Mapping[str, Service]) -> None:
    """And whatever is let through for that asks for the groups; nothing else does."""
    filtered = {(process, method, _shown(path)) for process, method, path, one in rights(services) if one.filtered}
    asking = {
        (name, method, _shown(path))
        for name, service in services.items()
        for path, context in routes(service)
        if calls(getattr(context, "dependant", None), _groups)
        for method in context.methods or ()
    }
    assert filtered == asking
    acting = {(method, path) for _, method, path in filtered if method != "GET"}
    assert acting == {("POST", "/v1/commands/{command_id}/cancel")}
    page = Path(__file__).parents[3] / "docs/access.md"
    told = {(process, method, path) for method, path, process in PARTLY.findall(page.read_text())}
    everywhere = {(method, path) for _, method, path in filtered if path.startswith(("/v1/commands", "/v1/events"))}
    assert told == {one for one in filtered if one[1:] not in everywhere} | {("all", *one) for one in everywhere}
    assert all((process, *one) in filtered for process in BUILDS for one in everywhere)


@pytest.mark.parametrize("process", BUILDS)
async def test_a_token_of_one_group_gets_nothing_of_another(process: str) -> None:
    """Whatever it asks for: a station of another group is as one that there is not, and the rest is refused.

    What is filtered by its query goes on to Postgres, which is not there.
    """
    bus = MemoryBus()
    service = built(process, SECRETS, bus)
    groups = {"ours": ["vienna"], "theirs": ["graz"], "of-nobody": []}
    said = [(one, Registration(station_id=one, groups=names)) for one, names in groups.items()]
    await bus.publish([Record("registrations", one.encode(), state.SerializeToString()) for one, state in said])
    bearer = token(*(f"{process}:{right}" for right in ("read", "write")), voltbus_groups=["vienna"])
    reading = asyncio.create_task(service.tasks["stations"]())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://test") as http:
        http.headers["Authorization"] = f"Bearer {bearer}"
        async with asyncio.timeout(GIVE_UP):
            while not await _ready(service):
                await bus.wait()
        for path, one in routes(service):
            if not path.startswith("/v1"):
                continue
            for method in one.methods or ():
                for station in ("theirs", "of-nobody", "never-was"):
                    answer = await http.request(method, _filled(path, station))
                    where = (method, path, station, answer.text)
                    limited = "{station_id}" in path and not path.startswith("/v1/stations/refused")
                    needed = next(requirements(one.dependant))
                    if needed.filtered and path not in NAMES_STATION:
                        assert answer.status_code == 503, where
                        continue
                    assert answer.status_code == (404 if limited and needed.right.role != Role.ADMIN else 403), where
                    assert answer.json()["type"].rpartition(":")[2] in ("unknown-station", "not-allowed"), where
    reading.cancel()


async def _ready(service: Service) -> bool:
    return service.checks["stations"]() is True


def _shown(path: str) -> str:
    """The path of a route, without the kinds of its places."""
    return re.sub(r":\w+}", "}", path)


def _filled(path: str, station: str) -> str:
    """The address of a route, with something in each of its places."""
    path = path.replace("{station_id}", station).replace("{action:action}", "Reset")
    return re.sub("{[^}]*}", lambda place: str(uuid4()) if "uuid" in place[0] else "1", path)


@pytest.mark.parametrize("process", BUILDS)
def test_openapi_says_the_role_of_every_call(services: Mapping[str, Service], process: str) -> None:
    document: dict[str, Any] = services[process].app.openapi()
    found = 0
    for path, operation in operations(document):
        if path in OPEN:
            assert "security" not in operation, path
            continue
        [[role]] = [roles for one in operation["security"] for roles in one.values()]
        assert f"the role {Role(role)}" in operation["responses"]["403"]["description"]
        found += 1
    assert found > 10
