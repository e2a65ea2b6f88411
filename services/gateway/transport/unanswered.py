"""Connections whose upgrade request has not come yet: when there are too many, the oldest makes room.

A station sends its request at once. Who holds a socket and says nothing is the oldest sooner or later, so that a flood
of them costs a bounded number of sockets, and no station its place.
"""

from typing import Protocol

from services.gateway import metrics


class Waiting(Protocol):
    """One that has not said what it wants."""

    def give_way(self) -> None:
        """Others need its place."""


class Unanswered:
    """limit: how many there may be."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # The oldest first.
        self._waiting: dict[Waiting, None] = {}
        metrics.UNANSWERED.set_function(lambda: len(self._waiting))

    def add(self, waiting: Waiting) -> None:
        self._waiting[waiting] = None
        if len(self._waiting) > self._limit:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            metrics.CROWDED_OUT.inc()
            oldest.give_way()

    def remove(self, waiting: Waiting) -> None:
        """It has been answered, or is gone."""
        self._waiting.pop(waiting, None)
