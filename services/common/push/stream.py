"""Server-sent events: what a follower sees of a topic, as one HTTP answer that does not end by itself."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import thread_time

import orjson

from services.common.kafka.cloud_events import CloudEvent
from services.common.kafka.events import AssignmentOf
from services.common.process.errors import Unavailable
from services.common.push import metrics
from services.common.push.filters import EventFilter
from services.common.push.follower import Follower, Gone
from services.common.push.positions import Positions, write_position
from services.common.web.server_sent import ServerSentEvents

# Events after which others have their turn: to decode one takes 50 µs, of many meter values a millisecond.
SHARE = 10
GONE = "events after your last one are gone: Kafka no longer has them"
EXPIRED, STOPS = "the bearer token has expired", "the service stops; connect again"


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """Seconds.

    heartbeat: without an event, after which a comment shows that the connection lives.
    stalled: that a client may take to read what it was sent; then it is cut off.
    unavailable: between tries while Kafka does not answer.
    """

    heartbeat: float = 15.0
    stalled: float = 60.0
    unavailable: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client asked for.

    service: whose events. assignment_of: see AssignmentOf. ends: positions at which the answer ends; None: it goes on.
    seconds: for which the bearer token is valid. reset: why it may lack something at its begin; empty if it does not.
    """

    service: str
    filter: EventFilter
    assignment_of: AssignmentOf
    ends: Mapping[int, int] | None
    seconds: float
    reset: str


class EventStream(ServerSentEvents):
    """stopping: set when the process is to end. release: called when nobody is served any more."""

    def __init__(
        self,
        follower: Follower,
        wanted: Wanted,
        stopping: asyncio.Event,
        release: Callable[[], Awaitable[None]],
        timing: StreamTiming = StreamTiming(),
    ) -> None:
        super().__init__(timing.stalled)
        self._follower, self._wanted, self._stopping = follower, wanted, stopping
        self._release, self._timing = release, timing

    async def stalled(self) -> None:
        """It goes on from the last id that it has."""
        metrics.STALLED.inc()

    async def ended(self) -> None:
        await self._release()

    async def parts(self, left: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
        """The answer, a few events at a time. left: whether the client is gone."""
        time = asyncio.get_running_loop().time
        expires, at = time() + self._wanted.seconds, dict(self._follower.positions)
        yield self._heartbeat(at)
        if self._wanted.reset:
            yield self._reset(self._wanted.reset, at)
        told = time()
        while not left() and not self._ended(at):
            if time() >= expires or self._stopping.is_set():
                yield _named("closed", STOPS if self._stopping.is_set() else EXPIRED)
                return
            found = await self._next()
            if isinstance(found, Gone):
                at = dict(self._follower.positions)
                yield self._reset(GONE, at)
                continue
            for begin in range(0, len(found), SHARE):
                if left():
                    return
                began = thread_time()
                if part := self._written(found[begin : begin + SHARE], at):
                    yield part
                    told = time()
                # Who catches up takes no more than half of the time from those who charge meanwhile.
                await asyncio.sleep(thread_time() - began)
            if time() - told >= self._timing.heartbeat:
                yield self._heartbeat(at)
                told = time()

    async def _next(self) -> Sequence[CloudEvent] | Gone:
        try:
            return await self._follower.next()
        except Unavailable:
            await asyncio.sleep(self._timing.unavailable)
            return ()

    def _ended(self, at: Positions) -> bool:
        ends = self._wanted.ends
        return ends is not None and all(at.get(number, 0) >= end for number, end in ends.items())

    def _written(self, events: Sequence[CloudEvent], at: Positions) -> bytes:
        """Those that fit; moves `at` past all of them."""
        written = []
        for event in events:
            at[event.partition] = event.offset + 1
            if self._wanted.filter.fits(event, self._wanted.assignment_of):
                written.append(self._id(at) + b"data: " + event.body + b"\n\n")
        metrics.STREAMED.inc(len(written))
        return b"".join(written)

    def _heartbeat(self, at: Positions) -> bytes:
        """With where it is, for a client to which nothing fits would come back from long ago."""
        return b": still here\n" + self._id(at) + b"\n"

    def _reset(self, reason: str, at: Positions) -> bytes:
        return self._id(at) + _named("reset", reason)

    def _id(self, at: Positions) -> bytes:
        return f"id: {write_position(self._wanted.service, at)}\n".encode()


def _named(name: str, reason: str) -> bytes:
    return f"event: {name}\ndata: ".encode() + orjson.dumps({"reason": reason}) + b"\n\n"
