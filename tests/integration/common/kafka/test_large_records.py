"""Records of hundreds of kB on a real Kafka: what a consumer holds of them is bounded, and all are handled in order."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from services.common.kafka.broker import MAX_FETCH_BYTES, KafkaBus
from services.common.kafka.bus import Record, Subscription
from services.common.kafka.consumer import Consumer, ConsumerTiming
from services.common.kafka.lanes import size_of
from services.common.process.clock import now
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from tests.conftest import Stack
from tests.integration.common.running import settings_of
from tests.patience import GIVE_UP

CALLS, DEAD = topics.calls("auth").name, topics.dead("auth").name
LARGE, COUNT, STATIONS = 200_000, 150, 5
MAX_HELD = 10 * LARGE


class CountingBus(KafkaBus):
    """polled: bytes that were handed out. everything: set when there is no more."""

    def __init__(self, settings: CommonSettings) -> None:
        super().__init__(settings)
        self.polled, self.everything = 0, asyncio.Event()

    async def subscribe(self, *arguments: Any, **more: Any) -> Subscription:
        subscription = await super().subscribe(*arguments, **more)
        poll = subscription.poll

        async def counted() -> Sequence[Record]:
            records = await poll()
            self.polled += size_of(records)
            if self.polled >= COUNT * LARGE:
                self.everything.set()
            return records

        subscription.poll = counted  # type: ignore[method-assign]
        return subscription


class Service:
    """Takes its time for the first batch. handled: by station. most: bytes that were held at a time."""

    def __init__(self, bus: CountingBus) -> None:
        self.handled: dict[bytes, list[int]] = {}
        self.done = self.most = self._count = 0
        self._bus, self.finished = bus, asyncio.Event()

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        # Who reads on without a bound has read everything by then.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0 if self.done else 2):
                await self._bus.everything.wait()
        self.most = max(self.most, self._bus.polled - self.done)
        for record in records:
            self.handled.setdefault(record.key or b"", []).append(int((record.value or b"").split()[0]))
        self.done += size_of(records)
        self._count += len(records)
        if self._count >= COUNT:
            self.finished.set()
        return []


async def test_what_is_held_of_large_records_is_bounded(stack: Stack) -> None:
    settings: CommonSettings = settings_of(CommonSettings, await stack.fresh())
    bus = CountingBus(settings)
    await bus.start()
    topic, service = settings.topic(CALLS), Service(bus)
    for number in range(COUNT):
        await bus.publish([Record(topic, b"CP%d" % (number % STATIONS), b"%d " % number + b"x" * LARGE)])
    consumer = Consumer(
        *(bus, "auth", [topic]),
        handle=service.handle,
        dead_topic=settings.topic(DEAD),
        clock=now,
        lanes=2,
        timing=ConsumerTiming(max_held=MAX_HELD),
    )
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(GIVE_UP):
        await service.finished.wait()
    await consumer.stop()
    await running
    await bus.close()
    # One poll may come on top.
    assert MAX_HELD <= service.most <= MAX_HELD + MAX_FETCH_BYTES
    assert service.handled == {b"CP%d" % one: [*range(one, COUNT, STATIONS)] for one in range(STATIONS)}
