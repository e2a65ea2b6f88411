"""Who of several devices with one id is connected: the newer one, a few times; then the one that is there and answers.

A device that is refused has the other one asked whether it is alive, on whichever gateway it is: a dead connection ends
within seconds, and the next try is let in. So a station that comes back after a power cut is never locked out.
"""

import asyncio
from collections.abc import Callable

import structlog

from services.common.process.errors import Unavailable
from services.gateway import metrics, strangers
from services.gateway.cluster.contests import Contests
from services.gateway.cluster.directory import Directory, Route
from services.gateway.connection import Connection
from services.gateway.pressure.reconnects import Reconnects
from services.gateway.registry import Registry
from services.gateway.settings import Settings
from services.gateway.timing import Seconds, Timing
from services.gateway.transport.handshake import Refused
from services.ocpp.refusals import RefusalReason

log = structlog.get_logger()


class Rivals:
    """on_elsewhere: called with the route of a connection on another gateway, which is to be asked whether it is alive.

    monotonic: the clock of waits.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        directory: Directory,
        *,
        monotonic: Seconds,
        timing: Timing,
        on_elsewhere: Callable[[Route], None],
    ) -> None:
        self._registry, self._directory, self._monotonic, self._timing = registry, directory, monotonic, timing
        self._on_elsewhere = on_elsewhere
        self._contests, self._reconnects = Contests(settings.takeovers), Reconnects(settings.reconnects)
        self._asking: dict[str, asyncio.Task[None]] = {}
        metrics.CONTESTED.set_function(lambda: self._contests.count)

    def refusal(self, station_id: str, remote_address: str) -> Refused | None:
        """Why a device that could be let in is not; None: it is. remote_address: of the device."""
        now = self._monotonic()
        if self._contests.contested(station_id, now) and (held_off := self._held_off(station_id, remote_address, now)):
            return held_off
        if wait := self._reconnects.wait(station_id, now):
            headers = {"Retry-After": str(int(wait) + 1)}
            return Refused(429, "connects too often", headers, RefusalReason.TOO_OFTEN)
        return None

    def finished(self, connection: Connection) -> None:
        """Nothing more comes of a connection. If it was replaced and answered to that, there are two devices."""
        if connection.outlived:
            station_id, other = connection.peer.station_id, connection.replaced_by
            metrics.TAKEOVERS.inc()
            log.warning(
                "two devices have one id",
                station_id=station_id,
                times=self._contests.taken_over(station_id, self._monotonic(), other),
                remote=connection.remote_address,
                other=other,
            )

    def forget(self) -> None:
        """About once a second."""
        now = self._monotonic()
        self._contests.forget(now)
        self._reconnects.forget(now)

    def _held_off(self, station_id: str, remote_address: str, now: float) -> Refused | None:
        """Unless nobody else has the id. Who has it is asked whether it is alive."""
        standing, alive = self._registry.of_station(station_id), False
        if standing is not None and standing.transport.hung_up:
            return None
        if standing is not None:
            alive = standing.probe()
        elif self._contests.is_free(station_id, now):
            return None
        elif self._contests.asks(station_id, now):
            self._ask_elsewhere(station_id)
        seconds = self._contests.refused(station_id, now, alive)
        other = standing.remote_address if standing else self._contests.other(station_id) or "not known"
        strangers.log.warning(
            "refused: another device has this id", station_id=station_id, remote=remote_address, other=other
        )
        headers = {"Retry-After": str(seconds)}
        return Refused(503, "another device is connected under this id", headers, RefusalReason.ID_IN_USE)

    def _ask_elsewhere(self, station_id: str) -> None:
        if station_id not in self._asking:
            task = self._asking[station_id] = asyncio.create_task(self._elsewhere(station_id))
            task.add_done_callback(lambda _: self._asking.pop(station_id, None))

    async def _elsewhere(self, station_id: str) -> None:
        """Who has it on another gateway is still there a little later: then it has answered."""
        if (route := await self._route(station_id)) is not None:
            self._on_elsewhere(route)
            await asyncio.sleep(self._timing.probe_timeout + 2 * self._timing.tick)
            route = await self._route(station_id)
        said = self._contests.free if route is None else self._contests.seen
        said(station_id, self._monotonic())

    async def _route(self, station_id: str) -> Route | None:
        """Of a connection on another gateway. Without Redis nobody is locked out."""
        try:
            route = await self._directory.find(station_id)
        except Unavailable:
            return None
        return route if route is not None and self._registry.get(route.connection_id) is None else None
