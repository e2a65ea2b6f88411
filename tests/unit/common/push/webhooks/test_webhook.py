"""Making and changing a webhook."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.push.filters import EventFilter
from services.common.push.webhooks.delivery import Health
from services.common.push.webhooks.webhook import BOTH_SIGN, MOST_REPLACED, Replaced, TooManySecrets, Webhook, put

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD, NEW, MADE = b"old" * 10, b"new" * 10, b"made" * 10


def requested(before: Webhook | None, secret: bytes | None = None, now: datetime = NOW, **more: Any) -> Webhook:
    given: dict[str, Any] = {"url": "https://billing.example", "filter": EventFilter(), "enabled": True}
    return put(before, id="billing", secret=secret, now=now, made=MADE, **(given | more))


def test_a_secret_is_made_for_who_gives_none_and_then_stays() -> None:
    first = requested(None)
    assert first.keys(NOW) == (MADE,)
    assert requested(requested(None, OLD)).keys(NOW) == (OLD,)


def test_a_secret_that_is_replaced_signs_on_for_a_day() -> None:
    changed = requested(requested(None, OLD), NEW)
    assert changed.keys(NOW) == (NEW, OLD)
    assert changed.keys(NOW + BOTH_SIGN) == (NEW,)
    later = NOW + timedelta(hours=1)
    # Told again it is no other change.
    assert requested(changed, NEW, later).replaced == (Replaced(OLD, NOW + BOTH_SIGN),)


def test_each_secret_that_was_replaced_within_a_day_signs_on() -> None:
    hour = timedelta(hours=1)
    third = requested(requested(requested(None, OLD), NEW), MADE, NOW + hour)
    assert third.keys(NOW + hour) == (MADE, NEW, OLD)
    assert third.keys(NOW + BOTH_SIGN) == (MADE, NEW)
    assert third.keys(NOW + BOTH_SIGN + hour) == (MADE,)


def test_a_secret_that_comes_back_signs_once() -> None:
    """Of a request that is late, too: what was asked for in between signs on."""
    back = requested(requested(requested(None, OLD), NEW), OLD)
    assert back.keys(NOW) == (OLD, NEW)


def test_no_more_than_some_secrets_sign() -> None:
    webhook = requested(None, b"0" * 30)
    for number in range(1, MOST_REPLACED + 1):
        webhook = requested(webhook, bytes([48 + number]) * 30, NOW + timedelta(minutes=number))
    late = NOW + timedelta(hours=23)
    assert len(webhook.keys(late)) == 1 + MOST_REPLACED
    with pytest.raises(TooManySecrets) as refused:
        requested(webhook, NEW, late)
    assert refused.value.until == NOW + timedelta(minutes=1) + BOTH_SIGN
    # Anything else may be changed, and one of those that sign may come back.
    assert requested(webhook, None, late, url="https://elsewhere.example").replaced == webhook.replaced
    assert len(requested(webhook, b"1" * 30, late).keys(late)) == 1 + MOST_REPLACED
    assert requested(webhook, NEW, refused.value.until).keys(refused.value.until)[0] == NEW


def test_what_is_changed_begins_anew() -> None:
    troubles: Any = {"health": Health(7, NOW), "enabled": False, "disabled_because": "gone", "error": "away", "lost": 3}
    failing = replace(requested(None, OLD), **troubles)
    changed = requested(failing)
    assert (changed.health, changed.enabled, changed.disabled_because, changed.error) == (Health(), True, None, None)
    assert changed.lost == 3


def test_no_secret_is_ever_printed() -> None:
    changed = requested(requested(None, OLD), NEW)
    assert "old" not in repr(changed)
    assert "new" not in repr(changed)
