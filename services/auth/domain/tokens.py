"""IdTokens: registered, changed, removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from services.ocpp.id_tokens import CENTRAL, Token, token_key


@dataclass(frozen=True, slots=True)
class RegisteredToken:
    """An idToken with the times of its registration and its last change. author: who changed it, where known."""

    token: Token
    registered_at: datetime
    changed_at: datetime
    author: str | None = None

    @property
    def key(self) -> str:
        """Identifies it: idTokens are case-insensitive."""
        return token_key(self.token.id_token)


@dataclass(frozen=True, slots=True)
class TokenChanged:
    """An idToken is new or was changed."""

    token: Token
    at: datetime
    author: str | None = None


@dataclass(frozen=True, slots=True)
class TokenRemoved:
    """An idToken was removed."""

    token: Token
    at: datetime
    author: str | None = None


TokenEvent: TypeAlias = TokenChanged | TokenRemoved


@dataclass(frozen=True, slots=True)
class TokenDecision:
    """An idToken after a command. No events: nothing has changed."""

    registered: RegisteredToken
    events: Sequence[TokenEvent] = ()


def fault(token: Token) -> tuple[str, str] | None:
    """What of it cannot stand beside the rest: the field and why; None: nothing."""
    if token.language2 and not token.language:
        return "language2", "needs language (C01.FR.10)"
    if token.language2 and token.language and token.language2.lower() == token.language.lower():
        return "language2", "must be another than language (C01.FR.11)"
    if token.valid_from and token.expires_at and token.valid_from >= token.expires_at:
        return "valid_from", "must be before expires_at"
    if token.master_pass and token.type != CENTRAL:
        return "master_pass", f"is said of a token group: an idToken of type {CENTRAL}"
    return None


def put(current: RegisteredToken | None, token: Token, now: datetime, author: str | None = None) -> TokenDecision:
    """The idToken as requested; if nothing is different, nothing has changed. Another type replaces the idToken."""
    if current and current.token == token:
        return TokenDecision(current)
    if current is None:
        return TokenDecision(RegisteredToken(token, now, now, author), [TokenChanged(token, now, author)])
    removed = [TokenRemoved(current.token, now, author)] if current.token.type != token.type else []
    changed = replace(current, token=token, changed_at=now, author=author)
    return TokenDecision(changed, [*removed, TokenChanged(token, now, author)])


def remove(current: RegisteredToken, now: datetime, author: str | None = None) -> TokenDecision:
    """The idToken as it was."""
    return TokenDecision(current, [TokenRemoved(current.token, now, author)])
