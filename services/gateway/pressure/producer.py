"""The one way to Kafka: what arrives between two turns is sent in one go; too much unacknowledged stops the reading."""

import asyncio
import time
from collections.abc import Sequence

import structlog

from services.common.kafka.bus import Bus
from services.common.process.errors import Unavailable, VoltbusError
from services.gateway import metrics
from services.gateway.ocppj.actions import Reason
from services.gateway.records import Done, Outgoing
from services.gateway.transport.websocket import Hold, WebSocket

# A gateway whose records wait so long is not ready for more stations.
STUCK_SECONDS = 5.0
# When a record that Kafka gave up is sent again.
AGAIN_SECONDS = 0.5

log = structlog.get_logger()


class Producer:
    """Keeps the order of records of one key. limit: unacknowledged records beyond which sockets are paused."""

    def __init__(self, bus: Bus, limit: int) -> None:
        self._bus, self._limit = bus, limit
        self._waiting: list[Outgoing] = []
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

    def add(self, record: Outgoing) -> None:
        """Queues a record; never waits."""
        if self.unacknowledged == 0:
            self._moved = time.monotonic()
            self._empty.clear()
        self.unacknowledged += 1
        self._queue(record)

    def hold(self, socket: WebSocket) -> None:
        """Does not read from a socket until Kafka has caught up."""
        if not socket.over:
            self._paused.add(socket)
            socket.pause(Hold.KAFKA)

    async def flush(self) -> None:
        """Returns when Kafka has everything."""
        await self._empty.wait()

    def _queue(self, record: Outgoing) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._send)
        self._waiting.append(record)

    def _send(self) -> None:
        records, self._waiting = self._waiting, []
        self._bus.send(records, self._settled)

    def _settled(self, records: Sequence[Outgoing], problem: VoltbusError | None) -> None:
        if problem:
            return self._failed(records, problem)
        self._ended(len(records))
        for record in records:
            if record.done:
                _tell(record.done)
        return None

    def _failed(self, records: Sequence[Outgoing], problem: VoltbusError) -> None:
        again = isinstance(problem, Unavailable)
        for record in records:
            if record.kept and again:
                asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._queue, record)
            else:
                # A station that has no answer says it again.
                metrics.DROPPED.labels(Reason.NOT_ACKNOWLEDGED).inc()
                log.warning("Kafka did not take a record", topic=record.topic, reason=str(problem))
                self._ended(1)

    def _ended(self, count: int) -> None:
        self.unacknowledged -= count
        self._moved = time.monotonic()
        if self.unacknowledged == 0:
            self._empty.set()
        if self._paused and self.unacknowledged <= self._limit // 2:
            resumed, self._paused = self._paused, set()
            for socket in resumed:
                socket.resume(Hold.KAFKA)


def _tell(done: Done) -> None:
    try:
        done()
    except Exception:
        # One connection's trouble must not keep Kafka's word from the others of the batch.
        log.exception("a connection failed at Kafka's word")
