"""A webhook: where events are posted to, which, and signed with what."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.common.push.filters import EventFilter
from services.common.push.webhooks.delivery import Health

# For which a secret that was replaced still signs, so that receivers can change it without a gap.
BOTH_SIGN = timedelta(hours=24)
# Each is a signature in a header of every delivery.
MOST_REPLACED = 5


class TooManySecrets(Exception):
    """As many secrets as may be were replaced, and all of them still sign. until: the next one does."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


@dataclass(frozen=True, slots=True)
class Replaced:
    """A secret that was replaced, and until when it signs."""

    secret: bytes = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    """secret: signs, and so do those that were `replaced`, newest first, for a time.

    disabled_because: why it was disabled, if nobody asked for it. error: of the last try that failed.
    author: who set it last; None: not known. lost: records that Kafka no longer had when they were to be read.
    """

    id: str
    url: str
    filter: EventFilter
    secret: bytes = field(repr=False)
    created_at: datetime
    changed_at: datetime
    replaced: Sequence[Replaced] = ()
    enabled: bool = True
    disabled_because: str | None = None
    health: Health = Health()
    error: str | None = None
    delivered_at: datetime | None = None
    lost: int = 0
    author: str | None = None

    def keys(self, now: datetime) -> Sequence[bytes]:
        """Those that sign."""
        return (self.secret, *(one.secret for one in self.replaced if now < one.until))


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
    author: str | None = None,
) -> Webhook:
    """A webhook as it is requested by author. secret: None: it stays, or is `made` for a new one.

    Raises TooManySecrets.
    """
    if before is None:
        return Webhook(id, url, filter, secret or made, now, now, enabled=enabled, author=author)
    changed = replace(
        before,
        url=url,
        filter=filter,
        enabled=enabled,
        disabled_because=None,
        changed_at=now,
        health=Health(),
        error=None,
        author=author,
    )
    if secret is None or secret == before.secret:
        return changed
    others = [one for one in before.replaced if now < one.until and one.secret != secret]
    if len(others) >= MOST_REPLACED:
        raise TooManySecrets(min(one.until for one in others))
    return replace(changed, secret=secret, replaced=(Replaced(before.secret, now + BOTH_SIGN), *others))
