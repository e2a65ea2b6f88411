"""What the tests of all REST APIs share."""

import pytest

from tests.conftest import Stack


@pytest.fixture(scope="session")
async def environment(stack: Stack) -> dict[str, str]:
    """Of a database with the tables of all services."""
    return await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
