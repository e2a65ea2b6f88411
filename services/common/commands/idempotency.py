"""Idempotency keys: each caller has its own, whatever others call their requests. Pure.

What was asked for is kept under the key as it was said, where no other caller has that, and else under one of the
caller's own, made of both. So the tables need no more than a unique column, and the release before finds what it knows.
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol, TypeVar

from services.common.process.errors import VoltbusError

OWN = "caller/"
# Keys that services make begin so: whatever a caller says is none of them.
MADE = (OWN, "configuration/", "on_block/", "resumed/")


class KeyReused(VoltbusError):
    """An idempotency key that stands for another request."""


class KeptRequest(Protocol):
    """What is kept of a request. author: None: not known, as of requests to a release that did not keep it."""

    @property
    def idempotency_key(self) -> str | None: ...

    @property
    def author(self) -> str | None: ...


K = TypeVar("K", bound=KeptRequest)


def own_key(key: str, author: str | None) -> str:
    """That of no other caller."""
    return OWN + hashlib.sha256(f"{author or ''}\n{key}".encode()).hexdigest()


def keys_of(key: str, author: str | None) -> tuple[str, ...]:
    """Under which a request of this caller may be kept. The first is tried first."""
    own = own_key(key, author)
    return (own,) if key.startswith(MADE) else (key, own)


def of_caller(kept: Sequence[K], key: str, author: str | None) -> tuple[list[K], str]:
    """What the same caller asked for before, and the key that something new of it is kept under.

    kept: all that there is under keys_of(key, author). Raises KeyReused where there is neither.
    """
    own = [one for one in kept if one.author in (None, author)]
    taken = {one.idempotency_key for one in kept}
    free = next((one for one in keys_of(key, author) if one not in taken), None)
    if free is None and not own:
        raise reused()
    # The caller's own before what may be anybody's.
    return sorted(own, key=lambda one: one.author is None), free or key


def reused() -> KeyReused:
    return KeyReused("the Idempotency-Key was used for another request")
