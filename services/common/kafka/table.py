"""A table of a compacted topic, in memory: state of another service, without a request to it."""

import asyncio
from collections.abc import Callable, Iterator
from math import inf
from typing import Generic, TypeVar

import structlog

from services.common.kafka.bus import Bus, Record, TopicReader
from services.common.process import metrics
from services.common.process.backoff import Backoff, retry_until_available
from services.common.process.errors import Unavailable

T = TypeVar("T")

CATCH_UP_WITHIN = 5.0

log = structlog.get_logger()


class CompactedTable(Generic[T]):
    """The newest value of each key.

    bus: read from.
    topic: its name on the broker.
    decode: makes a value of bytes. Whatever it raises leaves that record out.
    on_change: called with key and value, or None where it is gone, for every change after the start (None).
    backoff: seconds between tries while Kafka is unavailable.
    """

    def __init__(
        self,
        bus: Bus,
        topic: str,
        decode: Callable[[bytes], T],
        *,
        on_change: Callable[[str, T | None], None] | None = None,
        backoff: Backoff = Backoff(),
    ) -> None:
        self._bus, self._topic, self._decode, self._on_change, self._backoff = bus, topic, decode, on_change, backoff
        self._entries: dict[str, T] = {}
        self._loaded = asyncio.Event()
        self._reader: TopicReader | None = None
        self._at_end = -inf
        # Set when something was read; then replaced.
        self._polled = asyncio.Event()

    def get(self, key: str) -> T | None:
        return self._entries.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def ready(self) -> bool:
        """Whether everything that was there at the start has been read."""
        return self._loaded.is_set()

    async def wait(self) -> None:
        """Until it is ready."""
        await self._loaded.wait()

    async def catch_up(self) -> None:
        """Reads what the topic has now. Raises Unavailable where that cannot be known soon.

        For who would say that something is not there: it may just have been written.
        """
        asked_at = _elapsed()
        try:
            async with asyncio.timeout(CATCH_UP_WITHIN):
                while self._reader is None or await self._reader.behind():
                    await self._polled.wait()
        except TimeoutError:
            raise Unavailable(f"{self._topic} is not read to its end") from None
        self._at_end = max(self._at_end, asked_at)

    def since_end(self) -> float:
        """Seconds since the topic had nothing, for all that was asked, that is not here; it was read on since then."""
        return _elapsed() - self._at_end

    async def run(self) -> None:
        """Reads until cancelled."""
        reader = await retry_until_available(lambda: self._bus.read_topic(self._topic), self._backoff)
        self._reader = reader
        try:
            while True:
                await self._poll_once(reader)
        finally:
            self._reader = None
            await reader.close()

    async def _poll_once(self, reader: TopicReader) -> None:
        if reader.caught_up():
            self._loaded.set()
        for record in await retry_until_available(reader.poll, self._backoff):
            self._apply(record)
        metrics.TABLE_ENTRIES.labels(self._topic).set(len(self._entries))
        polled, self._polled = self._polled, asyncio.Event()
        polled.set()

    def _applied(self, key: str) -> None:
        """For tables that are looked up by more than the key: it is there now, or gone."""

    def _apply(self, record: Record) -> None:
        try:
            key = (record.key or b"").decode()
            value = None if record.value is None else self._decode(record.value)
        except Exception as error:
            # One bad record must not take away all the others.
            where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            log.error("record left out", reason=type(error).__name__, **where)
            return
        if value is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = value
        self._applied(key)
        if self._on_change and self.ready():
            self._on_change(key, value)


def _elapsed() -> float:
    return asyncio.get_running_loop().time()
