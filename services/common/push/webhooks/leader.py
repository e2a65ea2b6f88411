"""The webhooks of a service. Many processes may run them: one leads, the others wait."""

import asyncio
import contextlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.common.kafka.bus import Bus
from services.common.kafka.events import AssignmentOf
from services.common.postgres.database import UNAVAILABLE, Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.wakeup import Wakeup
from services.common.push import metrics
from services.common.push.positions import Positions
from services.common.push.webhooks import store
from services.common.push.webhooks.intake import Intake
from services.common.push.webhooks.sender import Post, Sender
from services.common.push.webhooks.webhook import Webhook

LEAD = "select pg_try_advisory_lock($1, $2)"
RESIGN = "select pg_advisory_unlock_all()"
LOCK = zlib.crc32(b"voltbus webhooks") >> 1
# As long as dead letters.
DEAD_FOR = timedelta(days=28)
TOO_MANY = "more than {} deliveries were waiting or dead (VOLTBUS_WEBHOOK_BACKLOG)"
GAUGES = (metrics.WAITING, metrics.DEAD, metrics.OLDEST)

log = structlog.get_logger()


@dataclass(frozen=True)
class LeaderTiming:
    """Seconds. follow: between two tries to lead, or looks whether there is a webhook. count: between two counts."""

    follow: float = 2.0
    count: float = 10.0


class Webhooks:
    """bus, topic: of the events. post: see Post. assignment_of: see AssignmentOf.

    backlog: deliveries kept for a webhook. wake: to be called when a webhook was changed, or is to send again.
    """

    def __init__(
        self,
        bus: Bus,
        topic: str,
        post: Post,
        assignment_of: AssignmentOf,
        *,
        backlog: int,
        timing: LeaderTiming = LeaderTiming(),
    ) -> None:
        self._bus, self._topic, self.post, self._assignment_of = bus, topic, post, assignment_of
        self._backlog, self._timing, self.wake = backlog, timing, Wakeup()
        self._senders: dict[str, tuple[Sender, asyncio.Task[None]]] = {}

    @property
    def database(self) -> Database:
        return self.post.database

    @property
    def clock(self) -> Clock:
        return self.post.clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self.database.connection() as db:
                    if await db.fetchval(store.ANY_ENABLED) and await db.fetchval(LEAD, LOCK, self._schema()):
                        try:
                            await self._lead(db)
                        finally:
                            # If the connection is broken, the lock is gone.
                            with contextlib.suppress(*UNAVAILABLE):
                                await db.execute(RESIGN)
            except Unavailable as error:
                log.warning("webhooks wait", reason=str(error))
            await self.wake.wait(self._timing.follow)

    async def _lead(self, db: Connection) -> None:
        """While there are any that are enabled."""
        intake = Intake(self._bus, self._topic, self._assignment_of, self.clock)
        time, counted = asyncio.get_running_loop().time, 0.0
        try:
            while webhooks := await store.enabled(db):
                self._serve([one.id for one in webhooks])
                for webhook_id in await intake.turn(db):
                    self.woken(webhook_id)
                if time() - counted >= self._timing.count:
                    await self._count(db, webhooks)
                    counted = time()
        finally:
            senders = [task for _, task in self._senders.values()]
            self._serve([])
            await asyncio.gather(*senders, return_exceptions=True)
            await intake.close()
            for gauge in GAUGES:
                gauge.clear()

    async def end(self) -> Positions:
        """Where the topic ends now. Raises Unavailable."""
        return {number: held.end for number, held in (await self._bus.bounds(self._topic)).items()}

    def woken(self, webhook_id: str) -> None:
        """There is something new to send for a webhook."""
        if sender := self._senders.get(webhook_id):
            sender[0].wake()

    def _serve(self, webhook_ids: Sequence[str]) -> None:
        """Runs the senders of these, and no others."""
        for webhook_id in self._senders.keys() - set(webhook_ids):
            self._senders.pop(webhook_id)[1].cancel()
        for webhook_id in webhook_ids:
            if webhook_id not in self._senders:
                sender = Sender(webhook_id, self.post)
                self._senders[webhook_id] = sender, asyncio.create_task(sender.run())

    async def _count(self, db: Connection, webhooks: Sequence[Webhook]) -> None:
        """Tells how many wait, disables what nobody reads, and forgets what is long dead."""
        now, found = self.clock(), await store.counts(db, [one.id for one in webhooks])
        for gauge in GAUGES:
            gauge.clear()
        for webhook in webhooks:
            webhook_id, count = webhook.id, found[webhook.id]
            metrics.WAITING.labels(webhook_id).set(count.waiting)
            metrics.DEAD.labels(webhook_id).set(count.dead)
            metrics.OLDEST.labels(webhook_id).set((now - count.oldest).total_seconds() if count.oldest else 0)
            if count.waiting + count.dead > self._backlog:
                log.error("a webhook was disabled", webhook=webhook_id, deliveries=count.waiting + count.dead)
                await db.execute(store.DISABLE, webhook_id, TOO_MANY.format(self._backlog), webhook.changed_at)
        await db.execute(store.PURGE, now - DEAD_FOR)

    def _schema(self) -> int:
        return zlib.crc32(self.database.schema.encode()) >> 1
