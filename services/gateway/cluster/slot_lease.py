"""The slot that this gateway leases: the partition of ocpp.outbound that is its own."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.common.process.errors import Unavailable, VoltbusError
from services.common.process.readiness import NotReady
from services.gateway import metrics
from services.gateway.cluster.directory import Directory, Renewal
from services.gateway.timing import Seconds

RENEWALS_A_TTL = 5

log = structlog.get_logger()


class SlotLost(VoltbusError):
    """Another gateway holds the slot and gets the replies, so this process ends; it is restarted with another slot."""


class SlotLease:
    """Leases one of `count` slots for `ttl` seconds, from `first` on, and renews it five times in that time.

    partitions: of ocpp.outbound: a slot above them would get no replies.
    owner: the nonce of this gateway. monotonic: the clock by which the lease runs out.
    on_redis_reset: called when Redis may have lost data: it was away, or the lease was gone.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        owner: str,
        count: int,
        partitions: Callable[[], Awaitable[int]],
        ttl: float,
        first: int,
        on_redis_reset: Callable[[], None],
        monotonic: Seconds,
    ) -> None:
        self._directory, self._owner, self._count, self._ttl = directory, owner, count, ttl
        self._partitions, self._problem = partitions, ""
        # Fewer partitions than slots, as it was said last.
        self._warned_of = count
        self._first, self._on_redis_reset, self._monotonic = first, on_redis_reset, monotonic
        self._slot: int | None = None
        self._expires_at = 0.0
        # When the last finished attempt to renew it began; even one without Redis: nobody else gets the slot then.
        self.renewed_at = monotonic()
        metrics.SLOT.set(-1)

    @property
    def held(self) -> bool:
        return self._slot is not None

    @property
    def slot(self) -> int:
        """The leased slot, once there is one."""
        assert self._slot is not None
        return self._slot

    @property
    def valid(self) -> bool:
        """Whether nobody else can have the slot. Not so after a freeze or without Redis, until the next renewal."""
        return self._monotonic() < self._expires_at

    def ready(self) -> bool | NotReady:
        """Whether there is one, for people."""
        return NotReady(self._problem) if self._problem and not self.held else self.held

    async def acquire(self) -> None:
        """Raises Unavailable if all slots are taken, or Redis or Kafka does not answer."""
        try:
            await self._acquire()
        except Unavailable as problem:
            self._problem = str(problem)
            raise

    async def _acquire(self) -> None:
        partitions = await self._partitions()
        if partitions < self._count and partitions != self._warned_of:
            self._warned_of = partitions
            log.warning("slots without a partition are left out", slots=self._count, partitions=partitions)
        count = min(self._count, partitions)
        for step in range(count):
            slot = (self._first + step) % count
            began = self._monotonic()
            if await self._directory.claim(slot, self._owner):
                self._slot, self._expires_at = slot, began + self._ttl
                metrics.SLOT.set(slot)
                log.info("slot leased", slot=slot)
                return
        few = f"ocpp.outbound has only {partitions} of {self._count} partitions"
        raise Unavailable(
            f"all {count} gateway slots are taken: {few if count < self._count else 'set VOLTBUS_SLOTS higher'}"
        )

    async def run(self) -> None:
        """Renews the lease until cancelled; without Redis it goes on as it is. Raises SlotLost."""
        away = False
        while True:
            began = self._monotonic()
            try:
                renewal = await self._renew(began)
            except Unavailable as error:
                away = True
                log.warning("slot not renewed", slot=self.slot, reason=str(error))
            else:
                if away or renewal is Renewal.RETAKEN:
                    log.warning("Redis was away or has lost the slot: routes are written again", slot=self.slot)
                    self._on_redis_reset()
                away = False
            self.renewed_at = began
            await asyncio.sleep(self._ttl / RENEWALS_A_TTL)

    async def release(self) -> None:
        if self._slot is not None:
            await self._directory.release(self._slot, self._owner)

    async def _renew(self, began: float) -> Renewal:
        # From before the request, not after the answer: Redis counts from in between.
        renewal = await self._directory.renew(self.slot, self._owner)
        if renewal is Renewal.LOST:
            self._expires_at = 0.0
            raise SlotLost(f"slot {self.slot} is leased by another gateway")
        self._expires_at = began + self._ttl
        return renewal
