"""Keeps Redis told which connection each station is on: in batches, renewed, and restored when Redis has lost it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence

import structlog

from services.common.process.backoff import backoff
from services.common.process.errors import Unavailable
from services.gateway import metrics
from services.gateway.cluster.directory import Directory, Route

BATCH = 500

Found = Callable[[Route], None]

log = structlog.get_logger()


class Routing:
    """renewal: seconds between two renewals of all routes.

    replaced: called with the route of an older connection that one of ours has displaced.
    outdated: called with a route of ours whose station has a newer connection.
    """

    def __init__(self, directory: Directory, renewal: float, replaced: Found, outdated: Found) -> None:
        self._directory, self._renewal = directory, renewal
        self._replaced, self._outdated = replaced, outdated
        self._live: dict[str, Route] = {}
        # By connection: is it to be there or not? Wishes wait here while Redis is away; the newest one counts.
        self._wishes: dict[str, tuple[Route, bool]] = {}
        self._something = asyncio.Event()
        self._settled = asyncio.Event()
        self._lost = asyncio.Event()
        self._settled.set()

    def add(self, route: Route) -> None:
        """A station is on a new connection."""
        self._live[route.connection_id] = route
        self._wish(route, True)

    def remove(self, connection_id: str) -> None:
        """A connection is gone."""
        if route := self._live.pop(connection_id, None):
            self._wish(route, False)

    def restore(self) -> None:
        """Redis may have lost what it knew: all routes are written again."""
        self._lost.set()

    async def flush(self) -> None:
        """Returns when all wishes are in Redis."""
        await self._settled.wait()

    async def run(self) -> None:
        """Writes and renews until cancelled."""
        await asyncio.gather(self._write(), self._renew())

    def _wish(self, route: Route, there: bool) -> None:
        self._wishes[route.connection_id] = (route, there)
        metrics.ROUTES.set(len(self._wishes))
        self._settled.clear()
        self._something.set()

    async def _write(self) -> None:
        waits = backoff()
        while True:
            await self._something.wait()
            self._something.clear()
            wishes, self._wishes = self._wishes, {}
            try:
                await self._fulfil(wishes)
            except Unavailable as error:
                self._wishes = wishes | self._wishes
                self._something.set()
                log.warning("routes not written", count=len(self._wishes), reason=str(error))
                await asyncio.sleep(next(waits))
                continue
            waits = backoff()
            metrics.ROUTES.set(len(self._wishes))
            if not self._wishes:
                self._settled.set()

    async def _fulfil(self, wishes: dict[str, tuple[Route, bool]]) -> None:
        for routes in _batches([route for route, there in wishes.values() if not there]):
            await self._directory.remove(routes)
        await self._register([route for route, there in wishes.values() if there])

    async def _renew(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._renewal):
                    await self._lost.wait()
            self._lost.clear()
            try:
                await self._register([*self._live.values()])
            except Unavailable as error:
                log.warning("routes not renewed", reason=str(error))
                await asyncio.sleep(1)
                self._lost.set()

    async def _register(self, routes: Sequence[Route]) -> None:
        for batch in _batches(routes):
            others = await self._directory.register(batch)
            for mine, other in zip(batch, others, strict=True):
                if mine.connection_id not in self._live:
                    # It went while its route was written, so its removal may have come first.
                    self._wish(mine, False)
                if other and other.since > mine.since:
                    self._outdated(mine)
                elif other:
                    self._replaced(other)


def _batches(routes: Sequence[Route]) -> Iterator[Sequence[Route]]:
    return (routes[start : start + BATCH] for start in range(0, len(routes), BATCH))
