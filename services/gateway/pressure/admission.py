"""Slows stations down to what a service can take: sockets are not read for a moment, the longest held go on first."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from services.common.kafka.bus import Bus
from services.common.process.errors import Unavailable
from services.gateway import metrics
from services.gateway.pressure.flow import Flow, Look
from services.gateway.transport.websocket import Hold, WebSocket

# Seconds between two looks at how far services are; a gateway that sends less than BUSY in between does not look.
LOOK, BUSY = 0.25, 25
# Kafka that answers later than this is not asked for advice.
ANSWER = 2.0
# Seconds between two slices of the rate, and how many of them may be saved up.
SLICE, SAVED = 0.05, 4
# No station is held for longer, whatever the rate: it would think us dead.
LONGEST = 5.0
# Sockets that go on in one slice once there is no limit any more.
PIECE = 500

log = structlog.get_logger()


class Gate:
    """The stations on their way to one service."""

    def __init__(self, service: str, topic: str, limit: int) -> None:
        self.service, self.topic = service, topic
        self.flow = Flow(limit)
        self.sent = 0
        self._looked_at = 0
        self._credit = 0.0
        # Since when, the longest first.
        self._held: dict[WebSocket, float] = {}
        metrics.ADMITTED.labels(service).set(-1)
        metrics.HELD.labels(service).set_function(lambda: len(self._held))
        metrics.BEHIND.labels(service).set_function(lambda: self.flow.lag)

    @property
    def idle(self) -> bool:
        return self.flow.rate is None and not self._held

    def busy(self) -> bool:
        """Whether so much has been sent since this was last asked that it can be too much."""
        sent, self._looked_at = self.sent - self._looked_at, self.sent
        return sent >= BUSY or not self.idle

    def passed(self, socket: WebSocket, now: float) -> None:
        """A CALL goes to the service; the next one of this socket may have to wait."""
        self._credit -= 1
        if self._credit < 0 and not socket.over:
            self._held.setdefault(socket, now)
            socket.pause(Hold.SERVICE)

    def look(self, look: Look) -> None:
        """Learns how far the service is."""
        before = self.flow.rate
        wait = look.at - next(iter(self._held.values()), look.at)
        self.flow.look(look, wait)
        self._changed(before)

    def open(self) -> None:
        """Nothing is known of the service."""
        before = self.flow.rate
        self.flow.forget()
        self._changed(before)

    def release(self, now: float) -> None:
        """Lets sockets go on, as many as the rate gives since the last time."""
        rate = self.flow.rate
        if rate is None:
            count = PIECE
        else:
            self._credit = min(max(self._credit, -rate) + rate * SLICE, rate * SLICE * SAVED)
            count = int(self._credit)
        while self._held:
            socket, since = next(iter(self._held.items()))
            if count <= 0 and now - since < LONGEST:
                break
            count -= 1
            del self._held[socket]
            socket.resume(Hold.SERVICE)

    def _changed(self, before: float | None) -> None:
        rate = self.flow.rate
        metrics.ADMITTED.labels(self.service).set(-1 if rate is None else rate)
        if (before is None) == (rate is None):
            return
        self._credit = 0.0
        log.warning("stations are slowed down" if rate else "stations go on", service=self.service, lag=self.flow.lag)


class Admission:
    """topics: by service. limit: records that a service may be behind before those who send to it are slowed down."""

    def __init__(
        self, bus: Bus, topics: Iterable[tuple[str, str]], limit: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bus, self._clock = bus, clock
        self._gates = {service: Gate(service, topic, limit) for service, topic in topics}
        self._slow = asyncio.Event()

    def passed(self, service: str, socket: WebSocket) -> None:
        """A CALL of this socket goes to the service."""
        gate = self._gates[service]
        gate.sent += 1
        if gate.flow.rate is not None:
            gate.passed(socket, self._clock())

    async def run(self) -> None:
        """Looks and releases until cancelled."""
        await asyncio.gather(self._watch(), self._release())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await asyncio.gather(*(self._look(gate) for gate in self._gates.values()))
            if not all(gate.idle for gate in self._gates.values()):
                self._slow.set()

    async def _look(self, gate: Gate) -> None:
        if not gate.busy():
            return gate.open()
        try:
            async with asyncio.timeout(ANSWER):
                progress = await self._bus.progress(gate.service, gate.topic)
        except (Unavailable, TimeoutError) as error:
            log.warning("not known how far a service is", service=gate.service, reason=repr(error))
            gate.open()
        else:
            gate.look(Look(self._clock(), progress, gate.sent))
        return None

    async def _release(self) -> None:
        while True:
            await self._slow.wait()
            await asyncio.sleep(SLICE)
            now = self._clock()
            slow = [gate for gate in self._gates.values() if not gate.idle]
            for gate in slow:
                gate.release(now)
            if not slow:
                self._slow.clear()
