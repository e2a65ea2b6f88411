"""A webhook: where events are posted to, which, and signed with what."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.common.push.filters import EventFilter
from services.common.push.webhooks.delivery import Health

# For which a secret that was replaced still signs, so that receivers can change it without a gap.
BOTH_SIGN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Webhook:
    """secret, previous: keys that sign; previous until a time.

    disabled_because: why it was disabled, if nobody asked for it. error: of the last try that failed.
    lost: records that Kafka no longer had when they were to be read.
    """

    id: str
    url: str
    filter: EventFilter
    secret: bytes = field(repr=False)
    created_at: datetime
    changed_at: datetime
    previous: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    enabled: bool = True
    disabled_because: str | None = None
    health: Health = Health()
    error: str | None = None
    delivered_at: datetime | None = None
    lost: int = 0

    def keys(self, now: datetime) -> Sequence[bytes]:
        """Those that sign."""
        if self.previous is not None and self.previous_until is not None and now < self.previous_until:
            return (self.secret, self.previous)
        return (self.secret,)


def put(
    before: Webhook | None,
    *,
    id: str,
    url: str,
    filter: EventFilter,
    secret: bytes | None,
    enabled: bool,
    now: datetime,
    made: bytes,
) -> Webhook:
    """A webhook as it is requested. secret: None: it stays, or is `made` for a new one."""
    if before is None:
        return Webhook(id, url, filter, secret or made, now, now, enabled=enabled)
    changed = replace(
        before,
        url=url,
        filter=filter,
        enabled=enabled,
        disabled_because=None,
        changed_at=now,
        health=Health(),
        error=None,
    )
    if secret is None or secret == before.secret:
        return changed
    return replace(changed, secret=secret, previous=before.secret, previous_until=now + BOTH_SIGN)
