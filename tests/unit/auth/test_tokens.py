"""IdTokens: state and command to decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.auth.domain.tokens import (
    RegisteredToken,
    TokenChanged,
    TokenDecision,
    TokenEvent,
    TokenRemoved,
    fault,
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
                replace(TOKEN, valid_from=NOW),
                replace(TOKEN, evses=("CP1/1",)),
                replace(TOKEN, note="the spare one"),
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


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, None),
        ({"language": "de", "language2": "en"}, None),
        ({"language2": "en"}, "language2"),
        ({"language": "en", "language2": "EN"}, "language2"),
        ({"valid_from": BEFORE, "expires_at": NOW}, None),
        ({"valid_from": NOW, "expires_at": NOW}, "valid_from"),
        ({"master_pass": True}, "master_pass"),
        ({"master_pass": True, "type": "Central"}, None),
    ],
)
def test_what_does_not_go_together(said: Any, field: str | None) -> None:
    """C01.FR.10, C01.FR.11: a second language needs a first, and is another."""
    found = fault(replace(TOKEN, **said))
    assert (found and found[0]) == field
