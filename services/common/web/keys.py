"""The keys that bearer tokens are signed with: a secret of one's own, or those of an OIDC issuer."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
import structlog

from services.common.web.issuer import IssuerUnavailable, Published
from services.common.web.problems import Problem

# Seconds: after which keys are read again, after which they no longer count unless they can be, and between tries that
# a key that is not among them, or a failure, makes.
FRESH, STALE, AGAIN, RETRY = 300.0, 86_400.0, 30.0, 5.0
# By the type of a key: what it can have signed. Never with a secret.
ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
UNAVAILABLE = "the keys of the token issuer cannot be read: try again"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Signer:
    """What checks a signature, and from whom such a token may be; None: from anybody."""

    key: Any
    algorithms: list[str]
    issuers: frozenset[str] | None


class Keys(Protocol):
    """Where the key that checks a token comes from."""

    async def signer(self, token: str, /) -> Signer:
        """Raises PyJWTError where there is none for this token, and a Problem where that cannot be told."""


class SharedSecret(Keys):
    """One HS256 secret, for a stack of one's own."""

    def __init__(self, secret: str, issuer: str | None) -> None:
        self._signer = Signer(secret, ["HS256"], frozenset({issuer}) if issuer else None)

    async def signer(self, _: str, /) -> Signer:
        return self._signer


class IssuerKeys(Keys):
    """The key set of an issuer: kept, and read again now and then and for a key that is not in it.

    What is there serves on while the issuer is away. clock: seconds.
    """

    def __init__(self, published: Published, clock: Callable[[], float] = time.monotonic) -> None:
        self._published, self._clock = published, clock
        self._signers: Mapping[str, Signer] = {}
        self._read_at, self._tried_at, self._failed = -STALE, -STALE, False
        self._reading: asyncio.Task[None] | None = None

    async def signer(self, token: str, /) -> Signer:
        kid = jwt.get_unverified_header(token).get("kid") or ""
        if (found := self._signers.get(kid)) and self._age() < STALE:
            if self._age() >= FRESH:
                self._read_soon()
            return found
        if reading := self._read_soon():
            # Others wait for it, too.
            await asyncio.shield(reading)
        if (found := self._signers.get(kid)) and self._age() < STALE:
            return found
        if self._failed:
            raise Problem(503, UNAVAILABLE, headers={"Retry-After": str(int(RETRY))})
        raise jwt.InvalidKeyError("the issuer has no such key")

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _read_soon(self) -> "asyncio.Task[None] | None":
        """The one that goes on, or a new one; None where it is too soon."""
        if self._reading and not self._reading.done():
            return self._reading
        if self._clock() - self._tried_at < (RETRY if self._failed else AGAIN):
            return None
        self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> None:
        self._tried_at = self._clock()
        try:
            keys, issuers = await self._published()
            self._signers = _signers(keys, issuers)
        except IssuerUnavailable as error:
            self._failed = True
            log.warning("the keys of the token issuer cannot be read", error=str(error))
        else:
            self._failed, self._read_at = False, self._clock()


def _signers(keys: Any, issuers: frozenset[str] | None) -> Mapping[str, Signer]:
    """By key id: those that are for signatures and that we know. Raises IssuerUnavailable where there are none."""
    found = [_signer(one, issuers) for one in keys] if isinstance(keys, list) else []
    if not (known := dict(filter(None, found))):
        raise IssuerUnavailable("its key set has no key that signs")
    return known


def _signer(said: Any, issuers: frozenset[str] | None) -> tuple[str, Signer] | None:
    if not isinstance(said, dict) or said.get("use", "sig") != "sig" or not isinstance(said.get("kid"), str):
        return None
    algorithms = ALGORITHMS.get(str(said.get("kty")), ())
    if said.get("alg", next(iter(algorithms), None)) not in algorithms:
        return None
    try:
        key = jwt.PyJWK(said)
    except (jwt.PyJWTError, ValueError, TypeError, LookupError, AttributeError):
        return None
    return said["kid"], Signer(key, [key.algorithm_name], issuers)
