"""A running gateway for the tests that need sockets."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.gateway.running import Running, running


@pytest.fixture
async def one() -> AsyncIterator[Running]:
    async with running() as started:
        yield started
