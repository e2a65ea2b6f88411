"""The slot that this gateway leases: the partition of ocpp.outbound that is its own."""

import asyncio
import time
from collections.abc import Callable

import structlog

from services.common.process.errors import Unavailable, VoltbusError
from services.gateway import metrics
from services.gateway.cluster.directory import Directory, Lease

RENEWALS = 5

log = structlog.get_logger()


class SlotLost(VoltbusError):
    """Another gateway holds the slot: replies would go to it, so this process ends and comes back with another."""


class Slots:
    """Leases one of `count` slots for `ttl` seconds, from `first` on, and renews it five times in that time.

    doubtful: called when Redis may have lost what it was told: it was away, or the lease was gone.
    """

    def __init__(
        self,
        directory: Directory,
        owner: str,
        count: int,
        ttl: float,
        first: int,
        doubtful: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory, self._owner, self._count, self._ttl = directory, owner, count, ttl
        self._first, self._doubtful, self._clock = first, doubtful, clock
        self._held: int | None = None
        self._until = 0.0
        # When the last renewal that has come to an end was asked for; without Redis, nobody else gets the slot either.
        self.asked = clock()
        metrics.SLOT.set(-1)

    @property
    def held(self) -> bool:
        return self._held is not None

    @property
    def slot(self) -> int:
        """The leased slot, once there is one."""
        assert self._held is not None
        return self._held

    @property
    def certain(self) -> bool:
        """Whether nobody else can have the slot. Not so after a freeze or without Redis, until the next renewal."""
        return self._clock() < self._until

    async def acquire(self) -> None:
        """Raises Unavailable where all slots are taken or Redis does not answer."""
        for step in range(self._count):
            slot = (self._first + step) % self._count
            asked = self._clock()
            if await self._directory.claim(slot, self._owner):
                self._held, self._until = slot, asked + self._ttl
                metrics.SLOT.set(slot)
                log.info("slot leased", slot=slot)
                return
        raise Unavailable(f"all {self._count} gateway slots are taken: set VOLTBUS_SLOTS higher")

    async def run(self) -> None:
        """Renews the lease until cancelled; without Redis it goes on as it is. Raises SlotLost."""
        away = False
        while True:
            asked = self._clock()
            try:
                lease = await self._renew(asked)
            except Unavailable as error:
                away = True
                log.warning("slot not renewed", slot=self.slot, reason=str(error))
            else:
                if away or lease is Lease.RETAKEN:
                    log.warning("Redis was away or has lost the slot: routes are written again", slot=self.slot)
                    self._doubtful()
                away = False
            self.asked = asked
            await asyncio.sleep(self._ttl / RENEWALS)

    async def release(self) -> None:
        if self._held is not None:
            await self._directory.release(self._held, self._owner)

    async def _renew(self, asked: float) -> Lease:
        # By when it was asked, not answered: Redis counts from in between.
        lease = await self._directory.renew(self.slot, self._owner)
        if lease is Lease.LOST:
            self._until = 0.0
            raise SlotLost(f"slot {self.slot} is leased by another gateway")
        self._until = asked + self._ttl
        return lease
