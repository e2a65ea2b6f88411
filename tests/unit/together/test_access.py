"""Every route of the five processes asks who calls, and what each needs is what the page says."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from services.common.process.service import Service, _add_operations
from services.common.testing.memory import MemoryBus
from services.common.web.access import Requirement
from services.common.web.openapi import operations
from services.common.web.roles import Role
from tests.conftest import SECRETS
from tests.integration.rest.serving import BUILDS, built

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
