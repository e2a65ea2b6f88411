"""Sessions whose idToken is blocked: which end, and that a station is asked for that once."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ocpp.id_tokens import Authorization, Token
from services.transactions.blocked import ChangedTokens
from services.transactions.domain.blocked import AGAIN_AFTER, END, FINISH, Step, Stop, must_end, step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WAITS, SENT, UNSENT = (
    Stop("c", NOW, waits=True, unsent=False),
    Stop("c", NOW, waits=False, unsent=False),
    Stop("c", NOW, waits=False, unsent=True),
)


def token(status: Authorization = Authorization.BLOCKED, on_block: str | None = None) -> Token:
    return Token("A", "ISO14443", status, on_block=on_block)


def group(status: Authorization = Authorization.BLOCKED, on_block: str | None = None) -> Token:
    return Token("G", "Central", status, on_block=on_block)


ACCEPTED = Authorization.ACCEPTED


@pytest.mark.parametrize(
    ("known", "of", "default", "ends"),
    [
        (token(), None, END, True),
        (token(), None, FINISH, False),
        (token(on_block=END), None, FINISH, True),
        (token(on_block=FINISH), None, END, False),
        (token(ACCEPTED, END), None, END, False),
        (token(Authorization.EXPIRED, END), None, END, False),
        (None, None, END, False),
        (token(ACCEPTED), group(), END, True),
        (token(ACCEPTED), group(), FINISH, False),
        (token(ACCEPTED), group(on_block=END), FINISH, True),
        (token(ACCEPTED, on_block=FINISH), group(on_block=END), END, False),
        (token(ACCEPTED, on_block=END), group(on_block=FINISH), FINISH, True),
        (token(), group(ACCEPTED, on_block=END), FINISH, True),
        (token(ACCEPTED), group(ACCEPTED, on_block=END), END, False),
        (None, group(), END, False),
    ],
)
def test_which_sessions_end(known: Token | None, of: Token | None, default: str, ends: bool) -> None:
    assert must_end(known, of, default) == ends


@pytest.mark.parametrize(
    ("ends", "ended", "stop", "after", "expected"),
    [
        (True, False, None, timedelta(), Step.STOP),
        (False, False, None, timedelta(), Step.NOTHING),
        (True, True, None, timedelta(), Step.NOTHING),
        (True, False, WAITS, timedelta(days=1), Step.NOTHING),
        (False, False, WAITS, timedelta(), Step.TAKE_BACK),
        (True, True, WAITS, timedelta(), Step.TAKE_BACK),
        (True, False, SENT, timedelta(days=1), Step.NOTHING),
        (False, False, SENT, timedelta(days=1), Step.NOTHING),
        (True, False, UNSENT, AGAIN_AFTER - timedelta(seconds=1), Step.NOTHING),
        (True, False, UNSENT, AGAIN_AFTER, Step.STOP),
        (False, False, UNSENT, AGAIN_AFTER, Step.NOTHING),
        (True, True, UNSENT, AGAIN_AFTER, Step.NOTHING),
    ],
)
def test_a_stop_reaches_its_station_once_at_the_most(
    ends: bool, ended: bool, stop: Stop | None, after: timedelta, expected: Step
) -> None:
    assert step(ends, ended, stop, NOW + after) == expected


def test_a_token_that_has_changed_is_looked_at_whichever_key_its_record_has() -> None:
    changed = ChangedTokens()
    for key in ("ISO14443/a1/b", "c"):
        changed.note(key, None)
    assert changed.take() == {"a1/b", "c"}
    assert changed.take() == set()


def test_what_becomes_of_a_group_is_of_all_its_cards() -> None:
    """Also that it is blocked no more, or gone: whose cards they are, the record does not say."""
    changed = ChangedTokens()
    for blocked_no_more in (group(ACCEPTED), None):
        changed.note("Central/g", group())
        assert changed.take() is None
        changed.note("Central/g", blocked_no_more)
        assert changed.take() is None
        changed.note("Central/g", blocked_no_more)
        assert changed.take() == {"g"}
    changed.note("ISO14443/g", token())
    assert changed.take() == {"g"}
    assert changed.take() == set()
