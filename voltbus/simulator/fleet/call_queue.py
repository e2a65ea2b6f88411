"""The CALLs a station has to send: in order, kept while it is offline if the CSMS must receive them, and repeated."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from voltbus.simulator.station.types import Call, Clock, Payload

MAX_ATTEMPTS = 3
PAUSE = timedelta(seconds=5)
# Beyond this, every second reading is dropped (E04.FR.07, E04.FR.08).
MAX_QUEUED = 500


@dataclass(slots=True, eq=False)
class QueuedCall:
    """One CALL to send. make: called when it is first sent; it returns None if there is nothing to send after all.

    answered: called with the response. persistent: it survives the connection. droppable: it may be dropped if too many
    wait. requested: the CSMS has asked for it, even before it accepts the station. not_before: of the next attempt.
    """

    make: Callable[[], Call | None]
    answered: Callable[[Payload], None]
    persistent: bool = False
    droppable: bool = False
    requested: bool = False
    call: Call | None = None
    attempts: int = 0
    not_before: datetime | None = None


def plain(call: Call) -> QueuedCall:
    """A message whose response does not matter."""
    return QueuedCall(lambda: call, lambda _: None)


class CallQueue:
    """The queue of one station."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[QueuedCall] = deque()

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def has_persistent(self) -> bool:
        """Whether a message about a session waits."""
        return any(queued.persistent and not queued.requested for queued in self._calls)

    def put(self, queued: QueuedCall) -> None:
        """Appends a call."""
        if len(self._calls) >= MAX_QUEUED:
            dropped = [waiting for waiting in self._calls if waiting.droppable and waiting.call is None][::2]
            self._calls = deque(waiting for waiting in self._calls if waiting not in dropped)
        self._calls.append(queued)

    def next(self, only_requested: bool = False) -> QueuedCall | None:
        """The call to send now; it stays in the queue until it is `done`."""
        for queued in tuple(self._calls):
            if only_requested and not queued.requested:
                continue
            if queued.not_before and queued.not_before > self._clock():
                return None
            queued.call = queued.call or queued.make()
            if queued.call is not None:
                return queued
            self.done(queued)
        return None

    def done(self, queued: QueuedCall) -> None:
        """Removes a call that was answered, or that has nothing to send."""
        if queued in self._calls:
            self._calls.remove(queued)

    def failed(self, queued: QueuedCall, counted: bool) -> datetime | None:
        """After a CALLERROR (`counted`) or a time-out: when it is sent again, None for never (E13.FR.03)."""
        queued.attempts += counted
        if not queued.persistent or queued.attempts >= MAX_ATTEMPTS:
            self.done(queued)
            return None
        queued.not_before = self._clock() + max(1, queued.attempts) * PAUSE
        return queued.not_before

    def disconnected(self) -> None:
        """Drops what does not survive the connection."""
        self._calls = deque(queued for queued in self._calls if queued.persistent)
