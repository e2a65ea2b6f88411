"""Whose turn it is to shake hands: so many at a time, a few in each turn of the event loop, in the order they came.

A handshake costs a signature, a hundred times the work of a message, and stations come back all at once.
"""

import asyncio
from collections import deque
from typing import Protocol

from services.gateway import metrics

# Signatures in one turn of the event loop: a few milliseconds, for which the stations that are there wait.
A_TURN = 4
# Under way at a time, and how long one may be, in seconds, while others wait. Beyond that, clients that only hold their
# place would keep stations out.
MOST, PATIENCE = 500, 2.0
# Who waits costs a socket; beyond so many, the next ones are sent away.
MOST_WAITING = 20_000


class Handshake(Protocol):
    """One that is to be begun."""

    def begin(self) -> None:
        """Its turn has come."""

    def give_way(self) -> None:
        """Its time is up."""


class Handshakes:
    """Those of all connections of a gateway. most: under way at a time."""

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        self._most, self._patience = most, patience
        self._waiting: deque[Handshake] = deque()
        # Since when, oldest first.
        self._under_way: dict[Handshake, float] = {}
        self._scheduled: asyncio.Handle | None = None
        self._delayed = False
        metrics.TLS_HANDSHAKES_UNDER_WAY.set_function(lambda: len(self._under_way))

    def add(self, handshake: Handshake) -> bool:
        """Its turn will come; False: too many wait."""
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting.append(handshake)
        self._schedule()
        return True

    def remove(self, handshake: Handshake) -> None:
        """It is over, or will not be."""
        if self._under_way.pop(handshake, None) is not None:
            self._schedule()
        elif self._waiting:
            # It went before its turn, which is rare: what waits is not read.
            try:
                self._waiting.remove(handshake)
            except ValueError:
                return

    def _schedule(self, delay: float = 0.0) -> None:
        """delay: in seconds, until the oldest under way has had its time; nobody may have ended before."""
        if self._scheduled is not None and self._delayed and not delay:
            self._scheduled.cancel()
            self._scheduled = None
        if self._waiting and self._scheduled is None:
            loop, self._delayed = asyncio.get_running_loop(), delay > 0
            self._scheduled = loop.call_later(delay, self._turn) if delay else loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = None
        now = asyncio.get_running_loop().time()
        for _ in range(A_TURN):
            if not self._waiting:
                return
            if len(self._under_way) >= self._most:
                oldest, since = next(iter(self._under_way.items()))
                if now - since < self._patience:
                    self._schedule(since + self._patience - now)
                    return
                oldest.give_way()
            handshake = self._waiting.popleft()
            self._under_way[handshake] = now
            handshake.begin()
        self._schedule()
