"""Waiting longer and longer between tries at something that is away."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import structlog

from services.common.process import metrics
from services.common.process.errors import Unavailable

T = TypeVar("T")
FIRST, LONGEST = 0.1, 3.0

log = structlog.get_logger()


def backoff(first: float = FIRST, longest: float = LONGEST) -> Iterator[float]:
    """Seconds to wait before each next try: doubling, up to the longest, for ever."""
    wait = first
    while True:
        yield wait
        wait = min(longest, wait * 2)


async def retry_until_available(work: Callable[[], Awaitable[T]]) -> T:
    """Tries until the infrastructure is there; whatever is not Unavailable is raised."""
    for wait in backoff():
        try:
            return await work()
        except Unavailable as error:
            metrics.RETRIES.inc()
            log.warning("trying again", reason=str(error), seconds=wait)
            await asyncio.sleep(wait)
    raise AssertionError("back-off never ends")
