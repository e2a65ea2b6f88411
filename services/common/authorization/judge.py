"""The rule by which an idToken is accepted or refused, and what each decision was made by. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from services.ocpp.id_tokens import (
    CARDS,
    KEY_CODE,
    NO_AUTHORIZATION,
    TYPES,
    Authorization,
    IdToken,
    Token,
    TokenInfo,
)


class Rule(StrEnum):
    """What decided."""

    REGISTERED = "registered"
    NO_AUTHORIZATION = "no_authorization"
    FREE_VEND = "free_vend"
    UNKNOWN_TOKEN = "unknown_token"
    OTHER_TYPE = "other_type"
    UNKNOWN_KEY_CODE = "unknown_key_code"
    BLOCKED = "blocked"
    GROUP_BLOCKED = "group_blocked"
    EXPIRED = "expired"
    REGISTERED_REFUSED = "registered_refused"
    CONTRACT_UNVERIFIED = "contract_unverified"


MEANING: Mapping[Rule, str] = {
    Rule.REGISTERED: "it is registered as Accepted",
    Rule.NO_AUTHORIZATION: "the station asked for no idToken (type NoAuthorization)",
    Rule.FREE_VEND: "the station is free-vend: any idToken may charge there",
    Rule.UNKNOWN_TOKEN: "no such idToken is registered",
    Rule.OTHER_TYPE: "an idToken of this text is registered, but with another type",
    Rule.UNKNOWN_KEY_CODE: "no such key code is registered",
    Rule.BLOCKED: "it is registered as Blocked",
    Rule.GROUP_BLOCKED: "its token group is blocked: the idToken of type Central that has the group's id",
    Rule.EXPIRED: "it has expired",
    Rule.REGISTERED_REFUSED: "it is registered with a status that refuses it",
    Rule.CONTRACT_UNVERIFIED: "its contract certificate could not be verified",
}
# By the status that is registered, where it is not Accepted.
REFUSED_AS: Mapping[Authorization, Rule] = {
    Authorization.BLOCKED: Rule.BLOCKED,
    Authorization.EXPIRED: Rule.EXPIRED,
}


def judge(
    presented: IdToken, known: Token | None, now: datetime, *, group: Token | None = None, free_vend: bool = False
) -> TokenInfo:
    """The verdict on a presented idToken, given what is registered under its key.

    group: what is registered under its group's id, see find_group: a card of a blocked group is refused as blocked.
    free_vend: at this station whoever comes may charge, also with an idToken that is blocked or that nobody knows.

    NoAuthorization is always accepted (C02.FR.02); another type under the same text is another, unknown token. A key
    code that is not known is Invalid (C04.FR.01).
    """
    if presented.type == NO_AUTHORIZATION:
        return TokenInfo(Authorization.ACCEPTED, rule=Rule.NO_AUTHORIZATION)
    info = _judge(presented, known, group, now)
    return TokenInfo(Authorization.ACCEPTED, group_id=info.group_id, rule=Rule.FREE_VEND) if free_vend else info


def _judge(presented: IdToken, known: Token | None, group: Token | None, now: datetime) -> TokenInfo:
    if known is None or not _same_type(presented.type, known.type):
        return _unknown(presented, known)
    status, rule = _ruled(known, group, now)
    return TokenInfo(status, known.expires_at, known.group_id, known.cache_expires_at, known.language, rule)


def _ruled(known: Token, group: Token | None, now: datetime) -> tuple[Authorization, Rule]:
    if known.status != Authorization.ACCEPTED:
        return known.status, REFUSED_AS.get(known.status, Rule.REGISTERED_REFUSED)
    if known.expires_at is not None and known.expires_at <= now:
        return Authorization.EXPIRED, Rule.EXPIRED
    if is_blocked(group):
        return Authorization.BLOCKED, Rule.GROUP_BLOCKED
    return known.status, Rule.REGISTERED


def is_blocked(token: Token | None) -> bool:
    return token is not None and token.status == Authorization.BLOCKED


def _unknown(presented: IdToken, known: Token | None) -> TokenInfo:
    if presented.type == KEY_CODE:
        return TokenInfo(Authorization.INVALID, rule=Rule.UNKNOWN_KEY_CODE)
    return TokenInfo(Authorization.UNKNOWN, rule=Rule.OTHER_TYPE if known else Rule.UNKNOWN_TOKEN)


def _same_type(presented: str | None, known: str) -> bool:
    return presented not in TYPES or presented == known or {presented, known} <= CARDS
