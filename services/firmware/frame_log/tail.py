"""A station's log as it grows, by server-sent events: whatever is kept of it, within a second or two."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

import orjson

from services.common.postgres.database import Database
from services.common.process.errors import Unavailable
from services.common.web.problems import Problem
from services.common.web.server_sent import ServerSentEvents
from services.firmware.frame_log import metrics, reads
from services.firmware.frame_log.compaction import SPARED
from services.firmware.frame_log.entries import Entry
from services.firmware.frame_log.exchanges import Exchange, Place, exchanges
from services.firmware.frame_log.reads import LogFilter
from services.firmware.frame_log.views import LogItem

# Clients that one process serves at a time; and seconds for which each is, then it connects again.
MOST, LONGEST = 50, 3600.0
# Seconds between two looks; without an item until a comment shows that the connection lives; that a client may take to
# read what it was sent.
INTERVAL, HEARTBEAT, STALLED = 1.0, 15.0, 10.0
# CALLs whose answer may still come, the newest; and looks for which each is waited for.
OPEN = 200


class Tails:
    """Those that a process serves. stopping: set when the process is to end."""

    def __init__(self, database: Database, stopping: asyncio.Event) -> None:
        self._database, self.stopping, self.count = database, stopping, 0

    async def begin(self, station_id: str, wanted: LogFilter, seconds: float) -> "TailResponse":
        """seconds: for which it goes on. Raises Problem where there are too many already, and Unavailable."""
        if self.count >= MOST:
            raise Problem(503, f"{MOST} logs are followed already: try again", headers={"Retry-After": "10"})
        seen: set[int] = set()
        async with self._database.connection() as db:
            await reads.new_entries(db, station_id, seen, SPARED)
        return TailResponse(self, follow(self._database, station_id, wanted, seen, self.stopping, seconds))

    @contextmanager
    def counted(self) -> Iterator[None]:
        """While a client is served."""
        self.count += 1
        metrics.TAILS.set(self.count)
        try:
            yield
        finally:
            self.count -= 1
            metrics.TAILS.set(self.count)


class TailResponse(ServerSentEvents):
    """news: what the client is sent."""

    def __init__(self, tails: Tails, news: AsyncGenerator[bytes, None]) -> None:
        super().__init__(STALLED)
        self._tails, self._news = tails, news

    async def parts(self, left: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
        with self._tails.counted():
            async with aclosing(self._news) as news:
                async for part in news:
                    yield part
                    if left():
                        return


async def follow(
    database: Database,
    station_id: str,
    wanted: LogFilter,
    seen: set[int],
    stopping: asyncio.Event,
    seconds: float = LONGEST,
) -> AsyncGenerator[bytes, None]:
    """What is new, an event each; a CALL again when its answer has come. seen: batches that are not new."""
    loop, followed = asyncio.get_running_loop(), Followed()
    ends, told = loop.time() + seconds, loop.time()
    yield b": from now on\n\n"
    while loop.time() < ends and not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(INTERVAL, seconds)):
                await stopping.wait()
        entries: list[Entry] = []
        with contextlib.suppress(Unavailable):
            async with database.connection() as db:
                entries = await reads.new_entries(db, station_id, seen, SPARED)
        items = [LogItem.of(one) for one in followed.add(entries) if wanted.fits(one)]
        if items:
            yield b"".join(b"data: " + orjson.dumps(item.row()) + b"\n\n" for item in items)
        if items or loop.time() - told >= HEARTBEAT:
            told = loop.time()
            if not items:
                yield b": still here\n\n"
    yield b'event: closed\ndata: {"reason": "connect again"}\n\n'


class Followed:
    """Entries as they come in, joined with the CALLs before them. Bounded."""

    def __init__(self) -> None:
        self._open: list[Entry] = []

    def add(self, entries: list[Entry]) -> list[Exchange]:
        """What is new, in order: also CALLs that were told before, and whose answer is among the entries."""
        if not entries:
            return []
        before = {_place(entry) for entry in self._open}
        joined = exchanges([*self._open, *entries])
        news = [one for one in joined if one.place not in before or one.answer or one.late or one.note]
        self._open = [one.entry for one in joined if _waits(one)][-OPEN:]
        return news


def _waits(exchange: Exchange) -> bool:
    entry = exchange.entry
    return bool(entry.key) and not entry.answered and exchange.answer is None and exchange.note is None


def _place(entry: Entry) -> Place:
    return Place(entry.at, entry.kind, entry.offset)
