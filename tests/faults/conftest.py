"""One whole Voltbus for all fault tests, supervised as `make run` does it, its events as JSON."""

from collections.abc import AsyncIterator

import pytest

from tests.clients import rpc, system
from tests.conftest import Stack


@pytest.fixture(scope="package")
async def voltbus(stack: Stack) -> AsyncIterator[system.System]:
    """The processes; whatever dies is started again. The gateway lets a CALL go soon, so that retries come through."""
    settings = {"VOLTBUS_EVENTS_FORMAT": "json", "VOLTBUS_CALL_TIMEOUT": "6"}
    async with system.running(stack.servers, await stack.fresh(), **settings) as started:
        yield started


@pytest.fixture(scope="package")
async def node() -> AsyncIterator[rpc.Node]:
    """The process that plays stations with ocpp-rpc."""
    async with rpc.node() as started:
        yield started
