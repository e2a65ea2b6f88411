"""After a freeze, messages of stations wait until Redis confirms that the slot is still this gateway's."""

from collections.abc import Callable
from math import inf

from services.gateway.cluster.slot_lease import SlotLease
from services.gateway.pressure.hold import Hold, Pausable

Deliver = Callable[[float], None]
"""Delivers a held message. Called with the present time, by the monotonic clock."""


class StallGuard:
    """max_stall: seconds without a tick of this process after which another may have the slot.

    All times are seconds of the monotonic clock.
    """

    def __init__(self, lease: SlotLease, max_stall: float) -> None:
        self._lease, self._max_stall = lease, max_stall
        self._stalled_until: float | None = None
        self._held: list[tuple[Pausable, Deliver]] = []
        # A long start is no freeze.
        self.last_tick = inf

    def lease_uncertain(self, now: float) -> bool:
        """Whether the process was frozen, and the lease has not been renewed since."""
        if self._stalled_until is None:
            if now - self.last_tick > self._max_stall:
                self._stalled_until = now
        elif self._lease.renewed_at >= self._stalled_until:
            self._stalled_until, self.last_tick = None, now
        return self._stalled_until is not None

    def hold(self, transport: Pausable, deliver: Deliver) -> None:
        """Keeps a message for later, and pauses its transport."""
        self._held.append((transport, deliver))
        transport.pause(Hold.LEASE)

    def tick(self, now: float) -> None:
        """About once a second. Delivers the held messages, once the slot is known to be ours."""
        uncertain, self.last_tick = self.lease_uncertain(now), now
        if not uncertain:
            self._deliver(now)

    def slot_lost(self, now: float) -> None:
        """There is nothing to wait for any more: what stations have said still counts, only answers go nowhere."""
        self._stalled_until, self.last_tick = None, now
        self._deliver(now)

    def _deliver(self, now: float) -> None:
        held, self._held = self._held, []
        for transport, deliver in held:
            deliver(now)
            transport.resume(Hold.LEASE)
