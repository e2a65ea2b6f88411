"""Who held which slot when: Redis is asked all the time, and gateways where it matters."""

import asyncio
from datetime import UTC, datetime

import httpx
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis
from redis.exceptions import RedisError

from voltbus.errors import LocalError
from voltbus.lab.chaos.observed import Observed

EVERY = 0.1
SLOTS = 16


async def watch(redis_url: str, observed: Observed) -> None:
    """Writes down every change of a slot's owner, until cancelled; what cannot be seen for a while is left out."""
    keys = [f"slot:{number}" for number in range(SLOTS)]
    known: list[str | None] = [None] * SLOTS
    async with Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1) as redis:
        while True:
            try:
                found = [owner.decode() if isinstance(owner, bytes) else owner for owner in await redis.mget(keys)]
            except (RedisError, OSError):
                found = [None] * SLOTS
            now = datetime.now(UTC)
            for slot, (before, owner) in enumerate(zip(known, found, strict=True)):
                if owner != before:
                    observed.owners[slot].append((now, owner))
            known = found
            await asyncio.sleep(EVERY)


async def slot(http: httpx.AsyncClient, gateway: str) -> int:
    """The slot that a gateway (its HTTP address) says it has. Raises LocalError."""
    try:
        page = (await http.get(f"{gateway}/metrics")).text
    except httpx.HTTPError as error:
        raise LocalError(f"no metrics from {gateway}: {type(error).__name__}") from None
    families = {family.name: family for family in text_string_to_metric_families(page)}
    return int(families["voltbus_gateway_slot"].samples[0].value)
