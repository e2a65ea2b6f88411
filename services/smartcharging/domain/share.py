"""What each session of a site should have: shares that fit beside what cannot be changed, and that do not flap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.smartcharging.domain.allocate import Claim, Key, allocate
from services.smartcharging.domain.loads import Loads, remaining, scaled, total, within
from services.smartcharging.domain.site_state import ActiveSession, Evse, SiteState

# A session is not given more again before this long after its last change.
INTERVAL = timedelta(seconds=30)
# How long a session charges before one of the same priority that is paused takes its turn.
TURN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Shares:
    """wanted: by EVSE, in tenths of an ampere. fixed: what is set aside and no share. again: when to look again."""

    wanted: Mapping[Key, int]
    fixed: Loads
    capacity: Loads
    again: Sequence[datetime] = field(default=())

    @property
    def over(self) -> bool:
        """Whether the limit cannot be held, whatever the sessions that can be told are told."""
        return not within(self.fixed, self.capacity)


def share(situation: SiteState, now: datetime) -> Shares:
    """Shares the site's limit among the sessions that can be told."""
    told = [point for point in situation.points if point.charging and point.heeds(point.charging.hold, now)]
    told.sort(key=lambda point: _order(point, now))
    claims = {point.key: _claim(point, _idle_reserve(situation, point, now)) for point in told}
    capacity = situation.site.capacity
    fixed = total(
        scaled(point.weights, _set_aside(point, _idle_reserve(situation, point, now), point.key in claims))
        for point in situation.points
    )
    room = remaining(capacity, fixed)
    wanted, soon = _steadied(told, claims, allocate(room, list(claims.values())), room, now)
    return Shares(wanted, fixed, capacity, [*soon, *_turn_ends(told, wanted, now)])


def _idle_reserve(situation: SiteState, point: Evse, now: datetime) -> int:
    """What is set aside for a session that may begin: what a TxDefaultProfile says, or is about to say."""
    if point.heeds(point.default, now):
        return situation.default_currents[point.member.station_id]
    return point.uncovered


def _set_aside(point: Evse, idle: int, told: bool) -> int:
    """What does not depend on the shares: a session that cannot be told keeps what it has."""
    return max(idle, point.ceiling) if point.charging and not told else idle


def _claim(point: Evse, idle: int) -> Claim:
    hold, cap = _active(point).hold, _active(point).watch.cap
    maximum = point.maximum if cap is None else min(point.maximum, max(cap, point.minimum))
    # Who did not obey is asked for no more than he may have: others would have to make room for nothing.
    maximum = min(maximum, point.ceiling) if hold.failures else maximum
    return Claim(point.key, point.weights, point.minimum, maximum, point.priority, idle)


def _order(point: Evse, now: datetime) -> tuple[int, int, float, bool, Key]:
    """By priority; then who has his turn; then who waits for one, longest first; then who has had his, longest last;
    then who had his not long ago, for whom nobody makes room."""
    turn_at = _active(point).hold.turn_at
    since = turn_at or _active(point).session.heard_at
    new = now - since < TURN
    if point.current > 0:
        place, when = (0, since.timestamp()) if new else (2, -since.timestamp())
    else:
        place, when = (3 if new and turn_at else 1), since.timestamp()
    return -point.priority, place, when, turn_at is not None, point.key


def _turn_ends(told: Sequence[Evse], wanted: Mapping[Key, int], now: datetime) -> list[datetime]:
    """When the turns of those end that keep others waiting."""
    if all(wanted.values()):
        return []
    began = [charging.hold.turn_at for charging in map(_active, told) if charging.hold.turn_at]
    return [at + TURN for at in began if at + TURN > now]


def _steadied(
    told: Sequence[Evse], claims: Mapping[Key, Claim], fair: Mapping[Key, int], room: Loads, now: datetime
) -> tuple[dict[Key, int], list[datetime]]:
    """Leaves what is nearly right as it is, and takes nothing away that nobody needs."""
    wanted, soon = dict(fair), []
    for point in told:
        if 0 < point.current < wanted[point.key]:
            changed_at = _active(point).hold.changed_at
            if wanted[point.key] - point.current < smallest_change(point.current):
                wanted[point.key] = point.current
            elif changed_at and now - changed_at < INTERVAL:
                wanted[point.key] = point.current
                soon.append(changed_at + INTERVAL)
    spare = remaining(room, total(claims[key].cost(current) for key, current in wanted.items()))
    for point in sorted(told, key=lambda point: point.current - wanted[point.key]):
        claim, current = claims[point.key], point.current
        if wanted[point.key] < current and point.minimum <= current <= point.maximum:
            after = remaining(spare, remaining(claim.cost(current), claim.cost(wanted[point.key])))
            if all(after[name] >= 0 for name in claim.weights):
                wanted[point.key], spare = current, after
    return wanted, soon


def smallest_change(current: int) -> int:
    """A change below this is not worth a message: one ampere, or five in a hundred."""
    return max(10, current // 20)


def _active(point: Evse) -> ActiveSession:
    assert point.charging
    return point.charging
