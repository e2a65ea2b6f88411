"""The end of a gateway: its connections leave in waves, each when nothing of it is under way."""

import asyncio
import contextlib

from services.gateway.registry import Registry

WAVE_SECONDS, SMALLEST_WAVE = 0.1, 100


async def drain(registry: Registry, seconds: float) -> None:
    """Half of the time is for the waves, so that not all stations knock elsewhere at once; then none is waited for."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _waves(registry, seconds / 2)
            await registry.empty.wait()
    for connection in registry:
        connection.leave(at_once=True)


async def _waves(registry: Registry, seconds: float) -> None:
    leaving = list(registry)
    count = max(1, int(seconds / WAVE_SECONDS))
    size = max(SMALLEST_WAVE, -(-len(leaving) // count))
    for start in range(0, len(leaving), size):
        for connection in leaving[start : start + size]:
            connection.leave()
        await asyncio.sleep(WAVE_SECONDS if start + size < len(leaving) else 0)
