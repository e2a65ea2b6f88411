"""What the tests of pushed events share: services on the bus in memory, with empty tables."""

import pytest

from tests.conftest import Stack


@pytest.fixture(scope="module")
async def environment(stack: Stack) -> dict[str, str]:
    return await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
