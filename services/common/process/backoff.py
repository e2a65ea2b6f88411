"""Waiting longer and longer between tries at something that is unavailable."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import structlog

from services.common.process import metrics
from services.common.process.errors import Unavailable

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True)
class Backoff:
    """Seconds before each next try: doubling, up to the longest, for ever.

    jitter: the share of each that is left to chance, so that processes that lost the same server do not all come back
    to it in the same moment.
    """

    first: float = 0.1
    longest: float = 3.0
    jitter: float = 0.5

    def __iter__(self) -> Iterator[float]:
        wait = self.first
        while True:
            yield wait * (1 - random.random() * self.jitter)
            wait = min(self.longest, wait * 2)


DEFAULT = Backoff()


async def retry_until_available(work: Callable[[], Awaitable[T]], backoff: Backoff = DEFAULT) -> T:
    """Tries until the infrastructure is available; whatever is not Unavailable is raised. A reason is logged once."""
    reason = ""
    for wait in backoff:
        try:
            return await work()
        except Unavailable as error:
            metrics.RETRIES.inc()
            if str(error) != reason:
                reason = str(error)
                log.warning("trying again until it is available", reason=reason)
            await asyncio.sleep(wait)
    raise AssertionError("back-off never ends")
