"""What becomes of a delivery, and of a webhook, after a try. Pure.

pending ──▶ retrying ──▶ dead ──(sent again by an operator)──▶ pending
   │            │
   └────────────┴──▶ delivered: it is no longer kept
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# Receivers that say no to what is in an event will hardly say anything else of it later.
REFUSALS = frozenset({400, 413, 415, 422})
GONE = 410
# Below 500, and yet of a receiver that cannot take anything now.
BUSY = frozenset({408, 425, 429})
# And may ask for so long a pause, in seconds.
LONGEST_PAUSE = 3600.0


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    RETRYING = "retrying"
    DEAD = "dead"


class Outcome(StrEnum):
    """delivered: it has it. refused: it will not have this one. gone: it wants none any more. failed: not now."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Policy:
    """first, longest: seconds before the second try, doubling up to the longest.

    give_up: after how much time a delivery is dead. refused: after so many refusals it is, too.
    """

    first: float = 5.0
    longest: float = 600.0
    give_up: timedelta = timedelta(hours=24)
    refused: int = 5


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event for a webhook.

    number: events of one subject are sent in its order. since: from when its time counts. body: in JSON.
    """

    number: int
    event_id: str
    subject: str
    body: bytes
    since: datetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    next_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """status: of HTTP; None if there was no answer. error: in words; empty if it was delivered.

    pause: seconds that the receiver asks for.
    """

    status: int | None
    error: str = ""
    pause: float | None = None

    @property
    def outcome(self) -> Outcome:
        if self.status is not None and 200 <= self.status < 300:
            return Outcome.DELIVERED
        if self.status == GONE:
            return Outcome.GONE
        return Outcome.REFUSED if self.status in REFUSALS else Outcome.FAILED

    @property
    def answered(self) -> bool:
        """Whether the receiver is there, whatever it says of this event: it may be 404 for a station alone."""
        return self.status is not None and self.status < 500 and self.status not in BUSY


@dataclass(frozen=True, slots=True)
class Health:
    """Of a webhook: turns in a row in which nobody answered, and when the next one is."""

    failures: int = 0
    next_at: datetime | None = None


def after(delivery: Delivery, attempt: Attempt, now: datetime, policy: Policy, chance: float) -> Delivery:
    """A delivery after a try that did not succeed. chance: from 0 to 1, so that not all are tried again at once."""
    attempts, refused = delivery.attempts + 1, attempt.outcome == Outcome.REFUSED
    tried = replace(delivery, attempts=attempts, error=attempt.error)
    if attempt.outcome == Outcome.GONE:
        return tried
    if now - delivery.since >= policy.give_up or (refused and attempts >= policy.refused):
        return replace(tried, status=DeliveryStatus.DEAD, next_at=None)
    wait = max(backoff(attempts, policy, chance), _pause(attempt))
    return replace(tried, status=DeliveryStatus.RETRYING, next_at=now + timedelta(seconds=wait))


def probes(waiting: Iterable[Delivery], count: int) -> Sequence[Delivery]:
    """Of what waits for a receiver that is away, what is tried: of each subject the first, those seldom tried first."""
    heads: dict[str, Delivery] = {}
    for one in waiting:
        heads.setdefault(one.subject, one)
    return sorted(heads.values(), key=lambda one: (one.attempts, one.number))[:count]


def health(
    before: Health, made: Sequence[tuple[Delivery, Attempt]], now: datetime, policy: Policy, chance: float
) -> Health:
    """Of a webhook after a turn. Who answers one delivery is there; who asks for a pause gets it.

    That what failed before fails again says nothing of a receiver that is there for others.
    """
    if not made:
        return before
    pause = max(_pause(attempt) for _, attempt in made)
    alive = any(attempt.answered for _, attempt in made)
    if alive and not pause:
        return Health()
    tells = before.failures or any(not delivery.attempts for delivery, _ in made)
    if not pause and not tells:
        return before
    failures = 0 if alive or not tells else before.failures + 1
    wait = max(backoff(failures, policy, chance) if failures else 0, pause)
    return Health(failures, now + timedelta(seconds=wait))


def backoff(tries: int, policy: Policy, chance: float) -> float:
    """Seconds before the next try: between half and all of what doubles with each."""
    longest = min(policy.longest, policy.first * 2.0 ** min(tries - 1, 30))
    return longest * (0.5 + chance / 2)


def _pause(attempt: Attempt) -> float:
    return min(attempt.pause or 0, LONGEST_PAUSE)
