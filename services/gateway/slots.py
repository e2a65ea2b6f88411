"""The slot that this gateway leases: the partition of ocpp.outbound that is its own."""

import asyncio
from collections.abc import Callable

import structlog

from services.common.errors import Unavailable, VoltbusError
from services.gateway import metrics
from services.gateway.directory import Directory, Lease

log = structlog.get_logger()


class SlotLost(VoltbusError):
    """Another gateway holds the slot: replies would go to it, so this process ends and comes back with another."""


class Slots:
    """Leases one of `count` slots, from `first` on, and renews it every `renewal` seconds.

    emptied: called when the lease was gone, so that Redis may have lost more than that.
    """

    def __init__(
        self, directory: Directory, owner: str, count: int, renewal: float, first: int, emptied: Callable[[], None]
    ) -> None:
        self._directory, self._owner, self._count, self._renewal = directory, owner, count, renewal
        self._first, self._emptied = first, emptied
        self._held: int | None = None
        metrics.SLOT.set(-1)

    @property
    def held(self) -> bool:
        return self._held is not None

    @property
    def slot(self) -> int:
        """The leased slot, once there is one."""
        assert self._held is not None
        return self._held

    async def acquire(self) -> None:
        """Raises Unavailable where all slots are taken or Redis does not answer."""
        for step in range(self._count):
            slot = (self._first + step) % self._count
            if await self._directory.claim(slot, self._owner):
                self._held = slot
                metrics.SLOT.set(slot)
                log.info("slot leased", slot=slot)
                return
        raise Unavailable(f"all {self._count} gateway slots are taken: set VOLTBUS_SLOTS higher")

    async def run(self) -> None:
        """Renews the lease until cancelled; without Redis it goes on as it is. Raises SlotLost."""
        while True:
            await asyncio.sleep(self._renewal)
            try:
                lease = await self._directory.renew(self.slot, self._owner)
            except Unavailable as error:
                log.warning("slot not renewed", slot=self.slot, reason=str(error))
                continue
            if lease is Lease.LOST:
                raise SlotLost(f"slot {self.slot} is leased by another gateway")
            if lease is Lease.RETAKEN:
                log.warning("slot was free and is leased again", slot=self.slot)
                self._emptied()

    async def release(self) -> None:
        if self._held is not None:
            await self._directory.release(self._held, self._owner)
