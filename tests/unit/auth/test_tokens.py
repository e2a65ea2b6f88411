"""IdTokens: state and command to decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.auth.domain.tokens import (
    RegisteredToken,
    TokenChanged,
    TokenDecision,
    TokenEvent,
    TokenRemoved,
    put,
    remove,
)
from services.ocpp.id_tokens import Authorization, Token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
TOKEN = Token("AbCd", "ISO14443", Authorization.ACCEPTED)
CURRENT = RegisteredToken(TOKEN, BEFORE, BEFORE)


@pytest.mark.parametrize(
    ("current", "token", "decision"),
    [
        (None, TOKEN, TokenDecision(RegisteredToken(TOKEN, NOW, NOW), [TokenChanged(TOKEN, NOW)])),
        (CURRENT, TOKEN, TokenDecision(CURRENT)),
        *(
            (CURRENT, token, TokenDecision(RegisteredToken(token, BEFORE, NOW), [TokenChanged(token, NOW)]))
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
def test_only_what_is_different_is_a_change(
    current: RegisteredToken | None, token: Token, decision: TokenDecision
) -> None:
    assert put(current, token, NOW) == decision


def test_a_token_of_another_type_is_another_token() -> None:
    """It replaces the first: REST names tokens by their id alone."""
    local = replace(TOKEN, type="Local")
    events: list[TokenEvent] = [TokenRemoved(TOKEN, NOW), TokenChanged(local, NOW)]
    assert put(CURRENT, local, NOW) == TokenDecision(RegisteredToken(local, BEFORE, NOW), events)


def test_removal_is_announced() -> None:
    assert remove(CURRENT, NOW) == TokenDecision(CURRENT, [TokenRemoved(TOKEN, NOW)])


def test_an_id_stands_under_its_lower_case() -> None:
    assert CURRENT.key == "abcd"
