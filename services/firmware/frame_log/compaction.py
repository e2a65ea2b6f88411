"""Makes batches of all stations into segments of one each, which is what is read later, and compresses better."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta

import structlog

from services.common.postgres.database import Database
from services.common.process.errors import Unavailable
from services.firmware.frame_log import store
from services.firmware.frame_log.entries import Entry, Segment, by_station, pack

# Bytes, before compression, of batches that are done at once, however young; and the age at which fewer are.
ENOUGH, OLD = 24 * 1024 * 1024, timedelta(minutes=5)
# Younger ones stay: live tails read them, and each once.
SPARED = timedelta(seconds=15)
# Seconds between two looks.
INTERVAL = 5.0
# Bytes of payloads in a segment, so that a page need not unpack more than it shows.
LARGEST = 256 * 1024

log = structlog.get_logger()


class Compaction:
    """Of many processes one at a time does it."""

    def __init__(self, database: Database, old: timedelta = OLD, spared: timedelta = SPARED) -> None:
        self._database, self._old, self._spared = database, old, spared

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self.once():
                    pass
            except Unavailable as error:
                log.warning("frames wait to be sorted by station", reason=str(error))
            except Exception:
                # Firmware does not end for want of its log.
                log.exception("frames are not sorted by station")
            await asyncio.sleep(INTERVAL)

    async def once(self) -> int:
        """Does some, if there is enough to do; how many batches they were."""
        async with self._database.transaction() as db:
            waiting = await store.oldest_batches(db, self._old, self._spared)
            size = sum(batch.size for batch in waiting)
            if not waiting or (size < ENOUGH and not waiting[0].due):
                return 0
            ids = list(_fitting(waiting))
            segments = await asyncio.to_thread(sorted_by_station, await store.bodies(db, ids))
            await store.replace_batches(db, ids, segments)
        return len(ids)


def sorted_by_station(bodies: Sequence[bytes]) -> list[Segment]:
    """The entries of batches as segments of one station each."""
    return [pack(part) for entries in by_station(bodies).values() for part in _parts(entries)]


def _parts(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    part, size = list[Entry](), 0
    for entry in entries:
        if part and size + len(entry.payload) > LARGEST:
            yield part
            part, size = [], 0
        part.append(entry)
        size += len(entry.payload)
    yield part


def _fitting(waiting: Sequence[store.Waiting]) -> Iterator[int]:
    """One at least."""
    size = 0
    for batch in waiting:
        if size and size + batch.size > ENOUGH:
            return
        size += batch.size
        yield batch.id
