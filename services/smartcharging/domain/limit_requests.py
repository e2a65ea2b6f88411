"""What may be asked of stations now, so that at no moment more can be drawn than the limit.

Less can be asked at any time, and frees nothing until it is confirmed. More is asked where it fits beside the most
that everybody may be drawing, at this moment too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, with_request
from services.smartcharging.domain.loads import Loads, remaining, scaled, total
from services.smartcharging.domain.share import Shares
from services.smartcharging.domain.site_state import Evse, SiteState


@dataclass(frozen=True, slots=True)
class LimitRequest:
    """A limit to be applied, in tenths of an ampere. key: station and EVSE, 0 for all. fallback: see AppliedLimit.

    session_id: whose TxProfile it is; None: a TxDefaultProfile.
    """

    key: Key
    current: int
    fallback: int
    session_id: int | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of the limit beside the most that everybody may be drawing; granting something takes it away."""

    left: dict[str, int]

    def take(self, more: Loads) -> bool:
        """Takes more, if it is left."""
        if any(self.left[name] < current for name, current in more.items() if current > 0):
            return False
        self.left.update(remaining({name: self.left[name] for name in more}, more))
        return True


def committed(state: SiteState) -> dict[str, int]:
    """The most that all of the site may be drawing at this moment."""
    return total(scaled(evse.weights, evse.reserve) for evse in state.evses)


def with_requests(state: SiteState, requests: Sequence[LimitRequest], now: datetime) -> SiteState:
    """The state once these requests have been made."""

    def after(applied: AppliedLimit, request: LimitRequest) -> AppliedLimit:
        epoch = state.stations[request.key[0]].connected_at
        return with_request(applied, request.current, fallback=request.fallback, epoch=epoch, now=now)

    defaults, sessions = dict(state.defaults), dict(state.sessions)
    for request in requests:
        if request.session_id is None:
            defaults[request.key] = after(defaults.get(request.key, AppliedLimit()), request)
        else:
            active = sessions[request.key]
            sessions[request.key] = replace(active, applied=after(active.applied, request))
    return replace(state, defaults=defaults, sessions=sessions)


def next_requests(state: SiteState, shares: Shares, now: datetime) -> list[LimitRequest]:
    """What to ask now on the way to the shares."""
    room = Room(remaining(state.site.capacity, committed(state)))
    sharing = [evse for evse in state.evses if evse.key in shares.targets]
    requests = [request for evse in sharing if (request := _session_request(evse, shares.targets[evse.key], room))]
    return requests + _default_requests(state, room, now)


def _session_request(evse: Evse, target: int, room: Room) -> LimitRequest | None:
    assert evse.active, "only sessions have shares"
    applied = evse.active.applied
    request = LimitRequest(key=evse.key, current=target, fallback=evse.unlimited, session_id=evse.active.session.id)
    if target < evse.current:
        return request
    if applied.asked is not None or (target == evse.current and evse.certain(applied)):
        return None
    return request if room.take(_increase(evse, target)) else None


def _default_requests(state: SiteState, room: Room, now: datetime) -> list[LimitRequest]:
    covered: dict[Key, list[Evse]] = {}
    for evse in state.evses:
        covered.setdefault(evse.default_key, []).append(evse)
    requests = (_default_request(evses, state.default_currents[key[0]], room, now) for key, evses in covered.items())
    return [request for request in requests if request]


def _default_request(evses: Sequence[Evse], target: int, room: Room, now: datetime) -> LimitRequest | None:
    """evses: all that one TxDefaultProfile covers."""
    first, applied = evses[0], evses[0].default
    done = applied.held == target and first.certain(applied)
    if done or applied.asked is not None or not first.heeds(applied, now):
        return None
    request = LimitRequest(first.default_key, target, first.member.maximum)
    return request if room.take(total(_increase(evse, target) for evse in evses)) else None


def _increase(evse: Evse, target: int) -> Loads:
    """What a target takes beyond what is set aside for the EVSE already."""
    return scaled(evse.weights, max(target, evse.reserve) - evse.reserve)
