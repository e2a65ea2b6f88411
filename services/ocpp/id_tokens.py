"""IdTokens and what a station is told about them: the one rule that auth and transactions both follow."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# A reader often cannot tell the two card standards apart, and stations name either.
CARDS = frozenset({"ISO14443", "ISO15693"})
NO_AUTHORIZATION = "NoAuthorization"


class Authorization(StrEnum):
    """AuthorizationStatusEnumType of OCPP 2.0.1."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    CONCURRENT_TX = "ConcurrentTx"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    NO_CREDIT = "NoCredit"
    NOT_ALLOWED_TYPE_EVSE = "NotAllowedTypeEVSE"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_AT_THIS_TIME = "NotAtThisTime"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class IdToken:
    """An idToken as a station presents it; type is None in 1.6, which has none."""

    value: str
    type: str | None = None

    @property
    def key(self) -> str:
        """Under which it is stored: idTokens are case-insensitive (1.6 §7.28, 2.0.1 IdTokenType)."""
        return token_key(self.value)


@dataclass(frozen=True, slots=True)
class Token:
    """An idToken as the operator registered it."""

    id_token: str
    type: str
    status: Authorization
    expires_at: datetime | None = None
    group_id: str | None = None
    cache_expires_at: datetime | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """idTokenInfo (2.0.1), idTagInfo (1.6): the verdict and what goes with it.

    expires_at is the token's own end (1.6 expiryDate); cache_expires_at how long the answer may be kept.
    """

    status: Authorization
    expires_at: datetime | None = None
    group_id: str | None = None
    cache_expires_at: datetime | None = None
    language: str | None = None


def token_key(value: str) -> str:
    """The key of an idToken in tables, copies and the topic `tokens`."""
    return value.casefold()


def authorize(presented: IdToken, known: Token | None, now: datetime) -> TokenInfo:
    """The verdict on a presented idToken, given what is registered under its key.

    NoAuthorization is always accepted (C02, 2.0.1); another type under the same text is another, unknown token.
    """
    if presented.type == NO_AUTHORIZATION:
        return TokenInfo(Authorization.ACCEPTED)
    if known is None or not _same_type(presented.type, known.type):
        return TokenInfo(Authorization.UNKNOWN)
    expired = known.expires_at is not None and known.expires_at <= now
    status = Authorization.EXPIRED if expired and known.status == Authorization.ACCEPTED else known.status
    return TokenInfo(status, known.expires_at, known.group_id, known.cache_expires_at, known.language)


def _same_type(presented: str | None, known: str) -> bool:
    return presented is None or presented == known or {presented, known} <= CARDS
