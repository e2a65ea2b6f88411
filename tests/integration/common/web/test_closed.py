"""Every address below /v1 of every service is closed: without a token, and with one that lacks the scope."""

import re
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from uuid import uuid4

import pytest

from services.ocpp.services import SERVICES
from tests.conftest import Stack
from tests.integration.common.running import Running, running, settings_of, token


@pytest.fixture(scope="module")
async def environment(stack: Stack) -> dict[str, str]:
    return await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}


@pytest.fixture(params=SERVICES)
async def service(request: pytest.FixtureRequest, environment: dict[str, str]) -> AsyncIterator[Running]:
    name = request.param
    kind = import_module(f"services.{name}.settings").Settings
    build = import_module(f"services.{name}.app").build
    async with running(name, build, settings_of(kind, environment)) as world:
        yield world


def operations(service: Running) -> Iterator[tuple[str, str]]:
    """(method, path) of everything that OpenAPI tells of, each parameter filled in."""
    for path, methods in service.service.app.openapi()["paths"].items():
        if path.startswith("/v1"):
            filled = re.sub("{(command|batch)_id}", str(uuid4()), path)
            filled = re.sub("{.*?}", "1", filled)
            yield from ((method.upper(), filled) for method in methods)


async def test_nothing_is_open(service: Running) -> None:
    others = {f"{name}:{right}" for name in SERVICES for right in ("read", "write")}
    others -= {f"{service.name}:read", f"{service.name}:write"}
    bearers = {"": 401, "Bearer nonsense": 401, f"Bearer {token(*others)}": 403}
    found = list(operations(service))
    assert ("GET", "/v1/commands") in found
    for method, path in found:
        for bearer, status in bearers.items():
            answer = await service.http.request(method, path, headers={"Authorization": bearer})
            assert answer.status_code == status, (method, path, bearer, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


async def test_what_changes_something_needs_the_right_to_write(service: Running) -> None:
    reader = {"Authorization": f"Bearer {token(f'{service.name}:read')}"}
    for method, path in operations(service):
        if method != "GET":
            answer = await service.http.request(method, path, headers=reader)
            assert answer.status_code == 403, (method, path)
