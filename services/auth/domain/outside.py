"""What an outside authorizer says of idTokens that are not registered here. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth.domain import tokens
from services.auth.domain.tokens import RegisteredToken, TokenDecision
from services.common.authorization.judge import Rule
from services.ocpp.id_tokens import CENTRAL, LONGEST_ID_TOKEN, TYPES, Authorization, IdToken, Token, TokenInfo

# How long a verdict counts that does not say so: for a driver who plugs in after his idToken was accepted. And at most.
KEPT, MOST_KEPT = timedelta(minutes=15), timedelta(days=1)
# What is registered where the station has not said a type.
CARD = "ISO14443"


@dataclass(frozen=True, slots=True)
class Said:
    """valid_until: until when it counts. expires_at: of the idToken itself. prepaid: it is of a prepaid account."""

    status: Authorization
    valid_until: datetime | None = None
    expires_at: datetime | None = None
    language: str | None = None
    prepaid: bool = False


def is_asked(presented: IdToken, info: TokenInfo) -> bool:
    """Whether somebody else may know an idToken. A group is the operator's own, and what no REST can name is not kept.

    A key code is not asked about: it is a secret of a station and its driver (C04.FR.04).
    """
    value = presented.value
    nameable = value.isascii() and value.isprintable() and value == value.strip() and 0 < len(value) <= LONGEST_ID_TOKEN
    return info.rule == Rule.UNKNOWN_TOKEN and presented.type != CENTRAL and nameable


def taken(current: RegisteredToken | None, presented: IdToken, said: Said, now: datetime) -> TokenDecision | None:
    """The idToken with what was said of it; None where it was registered meanwhile, which counts more.

    A verdict on a prepaid account is not to be cached by stations (2.1 C17.FR.01, FR.02), others for as long as they
    count here. None of them stands in a group: those are the operator's own.
    """
    if current and current.token.outside_until is None:
        return None
    until = min(max(said.valid_until or now + KEPT, now), now + MOST_KEPT)
    uncached = said.prepaid or said.status == Authorization.NO_CREDIT
    token = Token(
        presented.value,
        presented.type if presented.type in TYPES and presented.type else CARD,
        said.status,
        expires_at=said.expires_at,
        cache_expires_at=now if uncached else until,
        language=said.language,
        outside_until=until,
    )
    return tokens.put(current, token, now)
