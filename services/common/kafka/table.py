"""An in-memory copy of a compacted topic: state of another service, at hand without asking it."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import structlog

from services.common.kafka.bus import Bus, Record, TopicReader
from services.common.process import metrics
from services.common.process.backoff import retry_until_available

T = TypeVar("T")

log = structlog.get_logger()


class CompactedTable(Generic[T]):
    """The newest value of each key.

    decode: bytes → value. changed: called with (key, value or None) for every change after the start.
    """

    def __init__(
        self,
        bus: Bus,
        topic: str,
        decode: Callable[[bytes], T],
        changed: Callable[[str, T | None], None] | None = None,
    ) -> None:
        self._bus, self._topic, self._decode, self._changed = bus, topic, decode, changed
        self._entries: dict[str, T] = {}
        self._loaded = asyncio.Event()

    def get(self, key: str) -> T | None:
        return self._entries.get(key)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def ready(self) -> bool:
        """Whether everything that was there at the start has been read."""
        return self._loaded.is_set()

    async def wait(self) -> None:
        """Until the copy is whole."""
        await self._loaded.wait()

    async def run(self) -> None:
        """Reads on until cancelled."""
        reader = await retry_until_available(lambda: self._bus.read_topic(self._topic))
        try:
            while True:
                await self._turn(reader)
        finally:
            await reader.close()

    async def _turn(self, reader: TopicReader) -> None:
        if reader.caught_up():
            self._loaded.set()
        for record in await retry_until_available(reader.poll):
            self._apply(record)
        metrics.TABLE_ENTRIES.labels(self._topic).set(len(self._entries))

    def _apply(self, record: Record) -> None:
        try:
            key = (record.key or b"").decode()
            value = None if record.value is None else self._decode(record.value)
        except Exception as error:
            # One bad record must not take away what all the others say.
            where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            log.error("record left out", reason=type(error).__name__, **where)
            return
        if value is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = value
        if self._changed and self.ready():
            self._changed(key, value)
