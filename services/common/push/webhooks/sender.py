"""Sends what waits for one webhook: each subject in order, several subjects at a time."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from services.common.kafka.cloud_events import CONTENT_TYPE
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.wakeup import Wakeup
from services.common.push import metrics
from services.common.push.webhooks import store
from services.common.push.webhooks.delivery import Attempt, Delivery, Outcome, Policy, after, health, probes
from services.common.push.webhooks.signature import signed
from services.common.push.webhooks.webhook import Webhook
from services.common.web.outbound.client import NoAnswer, Outbound

# Deliveries of a turn, and how many are on their way at a time; how many are tried to see whether it is there again.
TURN, AT_ONCE, PROBES = 100, 16, 4
# Seconds: without news; and after what was not thought of.
IDLE, BROKEN = 5.0, 30.0
GONE = "the receiver answered 410 Gone: it wants no more"
EXPIRED = "not delivered in time"

log = structlog.get_logger()
Made = Sequence[tuple[Delivery, Attempt]]


@dataclass(frozen=True)
class Post:
    """What a sender needs. chance: from 0 to 1."""

    database: Database
    outbound: Outbound
    clock: Clock
    policy: Policy
    chance: Callable[[], float] = random.random

    async def attempt(self, webhook: Webhook, event_id: str, body: bytes) -> Attempt:
        """Posts an event once."""
        now = self.clock()
        headers = {"content-type": CONTENT_TYPE, **signed(event_id, now, body, webhook.keys(now))}
        try:
            answer = await self.outbound.post(webhook.url, headers, body)
        except NoAnswer as error:
            return Attempt(None, str(error))
        return Attempt(answer.status, _words(answer.status), answer.retry_after)


class Sender:
    """Of one webhook, until it is cancelled. wake: to be called when there is something new to send."""

    def __init__(self, webhook_id: str, post: Post) -> None:
        self._id, self._post, self.wake = webhook_id, post, Wakeup()

    async def run(self) -> None:
        while True:
            try:
                wait = await self.turn()
            except Unavailable as error:
                log.warning("a webhook waits", webhook=self._id, reason=str(error))
                wait = 1.0
            except Exception:
                # Nothing that is wrong with one webhook holds up the others.
                log.exception("a webhook cannot be served", webhook=self._id)
                wait = BROKEN
            if wait:
                await self.wake.wait(wait)

    async def turn(self) -> float:
        """Sends what is due; the seconds until it is worth trying again."""
        now, post = self._post.clock(), self._post
        async with post.database.connection() as db:
            webhook = await store.find(db, self._id)
            if webhook is None or not webhook.enabled:
                return IDLE
            if webhook.health.next_at and webhook.health.next_at > now:
                return min(IDLE, (webhook.health.next_at - now).total_seconds())
            waiting = await store.due(db, self._id, now, TURN)
            if webhook.health.failures:
                waiting = probes(waiting, PROBES)
            if not waiting:
                later = await db.fetchval(store.NEXT_TRY, self._id, now)
                return min(IDLE, (later - now).total_seconds()) if later else IDLE
        await self._keep(webhook, await self._send(webhook, waiting))
        return 0

    async def _send(self, webhook: Webhook, waiting: Sequence[Delivery]) -> Made:
        made: list[tuple[Delivery, Attempt]] = []
        places, failed, stopped = asyncio.Semaphore(AT_ONCE), 0, False

        async def chain(deliveries: Sequence[Delivery]) -> None:
            nonlocal failed, stopped
            async with places:
                for one in deliveries:
                    if stopped:
                        return
                    attempt = await self._post.attempt(webhook, one.event_id, one.body)
                    made.append((one, attempt))
                    metrics.DELIVERIES.labels(webhook.id, attempt.outcome).inc()
                    failed += not attempt.answered
                    # It is away if it takes none of so many, and not if it fails for what some of them say.
                    stopped |= attempt.outcome == Outcome.GONE or len(made) == failed == AT_ONCE
                    if attempt.outcome != Outcome.DELIVERED:
                        return

        by_subject = groupby(sorted(waiting, key=lambda one: one.subject), key=lambda one: one.subject)
        await asyncio.gather(*(chain(list(ones)) for _, ones in by_subject))
        return made

    async def _keep(self, webhook: Webhook, made: Made) -> None:
        now, policy, chance = self._post.clock(), self._post.policy, self._post.chance
        delivered = [one.number for one, attempt in made if attempt.outcome == Outcome.DELIVERED]
        others = [
            after(one, attempt, now, policy, chance()) for one, attempt in made if attempt.outcome != Outcome.DELIVERED
        ]
        found = health(webhook.health, made, now, policy, chance())
        error = next((attempt.error for _, attempt in reversed(made) if attempt.error), None)
        async with self._post.database.transaction() as db:
            await store.tried(db, delivered, others)
            await store.save_health(db, webhook, found, error, now if delivered else None)
            if found.failures:
                await db.execute(store.EXPIRE, webhook.id, now - policy.give_up, EXPIRED)
            if any(attempt.outcome == Outcome.GONE for _, attempt in made):
                await db.execute(store.DISABLE, webhook.id, GONE, webhook.changed_at)


def _words(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"the receiver answered {status}: redirects are not followed"
    return f"the receiver answered {status}"
