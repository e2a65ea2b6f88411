"""IdTokens that were presented and that nobody knows: how often, when and where."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.auth.domain.requests import AuthorizationDecided
from services.common.authorization.judge import Rule
from services.ocpp.id_tokens import Authorization

# Nobody knows it, here or outside.
RULES = frozenset({Rule.UNKNOWN_TOKEN, Rule.OUTSIDE_REFUSED})
# That are named of one.
MOST_STATIONS = 20


@dataclass(frozen=True, slots=True)
class UnknownToken:
    """key: of its text in any case. type: as stations say it; empty in 1.6. stations: the last that it was seen at."""

    key: str
    type: str
    id_token: str
    times: int
    first_seen_at: datetime
    last_seen_at: datetime
    stations: tuple[str, ...]


def unknown_token(event: AuthorizationDecided) -> UnknownToken | None:
    """What a decision says of one; None where another rule decided."""
    is_unknown = event.info.status == Authorization.UNKNOWN and event.info.rule in RULES
    if not is_unknown or "\0" in event.token.value + (event.token.type or ""):
        return None
    token = event.token
    return UnknownToken(token.key, token.type or "", token.value, 1, event.at, event.at, (event.station_id,))


def together(seen: Iterable[UnknownToken]) -> list[UnknownToken]:
    """Each once, by key and type, which is the order that rows are locked in."""
    found: dict[tuple[str, str], UnknownToken] = {}
    for one in seen:
        place = (one.key, one.type)
        found[place] = _both(found[place], one) if place in found else one
    return [found[place] for place in sorted(found)]


def _both(known: UnknownToken, one: UnknownToken) -> UnknownToken:
    newer, older = (one, known) if one.last_seen_at >= known.last_seen_at else (known, one)
    stations = dict.fromkeys((*newer.stations, *older.stations))
    return replace(
        newer,
        times=known.times + one.times,
        first_seen_at=min(known.first_seen_at, one.first_seen_at),
        stations=tuple(stations)[:MOST_STATIONS],
    )
