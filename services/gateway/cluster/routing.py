"""Writes to Redis which connection each station is on: in batches, renewed, and restored when Redis has lost it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import structlog

from services.common.process.backoff import Backoff
from services.common.process.errors import Unavailable
from services.gateway import metrics
from services.gateway.cluster.directory import Directory, Route
from services.ocpp.masking import masked

BATCH = 500

OnRoute = Callable[[Route], None]

log = structlog.get_logger()


class Routing:
    """renewal, retry: seconds between two renewals of all routes, and between two attempts while Redis is away.

    on_replaced: called with the route of an older connection that one of ours has displaced.
    on_outdated: called with a route of ours whose station has a newer connection.
    """

    def __init__(
        self, directory: Directory, *, renewal: float, retry: float, on_replaced: OnRoute, on_outdated: OnRoute
    ) -> None:
        self._directory, self._renewal, self._retry = directory, renewal, retry
        self._on_replaced, self._on_outdated = on_replaced, on_outdated
        self._live: dict[str, Route] = {}
        # By connection: a route, and whether it is to be in Redis. The newest counts; they wait while Redis is away.
        self._pending: dict[str, tuple[Route, bool]] = {}
        self._work = asyncio.Event()
        self._flushed = asyncio.Event()
        self._restore = asyncio.Event()
        self._flushed.set()

    def add(self, route: Route) -> None:
        """A station is on a new connection."""
        self._live[route.connection_id] = route
        self._enqueue(route, True)

    def listens(self, connection_id: str, address: str, reached: bool | None) -> None:
        """Where a station that speaks SOAP is called, and whether it could be. A password in its address stays here."""
        route, address = self._live.get(connection_id), masked(address)
        if route and (route.address, route.reached) != (address, reached):
            self.add(replace(route, address=address, reached=reached))

    def remove(self, connection_id: str) -> None:
        """A connection is gone."""
        if route := self._live.pop(connection_id, None):
            self._enqueue(route, False)

    def restore(self) -> None:
        """Redis may have lost routes: all are written again."""
        self._restore.set()

    async def flush(self) -> None:
        """Returns when Redis has all that is pending."""
        await self._flushed.wait()

    async def run(self) -> None:
        """Writes and renews until cancelled."""
        await asyncio.gather(self._write_pending(), self._renew())

    def _enqueue(self, route: Route, present: bool) -> None:
        self._pending[route.connection_id] = (route, present)
        metrics.ROUTES.set(len(self._pending))
        self._flushed.clear()
        self._work.set()

    async def _write_pending(self) -> None:
        waits = iter(Backoff())
        while True:
            await self._work.wait()
            self._work.clear()
            pending, self._pending = self._pending, {}
            try:
                await self._write(pending)
            except Unavailable as error:
                self._pending = pending | self._pending
                self._work.set()
                log.warning("routes not written", count=len(self._pending), reason=str(error))
                await asyncio.sleep(next(waits))
                continue
            waits = iter(Backoff())
            metrics.ROUTES.set(len(self._pending))
            if not self._pending:
                self._flushed.set()

    async def _write(self, pending: dict[str, tuple[Route, bool]]) -> None:
        for routes in _batches([route for route, present in pending.values() if not present]):
            await self._directory.remove(routes)
        await self._register([route for route, present in pending.values() if present])

    async def _renew(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._renewal):
                    await self._restore.wait()
            self._restore.clear()
            try:
                await self._register([*self._live.values()])
            except Unavailable as error:
                log.warning("routes not renewed", reason=str(error))
                await asyncio.sleep(self._retry)
                self._restore.set()

    async def _register(self, routes: Sequence[Route]) -> None:
        for batch in _batches(routes):
            others = await self._directory.register(batch)
            for mine, other in zip(batch, others, strict=True):
                if mine.connection_id not in self._live:
                    # It went while its route was written, so its removal may have come first.
                    self._enqueue(mine, False)
                if other and other.since > mine.since:
                    self._on_outdated(mine)
                elif other:
                    self._on_replaced(other)


def _batches(routes: Sequence[Route]) -> Iterator[Sequence[Route]]:
    return (routes[start : start + BATCH] for start in range(0, len(routes), BATCH))
