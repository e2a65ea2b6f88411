"""What an administrator asks of Kafka: a client for it, by settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from services.common.kafka.client import start
from services.common.kafka.security import client_options
from services.common.process.settings import CommonSettings


@asynccontextmanager
async def administrator(settings: CommonSettings) -> AsyncIterator[Any]:
    """An aiokafka.admin.AIOKafkaAdminClient, for as long as the block. Raises Unavailable and Misconfigured."""
    options = client_options(settings)
    admin = AIOKafkaAdminClient(**options)
    await start(admin, options)
    try:
        yield admin
    finally:
        await admin.close()
