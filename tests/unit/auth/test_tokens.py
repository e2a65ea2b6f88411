"""IdTokens: state and command to decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.auth.domain.tokens import Changed, Decision, Entry, Removed, put, remove
from services.ocpp.id_tokens import Authorization, Token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
TOKEN = Token("AbCd", "ISO14443", Authorization.ACCEPTED)
KNOWN = Entry(TOKEN, BEFORE, BEFORE)


@pytest.mark.parametrize(
    ("known", "token", "decision"),
    [
        (None, TOKEN, Decision(Entry(TOKEN, NOW, NOW), [Changed(TOKEN, NOW)])),
        (KNOWN, TOKEN, Decision(KNOWN)),
        *(
            (KNOWN, token, Decision(Entry(token, BEFORE, NOW), [Changed(token, NOW)]))
            for token in (
                replace(TOKEN, id_token="abcd"),
                replace(TOKEN, status=Authorization.BLOCKED),
                replace(TOKEN, expires_at=NOW),
                replace(TOKEN, group_id="G"),
                replace(TOKEN, cache_expires_at=NOW),
                replace(TOKEN, language="de"),
            )
        ),
    ],
)
def test_only_what_is_different_is_a_change(known: Entry | None, token: Token, decision: Decision) -> None:
    assert put(known, token, NOW) == decision


def test_a_token_of_another_type_is_another_token() -> None:
    """It replaces the first: REST names tokens by their id alone."""
    local = replace(TOKEN, type="Local")
    events = [Removed(TOKEN, NOW), Changed(local, NOW)]
    assert put(KNOWN, local, NOW) == Decision(Entry(local, BEFORE, NOW), events)


def test_removal_is_announced() -> None:
    assert remove(KNOWN, NOW) == Decision(KNOWN, [Removed(TOKEN, NOW)])


def test_an_id_stands_under_its_lower_case() -> None:
    assert KNOWN.key == "abcd"
