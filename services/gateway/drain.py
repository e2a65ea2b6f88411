"""The end of a gateway: its connections are closed in waves, each when nothing of it is under way."""

import asyncio
import contextlib

from services.gateway.registry import Registry

SMALLEST_WAVE = 100


async def drain(registry: Registry, seconds: float, wave: float) -> None:
    """Half of the time is for the waves, so that stations do not all reconnect at once; then none is waited for.

    wave: seconds between two of them.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _waves(registry, seconds / 2, wave)
            await registry.empty.wait()
    for connection in registry:
        connection.go_away()


async def _waves(registry: Registry, seconds: float, wave: float) -> None:
    connections = list(registry)
    count = max(1, int(seconds / wave))
    size = max(SMALLEST_WAVE, -(-len(connections) // count))
    for start in range(0, len(connections), size):
        for connection in connections[start : start + size]:
            connection.drain()
        await asyncio.sleep(wave if start + size < len(connections) else 0)
