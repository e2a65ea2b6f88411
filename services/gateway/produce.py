"""The one way to Kafka: what arrives between two turns is sent in one go; too much unacknowledged stops the reading."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from services.common.backoff import patiently
from services.common.bus import Bus, Record
from services.common.errors import Unavailable
from services.gateway import metrics
from services.gateway.actions import Reason
from services.gateway.websocket import WebSocket

Done = Callable[[], None]

# A gateway whose records wait so long is not ready for more stations.
STUCK_SECONDS = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record on its way. done: called when Kafka has it. kept: sent again when Kafka gives it up."""

    record: Record
    done: Done | None
    kept: bool


class Producer:
    """Keeps the order of records of one key. limit: unacknowledged records beyond which sockets are paused."""

    def __init__(self, bus: Bus, limit: int) -> None:
        self._bus, self._limit = bus, limit
        self._waiting: list[Delivery] = []
        self._something = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._paused: set[WebSocket] = set()
        self._moved = time.monotonic()
        self.unacknowledged = 0
        metrics.UNACKNOWLEDGED.set_function(lambda: self.unacknowledged)
        metrics.PAUSED.set_function(lambda: len(self._paused))

    @property
    def moving(self) -> bool:
        """Whether Kafka takes what it is given."""
        return self.unacknowledged == 0 or time.monotonic() - self._moved < STUCK_SECONDS

    @property
    def full(self) -> bool:
        return self.unacknowledged >= self._limit

    def add(self, record: Record, done: Done | None = None, kept: bool = False) -> None:
        """Queues a record; never waits."""
        if self.unacknowledged == 0:
            self._moved = time.monotonic()
        self.unacknowledged += 1
        self._queue(Delivery(record, done, kept))

    def hold(self, socket: WebSocket) -> None:
        """Does not read from a socket until Kafka has caught up."""
        if not socket.over:
            self._paused.add(socket)
            socket.pause()

    async def flush(self) -> None:
        """Returns when Kafka has everything."""
        await self._empty.wait()

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            await self._something.wait()
            self._something.clear()
            deliveries, self._waiting = self._waiting, []
            for delivery in deliveries:
                try:
                    sent = await self._bus.send(delivery.record)
                except Unavailable:
                    sent = await patiently(partial(self._bus.send, delivery.record))
                sent.add_done_callback(partial(self._sent, delivery))

    def _queue(self, delivery: Delivery) -> None:
        if not self._waiting:
            self._something.set()
            self._empty.clear()
        self._waiting.append(delivery)

    def _sent(self, delivery: Delivery, sent: "asyncio.Future[object]") -> None:
        failed = sent.cancelled() or sent.exception() is not None
        if failed and delivery.kept:
            return self._queue(delivery)
        self.unacknowledged -= 1
        self._moved = time.monotonic()
        if failed:
            # The station has no answer and will say it again.
            metrics.DROPPED.labels(Reason.NOT_ACKNOWLEDGED).inc()
            log.warning("Kafka did not take a record", topic=delivery.record.topic)
        elif delivery.done:
            delivery.done()
        self._relax()
        return None

    def _relax(self) -> None:
        if self.unacknowledged == 0:
            self._empty.set()
        if self._paused and self.unacknowledged <= self._limit // 2:
            resumed, self._paused = self._paused, set()
            for socket in resumed:
                socket.resume()
