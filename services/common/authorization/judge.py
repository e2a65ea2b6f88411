"""The rule by which an idToken is accepted or refused, and what each decision was made by. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

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
from services.ocpp.station_ids import station_key


class Rule(StrEnum):
    """What decided."""

    REGISTERED = "registered"
    OUTSIDE = "outside"
    NO_AUTHORIZATION = "no_authorization"
    FREE_VEND = "free_vend"
    UNKNOWN_TOKEN = "unknown_token"
    OTHER_TYPE = "other_type"
    UNKNOWN_KEY_CODE = "unknown_key_code"
    BLOCKED = "blocked"
    GROUP_BLOCKED = "group_blocked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ELSEWHERE = "elsewhere"
    OTHER_EVSE = "other_evse"
    MASTER_PASS = "master_pass"
    TOO_MANY_SESSIONS = "too_many_sessions"
    REGISTERED_REFUSED = "registered_refused"
    CONTRACT_EXPIRED = "contract_expired"
    CONTRACT_REVOKED = "contract_revoked"
    OUTSIDE_REFUSED = "outside_refused"
    CONTRACT_UNVERIFIED = "contract_unverified"


MEANING: Mapping[Rule, str] = {
    Rule.REGISTERED: "it is registered as Accepted",
    Rule.OUTSIDE: "it is not registered here, and the outside authorizer accepts it",
    Rule.NO_AUTHORIZATION: "the station asked for no idToken (type NoAuthorization)",
    Rule.FREE_VEND: "the station is free-vend: any idToken may charge there",
    Rule.UNKNOWN_TOKEN: "no such idToken is registered",
    Rule.OTHER_TYPE: "an idToken of this text is registered, but with another type",
    Rule.UNKNOWN_KEY_CODE: "no such key code is registered",
    Rule.BLOCKED: "it is registered as Blocked",
    Rule.GROUP_BLOCKED: "its token group is blocked: the idToken of type Central that has the group's id",
    Rule.EXPIRED: "it has expired",
    Rule.NOT_YET_VALID: "it is not valid yet",
    Rule.ELSEWHERE: "it may not charge at this station",
    Rule.OTHER_EVSE: "it may charge at other EVSEs of this station alone",
    Rule.MASTER_PASS: "it is a master pass, which stops sessions and starts none",
    Rule.TOO_MANY_SESSIONS: "it has as many sessions as it may have at once",
    Rule.REGISTERED_REFUSED: "it is registered with a status that refuses it",
    Rule.CONTRACT_EXPIRED: "its contract certificate, or one above it, has expired",
    Rule.CONTRACT_REVOKED: "its contract certificate, or one above it, was revoked",
    Rule.OUTSIDE_REFUSED: "it is not registered here, and the outside authorizer refuses it",
    Rule.CONTRACT_UNVERIFIED: "its contract certificate could not be verified",
}
# By the status that is registered, where it is not Accepted.
REFUSED_AS: Mapping[Authorization, Rule] = {
    Authorization.BLOCKED: Rule.BLOCKED,
    Authorization.EXPIRED: Rule.EXPIRED,
}


class Place(NamedTuple):
    """Where an idToken is presented. groups: of the station. evse_id: where that is said. free_vend: see judge."""

    station_id: str
    groups: tuple[str, ...] = ()
    evse_id: int | None = None
    free_vend: bool = False


class Registered(Protocol):
    """What an operator says of a station, as far as it matters here, see services.common.calls.stations."""

    @property
    def groups(self) -> tuple[str, ...]: ...

    @property
    def free_vend(self) -> str | None: ...


def place_of(station_id: str, registration: Registered, evse_id: int | None = None) -> Place:
    """Where that is."""
    return Place(station_id, registration.groups, evse_id, registration.free_vend is not None)


def judge(
    presented: IdToken,
    known: Token | None,
    now: datetime,
    place: Place,
    *,
    group: Token | None = None,
    starts: bool = False,
    others: int = 0,
) -> TokenInfo:
    """The verdict on a presented idToken, given what is registered under its key.

    group: what is registered under its group's id, see find_group: a card of a blocked group is refused as blocked, and
    one of a master pass group starts nothing (C16.FR.03). starts: whether it is presented to start a session. others:
    sessions that it has already, known of those alone that may have so many. place.free_vend: there whoever comes may
    charge, also with an idToken that is blocked or that nobody knows.

    NoAuthorization is always accepted (C02.FR.02); another type under the same text is another, unknown token. A key
    code that is not known is Invalid (C04.FR.01).
    """
    if presented.type == NO_AUTHORIZATION:
        return TokenInfo(Authorization.ACCEPTED, rule=Rule.NO_AUTHORIZATION)
    if known is None or not _same_type(presented.type, known.type) or _has_lapsed(known, now):
        info = _unknown(presented, known)
    else:
        status, rule = _ruled(known, group, now, place, starts, others)
        info = _info(known, status, rule)
        if status == Authorization.ACCEPTED and (evse_ids := _evses(known, place.station_id)):
            info = replace(info, evse_ids=evse_ids)
    if place.free_vend:
        return TokenInfo(Authorization.ACCEPTED, group_id=info.group_id, rule=Rule.FREE_VEND)
    return info


def _info(known: Token, status: Authorization, rule: Rule) -> TokenInfo:
    return TokenInfo(
        status,
        expires_at=known.expires_at,
        group_id=known.group_id,
        cache_expires_at=known.cache_expires_at,
        language=known.language,
        rule=rule,
        language2=known.language2,
    )


def _ruled(
    known: Token, group: Token | None, now: datetime, place: Place, starts: bool, others: int
) -> tuple[Authorization, Rule]:
    """By the first rule that refuses it."""
    if known.status != Authorization.ACCEPTED:
        return known.status, _refused_as(known)
    if known.expires_at is not None and known.expires_at <= now:
        return Authorization.EXPIRED, Rule.EXPIRED
    if is_blocked(group):
        return Authorization.BLOCKED, Rule.GROUP_BLOCKED
    if known.valid_from is not None and now < known.valid_from:
        return Authorization.NOT_AT_THIS_TIME, Rule.NOT_YET_VALID
    if not _may_charge_at(known, place):
        return Authorization.NOT_AT_THIS_LOCATION, Rule.ELSEWHERE
    if place.evse_id and (evse_ids := _evses(known, place.station_id)) and place.evse_id not in evse_ids:
        return Authorization.NOT_AT_THIS_LOCATION, Rule.OTHER_EVSE
    if starts and group is not None and group.master_pass:
        return Authorization.INVALID, Rule.MASTER_PASS
    if starts and known.max_sessions is not None and others >= known.max_sessions:
        return Authorization.CONCURRENT_TX, Rule.TOO_MANY_SESSIONS
    return known.status, Rule.OUTSIDE if known.outside_until else Rule.REGISTERED


def _refused_as(known: Token) -> Rule:
    if known.outside_until is not None:
        return Rule.OUTSIDE_REFUSED
    return REFUSED_AS.get(known.status, Rule.REGISTERED_REFUSED)


def _has_lapsed(known: Token, now: datetime) -> bool:
    return known.outside_until is not None and known.outside_until <= now


def _may_charge_at(known: Token, place: Place) -> bool:
    """What is denied is denied, whatever is allowed beside it."""
    if _is_named(place, known.denied_groups, known.denied_stations):
        return False
    anywhere = not (known.allowed_groups or known.allowed_stations)
    return anywhere or _is_named(place, known.allowed_groups, known.allowed_stations)


def _is_named(place: Place, groups: tuple[str, ...], stations: tuple[str, ...]) -> bool:
    if groups and not set(groups).isdisjoint(place.groups):
        return True
    return bool(stations) and station_key(place.station_id) in {station_key(one) for one in stations}


def _evses(known: Token, station_id: str) -> tuple[int, ...]:
    """The only ones of a station where it may charge (C01.FR.20); none: all of them (C01.FR.19)."""
    if not known.evses:
        return ()
    named = (one.rpartition("/") for one in known.evses)
    return tuple(sorted({int(evse) for station, _, evse in named if station_key(station) == station_key(station_id)}))


def is_blocked(token: Token | None) -> bool:
    return token is not None and token.status == Authorization.BLOCKED


def _unknown(presented: IdToken, known: Token | None) -> TokenInfo:
    if presented.type == KEY_CODE:
        return TokenInfo(Authorization.INVALID, rule=Rule.UNKNOWN_KEY_CODE)
    of_other_type = known is not None and known.outside_until is None
    return TokenInfo(Authorization.UNKNOWN, rule=Rule.OTHER_TYPE if of_other_type else Rule.UNKNOWN_TOKEN)


def _same_type(presented: str | None, known: str) -> bool:
    return presented not in TYPES or presented == known or {presented, known} <= CARDS
