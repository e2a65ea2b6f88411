"""IdTokens: registered, changed, removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from services.ocpp.id_tokens import Token, token_key


@dataclass(frozen=True, slots=True)
class Entry:
    """An idToken with when it came and when it was last changed."""

    token: Token
    registered_at: datetime
    changed_at: datetime

    @property
    def key(self) -> str:
        """Under which it stands: idTokens are case-insensitive."""
        return token_key(self.token.id_token)


@dataclass(frozen=True, slots=True)
class Changed:
    """An idToken is new, or is different."""

    token: Token
    at: datetime


@dataclass(frozen=True, slots=True)
class Removed:
    """An idToken is gone."""

    token: Token
    at: datetime


Event: TypeAlias = Changed | Removed


@dataclass(frozen=True, slots=True)
class Decision:
    """An idToken after a command. No events: nothing has changed."""

    entry: Entry
    events: Sequence[Event] = ()


def put(known: Entry | None, token: Token, now: datetime) -> Decision:
    """The idToken as it shall be; what is the same already is no change. One of another type replaces what was."""
    if known and known.token == token:
        return Decision(known)
    if known is None:
        return Decision(Entry(token, now, now), [Changed(token, now)])
    before = [Removed(known.token, now)] if known.token.type != token.type else []
    return Decision(replace(known, token=token, changed_at=now), [*before, Changed(token, now)])


def remove(known: Entry, now: datetime) -> Decision:
    """The idToken as it was."""
    return Decision(known, [Removed(known.token, now)])
