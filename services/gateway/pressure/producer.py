"""The one way to Kafka: a batch a turn of the event loop; too much unacknowledged pauses sockets."""

import asyncio
from collections.abc import Sequence

import structlog

from services.common.kafka.bus import Bus
from services.common.process.errors import Unavailable, VoltbusError
from services.gateway import metrics
from services.gateway.ocppj.actions import Reason
from services.gateway.pressure.hold import Hold, Pausable
from services.gateway.records import OutgoingRecord
from services.gateway.timing import Seconds, Timing

log = structlog.get_logger()


class Producer:
    """Keeps the order of records of one key.

    limit, size_limit: unacknowledged records, and bytes of them, beyond which transports are paused.
    monotonic: the clock of time-outs.
    """

    def __init__(self, bus: Bus, limit: int, size_limit: int, *, monotonic: Seconds, timing: Timing) -> None:
        self._bus, self._limit, self._size_limit = bus, limit, size_limit
        self._monotonic, self._timing = monotonic, timing
        self._queue: list[OutgoingRecord] = []
        self._empty = asyncio.Event()
        self._empty.set()
        # In the order in which they are to be read again.
        self._paused: dict[Pausable, None] = {}
        self._progress_at = monotonic()
        self.unacknowledged = self._size = 0
        metrics.UNACKNOWLEDGED.set_function(lambda: self.unacknowledged)
        metrics.PAUSED.set_function(lambda: len(self._paused))

    @property
    def progressing(self) -> bool:
        """Whether Kafka acknowledges records."""
        return self.unacknowledged == 0 or self._monotonic() - self._progress_at < self._timing.stuck_after

    def full(self) -> bool:
        """Whether transports are to be paused. A property would take thrice as long, and each frame asks."""
        return self.unacknowledged >= self._limit or self._size >= self._size_limit

    def add(self, record: OutgoingRecord) -> None:
        """Queues a record; never waits."""
        if self.unacknowledged == 0:
            self._progress_at = self._monotonic()
            self._empty.clear()
        self.unacknowledged += 1
        self._size += len(record.value or b"")
        self._enqueue(record)

    def hold(self, transport: Pausable) -> None:
        """Pauses a transport until Kafka has caught up; one that is over, too: what it has read before still waits."""
        self._paused[transport] = None
        transport.pause(Hold.KAFKA)

    async def flush(self) -> None:
        """Returns when Kafka has everything."""
        await self._empty.wait()

    def _enqueue(self, record: OutgoingRecord) -> None:
        if not self._queue:
            asyncio.get_running_loop().call_soon(self._send)
        self._queue.append(record)

    def _send(self) -> None:
        records, self._queue = self._queue, []
        self._bus.send(records, self._settled)

    def _settled(self, records: Sequence[OutgoingRecord], problem: VoltbusError | None) -> None:
        if problem:
            return self._failed(records, problem)
        self._done(records)
        for record in records:
            if record.on_acknowledged:
                try:
                    record.on_acknowledged()
                except Exception:
                    # One connection's failure must not keep the acknowledgement from the others of the batch.
                    log.exception("a connection failed on the acknowledgement of its record")
        return None

    def _failed(self, records: Sequence[OutgoingRecord], problem: VoltbusError) -> None:
        retryable = isinstance(problem, Unavailable)
        for record in records:
            if record.resend and retryable:
                asyncio.get_running_loop().call_later(self._timing.resend_after, self._enqueue, record)
            else:
                # A station that has no answer sends it again.
                metrics.DROPPED.labels(Reason.NOT_ACKNOWLEDGED).inc()
                log.warning("Kafka did not take a record", topic=record.topic, reason=str(problem))
                self._done([record])

    def _done(self, records: Sequence[OutgoingRecord]) -> None:
        self.unacknowledged -= len(records)
        self._size -= sum([len(record.value or b"") for record in records])
        self._progress_at = self._monotonic()
        if self.unacknowledged == 0:
            self._empty.set()
        relieved = self.unacknowledged <= self._limit // 2 and self._size <= self._size_limit // 2
        if self._paused and relieved:
            resumed, self._paused = self._paused, {}
            for transport in resumed:
                transport.resume(Hold.KAFKA)
