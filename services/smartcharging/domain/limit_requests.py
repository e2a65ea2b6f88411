"""What may be asked of stations now, so that at no moment more can be drawn than the limit.

Less can be asked at any time, and frees nothing until it is confirmed. More is asked where it fits beside the most
that everybody may be drawing, this moment included.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, requested
from services.smartcharging.domain.loads import Loads, remaining, scaled, total
from services.smartcharging.domain.share import Shares
from services.smartcharging.domain.site_state import Evse, SiteState


@dataclass(frozen=True, slots=True)
class LimitRequest:
    """Hold to a current, in tenths of an ampere. key: station and EVSE, 0 for all. otherwise: see Hold.

    number: of the session; None: a TxDefaultProfile.
    """

    key: Key
    current: int
    otherwise: int
    number: int | None = None


def committed(situation: SiteState) -> dict[str, int]:
    """The most that all of the site may be drawing at this moment."""
    return total(scaled(point.weights, point.reserve) for point in situation.points)


def with_requests(situation: SiteState, asks: Sequence[LimitRequest], now: datetime) -> SiteState:
    """As it is when that has been asked."""
    defaults, charging = dict(situation.defaults), dict(situation.charging)
    for one in asks:
        epoch = situation.stations[one.key[0]].connected_at
        if one.number is None:
            hold = defaults.get(one.key, AppliedLimit())
            defaults[one.key] = requested(hold, one.current, one.otherwise, epoch, now)
        else:
            session = charging[one.key]
            hold = requested(session.hold, one.current, one.otherwise, epoch, now)
            charging[one.key] = replace(session, hold=hold)
    return replace(situation, defaults=defaults, charging=charging)


def next_requests(situation: SiteState, shares: Shares, now: datetime) -> list[LimitRequest]:
    """What to ask now on the way to the shares."""
    room = remaining(situation.site.capacity, committed(situation))
    sharing = [point for point in situation.points if point.key in shares.wanted]
    asks = [asked for point in sharing if (asked := _session_request(point, shares.wanted[point.key], room))]
    return asks + _default_requests(situation, room, now)


def _session_request(point: Evse, wanted: int, room: dict[str, int]) -> LimitRequest | None:
    assert point.charging, "only sessions have shares"
    hold, asked = point.charging.hold, LimitRequest(point.key, wanted, point.uncovered, point.charging.session.id)
    if wanted < point.current:
        return asked
    if hold.asked is not None or (wanted == point.current and point.certain(hold)):
        return None
    return asked if _take(room, scaled(point.weights, max(wanted, point.reserve) - point.reserve)) else None


def _default_requests(situation: SiteState, room: dict[str, int], now: datetime) -> list[LimitRequest]:
    covered: dict[Key, list[Evse]] = {}
    for point in situation.points:
        covered.setdefault((point.member.station_id, point.member.default_key(point.evse_id)), []).append(point)
    asks = (
        _default_request(key, points, situation.default_currents[key[0]], room, now) for key, points in covered.items()
    )
    return [asked for asked in asks if asked]


def _default_request(
    key: Key, points: Sequence[Evse], wanted: int, room: dict[str, int], now: datetime
) -> LimitRequest | None:
    first, hold = points[0], points[0].default
    if hold.asked is not None or not first.heeds(hold, now) or (hold.held == wanted and first.certain(hold)):
        return None
    more = total(scaled(point.weights, max(wanted, point.reserve) - point.reserve) for point in points)
    return LimitRequest(key, wanted, first.member.maximum) if _take(room, more) else None


def _take(room: dict[str, int], more: Loads) -> bool:
    """Takes more out of the room, where it is there."""
    if any(room[name] < current for name, current in more.items() if current > 0):
        return False
    room |= remaining({name: room[name] for name in more}, more)
    return True
