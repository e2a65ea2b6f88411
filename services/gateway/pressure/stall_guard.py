"""A gateway that stood still for long takes nothing from stations before it knows that its slot is still its own."""

import time
from collections.abc import Callable
from math import inf

from services.gateway.cluster.slots import Slots
from services.gateway.transport.websocket import Hold, WebSocket


class Wake:
    """still: seconds without a sign of life of this process after which another may have the slot."""

    def __init__(self, slots: Slots, still: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots, self._still, self._clock = slots, still, clock
        self._woke: float | None = None
        self._held: list[tuple[WebSocket, bytes]] = []
        # When the last sign of life was; none is expected before the first.
        self.seen = inf

    def doubtful(self) -> bool:
        """Whether it has stood still, and Redis has not been asked since."""
        now = self._clock()
        if self._woke is None:
            if now - self.seen > self._still:
                self._woke = now
        elif self._slots.asked >= self._woke:
            self._woke, self.seen = None, now
        return self._woke is not None

    def hold(self, socket: WebSocket, data: bytes) -> None:
        """Keeps a message for later, and reads no more from its connection."""
        self._held.append((socket, data))
        socket.pause(Hold.SLOT)

    def tick(self, now: float) -> None:
        """Its sign of life, about once a second. Hands out what was held, once the slot is known to be ours."""
        doubtful, self.seen = self.doubtful(), self._clock()
        if doubtful:
            return
        held, self._held = self._held, []
        for socket, data in held:
            socket.resume(Hold.SLOT)
            if not socket.over:
                socket.message(data, now)
