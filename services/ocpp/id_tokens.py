"""IdTokens, and what a station is told about them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.ocpp.emaid import spellings

# What a card may be called: readers cannot tell the two standards apart, and some stations say Local of any, or say one
# in Authorize and another in TransactionEvent.
CARDS = frozenset({"ISO14443", "ISO15693", "Local"})
NO_AUTHORIZATION = "NoAuthorization"
KEY_CODE = "KeyCode"
CENTRAL = "Central"
EMAID = "eMAID"
# Of 2.0.1 (IdTokenEnumType) and 2.1 (appendices, IdTokenEnumStringType). A station of 2.1 may say any other.
TYPES = (
    CENTRAL,
    "DirectPayment",
    EMAID,
    "EVCCID",
    "ISO14443",
    "ISO15693",
    KEY_CODE,
    "Local",
    "MacAddress",
    NO_AUTHORIZATION,
    "VIN",
)
# Of 2.1, in characters; 2.0.1 has room for 36, 1.6 for 20.
LONGEST_ID_TOKEN = 255
# The types that a token may be registered with whose type is said to be this one.
MEANT: Mapping[str | None, Sequence[str]] = {
    type: (type, *sorted(CARDS - {type})) if type in CARDS else (type,) for type in TYPES
}


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


class IdToken(NamedTuple):
    """An idToken as a station presents it. type: None in 1.6, which has none; one that is not of OCPP says as much."""

    value: str
    type: str | None = None

    @property
    def key(self) -> str:
        """Under which it is stored: idTokens are case-insensitive (1.6 §7.28, 2.0.1 IdTokenType)."""
        return token_key(self.value)

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which it may be registered: as it is written comes first; an eMAID is written in several ways."""
        others = spellings(self.value) if self.type == EMAID else ()
        return tuple(dict.fromkeys((self.key, *map(token_key, others))))


@dataclass(frozen=True, slots=True)
class Token:
    """An idToken as the operator registered it.

    on_block: what becomes of its running session when it is blocked, end or finish; None: as transactions is set.
    allowed_…, denied_…: where it may charge, and where not; none allowed: anywhere. evses: <station>/<EVSE>; where a
    station is named, it may charge at these alone. max_sessions: at once. master_pass: of an idToken of type Central,
    that those of its group stop sessions and start none (C16). note: the operator's own. outside_until: of one that is
    not registered here, until when counts what an outside authorizer has said of it.
    """

    id_token: str
    type: str
    status: Authorization
    expires_at: datetime | None = None
    group_id: str | None = None
    cache_expires_at: datetime | None = None
    language: str | None = None
    on_block: str | None = None
    language2: str | None = None
    valid_from: datetime | None = None
    allowed_groups: tuple[str, ...] = ()
    allowed_stations: tuple[str, ...] = ()
    denied_groups: tuple[str, ...] = ()
    denied_stations: tuple[str, ...] = ()
    evses: tuple[str, ...] = ()
    max_sessions: int | None = None
    master_pass: bool = False
    note: str | None = None
    outside_until: datetime | None = None


# Of a token, those that hold several.
LISTS = ("allowed_groups", "allowed_stations", "denied_groups", "denied_stations", "evses")


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """idTokenInfo (2.0.1), idTagInfo (1.6): the verdict and what goes with it.

    expires_at is the token's own end; cache_expires_at how long the operator lets the answer be kept. rule: what
    decided, see services.common.authorization. evse_ids: of the station, the only ones for it; none: all of them.
    """

    status: Authorization
    expires_at: datetime | None = None
    group_id: str | None = None
    cache_expires_at: datetime | None = None
    language: str | None = None
    rule: str = field(default="", compare=False)
    language2: str | None = None
    evse_ids: tuple[int, ...] = ()

    @property
    def kept_until(self) -> datetime | None:
        """When the verdict ends wherever it is kept: no cache may outlive the token."""
        if self.expires_at is None or self.cache_expires_at is None:
            return self.expires_at or self.cache_expires_at
        return min(self.expires_at, self.cache_expires_at)


def token_key(value: str) -> str:
    """The key of an idToken in tables."""
    return value.casefold()


def record_key(id_token: str, type: str) -> str:
    """The key of its record in the topic `tokens`. No type has a slash."""
    return f"{type}/{token_key(id_token)}"


def find(presented: IdToken, get: Callable[[str], "Token | None"]) -> "Token | None":
    """The token that is meant, by the keys of the topic `tokens`; where its type is not known, any with that text."""
    for type in MEANT.get(presented.type, TYPES):
        for key in presented.keys:
            if token := get(f"{type}/{key}"):
                return token
    # Its text alone was the key at first; auth replaces such records when it starts.
    return get(presented.key)


def find_group(member: "Token | None", get: Callable[[str], "Token | None"]) -> "Token | None":
    """The idToken that a token's group is called by, which is of type Central (C09.FR.13), if it is registered."""
    return get(record_key(member.group_id, CENTRAL)) if member and member.group_id else None


def mask(value: str) -> str:
    """An idToken as logs may show it: short ones, which key codes are, not at all (C04.FR.04)."""
    return f"…{value[-4:]}" if len(value) >= 12 else "…"
