"""Slows stations down to the throughput of a service: sockets are paused, the longest held are resumed first."""

import asyncio
from collections.abc import Iterable

import structlog

from services.common.kafka.bus import Bus
from services.common.process.errors import Unavailable
from services.gateway import metrics
from services.gateway.pressure.flow import Flow, ProgressSample
from services.gateway.pressure.hold import Hold, Pausable
from services.gateway.timing import Seconds, Timing

# How many releases' worth of CALLs may be saved up.
SAVED = 4
# Transports that are resumed in one release once there is no limit any more.
RELEASE_BATCH = 500

log = structlog.get_logger()


class ServiceThrottle:
    """The stations on their way to one service. limit: records that it may be behind."""

    def __init__(self, service: str, topic: str, *, limit: int, timing: Timing) -> None:
        self.service, self.topic, self._timing = service, topic, timing
        self.flow = Flow(limit, timing)
        self.sent = 0
        self._sent_before = 0
        self._credit = 0.0
        # Since when, the longest first.
        self._held: dict[Pausable, float] = {}
        metrics.ADMITTED.labels(service).set(-1)
        metrics.HELD.labels(service).set_function(lambda: len(self._held))
        metrics.BEHIND.labels(service).set_function(lambda: self.flow.lag)

    @property
    def idle(self) -> bool:
        return self.flow.rate is None and not self._held

    def busy(self) -> bool:
        """Whether more has been sent since the last call than can be ignored."""
        sent, self._sent_before = self.sent - self._sent_before, self.sent
        return sent >= self._timing.busy_calls or not self.idle

    def spend(self, transport: Pausable, now: float) -> None:
        """A CALL goes to the service; the next one of this transport may have to wait."""
        self._credit -= 1
        if self._credit < 0 and not transport.over:
            self._held.setdefault(transport, now)
            transport.pause(Hold.SERVICE)

    def observe(self, sample: ProgressSample) -> None:
        """Adjusts the rate to the progress of the service."""
        before = self.flow.rate
        wait = sample.at - next(iter(self._held.values()), sample.at)
        self.flow.observe(sample, wait)
        self._rate_changed(before)

    def lift(self) -> None:
        """Removes the limit: the progress of the service is unknown, or too little is sent to it."""
        before = self.flow.rate
        self.flow.reset()
        self._rate_changed(before)

    def release(self, now: float) -> None:
        """Resumes as many transports as the rate allows since the last release."""
        rate = self.flow.rate
        if rate is None:
            count = RELEASE_BATCH
        else:
            earned = rate * self._timing.release_interval
            self._credit = min(max(self._credit, -rate) + earned, earned * SAVED)
            count = int(self._credit)
        while self._held:
            transport, since = next(iter(self._held.items()))
            if count <= 0 and now - since < self._timing.longest_hold:
                break
            count -= 1
            del self._held[transport]
            transport.resume(Hold.SERVICE)

    def _rate_changed(self, before: float | None) -> None:
        rate = self.flow.rate
        metrics.ADMITTED.labels(self.service).set(-1 if rate is None else rate)
        if (before is None) == (rate is None):
            return
        self._credit = 0.0
        log.warning(
            "stations are slowed down" if rate else "stations are no longer slowed down",
            service=self.service,
            lag=self.flow.lag,
        )


class AdmissionControl:
    """topics: by service. limit: records that a service may be behind before stations that send to it are slowed down.

    monotonic: the clock of waits.
    """

    def __init__(
        self, bus: Bus, topics: Iterable[tuple[str, str]], *, limit: int, monotonic: Seconds, timing: Timing
    ) -> None:
        self._bus, self._monotonic, self._timing = bus, monotonic, timing
        self.throttles = {
            service: ServiceThrottle(service, topic, limit=limit, timing=timing) for service, topic in topics
        }
        self._slow = asyncio.Event()

    def forwarded(self, service: str, transport: Pausable) -> None:
        """A CALL of this transport goes to the service."""
        throttle = self.throttles[service]
        throttle.sent += 1
        if throttle.flow.rate is not None:
            throttle.spend(transport, self._monotonic())

    async def run(self) -> None:
        """Observes and releases until cancelled."""
        await asyncio.gather(self._observe_all(), self._release_all())

    async def _observe_all(self) -> None:
        while True:
            await asyncio.sleep(self._timing.progress_interval)
            await asyncio.gather(*(self.observe(throttle) for throttle in self.throttles.values()))
            if not all(throttle.idle for throttle in self.throttles.values()):
                self._slow.set()

    async def observe(self, throttle: ServiceThrottle) -> None:
        """Asks Kafka for the progress of one service, if enough is sent to it."""
        if not throttle.busy():
            return throttle.lift()
        try:
            async with asyncio.timeout(self._timing.progress_timeout):
                progress = await self._bus.progress(throttle.service, throttle.topic)
        except (Unavailable, TimeoutError) as error:
            log.warning("the progress of a service is unknown", service=throttle.service, reason=repr(error))
            throttle.lift()
        else:
            throttle.observe(ProgressSample(self._monotonic(), progress, throttle.sent))
        return None

    async def _release_all(self) -> None:
        while True:
            await self._slow.wait()
            await asyncio.sleep(self._timing.release_interval)
            now = self._monotonic()
            slow = [throttle for throttle in self.throttles.values() if not throttle.idle]
            for throttle in slow:
                throttle.release(now)
            if not slow:
                self._slow.clear()
