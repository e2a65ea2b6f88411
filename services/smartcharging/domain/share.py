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
    """targets: by EVSE, in tenths of an ampere. set_aside: what is kept beside them. due: when to share again."""

    targets: Mapping[Key, int]
    set_aside: Loads
    capacity: Loads
    due: Sequence[datetime] = field(default=())

    @property
    def over_committed(self) -> bool:
        """Whether the limit cannot be held, whatever is asked of the sessions that can be reached."""
        return not within(self.set_aside, self.capacity)


@dataclass(frozen=True, slots=True)
class ShareInputs:
    """What is shared among whom. sessions: those that can be reached, in the order of their claims."""

    sessions: Sequence[Evse]
    claims: Mapping[Key, Claim]
    room: Loads
    now: datetime


def share(state: SiteState, now: datetime) -> Shares:
    """Shares the site's limit among the sessions that can be reached."""
    reachable = [evse for evse in state.evses if evse.active and evse.heeds(evse.active.applied, now)]
    reachable.sort(key=lambda evse: _order(evse, now))
    idle = {evse.key: _idle_reserve(state, evse, now) for evse in state.evses}
    claims = {evse.key: _claim(evse, idle[evse.key]) for evse in reachable}
    set_aside = total(
        scaled(evse.weights, _set_aside(evse, idle[evse.key], evse.key in claims)) for evse in state.evses
    )
    inputs = ShareInputs(sessions=reachable, claims=claims, room=remaining(state.site.capacity, set_aside), now=now)
    targets, due = _steadied(inputs, allocate(inputs.room, list(claims.values())))
    return Shares(
        targets=targets,
        set_aside=set_aside,
        capacity=state.site.capacity,
        due=[*due, *_turn_ends(inputs, targets)],
    )


def _idle_reserve(state: SiteState, evse: Evse, now: datetime) -> int:
    """What is set aside for a session that may begin: what a TxDefaultProfile says, or is about to say; or for another
    than the present one, that may go on, or is seen to."""
    said = state.default_currents[evse.member.station_id] if evse.heeds(evse.default, now) else evse.uncovered
    return max(said, evse.other, 0 if evse.active else evse.drawn)


def _set_aside(evse: Evse, idle: int, reachable: bool) -> int:
    """What does not depend on the shares: a session that cannot be reached keeps what it has."""
    return max(idle, evse.ceiling) if evse.active and not reachable else idle


def _claim(evse: Evse, idle: int) -> Claim:
    applied, cap = _active(evse).applied, _active(evse).monitor.cap
    maximum = evse.maximum if cap is None else min(evse.maximum, max(cap, evse.minimum))
    # A station that did not obey is asked for no more than it may have: others would have to make room for nothing.
    maximum = min(maximum, evse.ceiling) if applied.failures else maximum
    return Claim(
        key=evse.key,
        weights=evse.weights,
        minimum=evse.minimum,
        maximum=maximum,
        priority=evse.priority,
        floor=idle,
    )


def _order(evse: Evse, now: datetime) -> tuple[int, int, float, bool, Key]:
    """By priority; then those whose turn it is; then those that wait for one, longest first; then those that have had
    theirs, longest last; then those that had theirs not long ago, for which nobody makes room."""
    turn_at = _active(evse).applied.turn_at
    since = turn_at or _active(evse).session.heard_at
    new = now - since < TURN
    if evse.current > 0:
        rank, when = (0, since.timestamp()) if new else (2, -since.timestamp())
    else:
        rank, when = (3 if new and turn_at else 1), since.timestamp()
    return -evse.priority, rank, when, turn_at is not None, evse.key


def _turn_ends(inputs: ShareInputs, targets: Mapping[Key, int]) -> list[datetime]:
    """When the turns end that keep others waiting."""
    if all(targets.values()):
        return []
    turns = [turn_at for evse in inputs.sessions if (turn_at := _active(evse).applied.turn_at)]
    return [turn_at + TURN for turn_at in turns if turn_at + TURN > inputs.now]


def _steadied(inputs: ShareInputs, fair: Mapping[Key, int]) -> tuple[dict[Key, int], list[datetime]]:
    """Leaves what is nearly right as it is, and takes nothing away that nobody needs; and when more may be granted."""
    targets, due = _without_early_increases(inputs, fair)
    spare = remaining(inputs.room, total(inputs.claims[key].cost(target) for key, target in targets.items()))
    for evse in sorted(inputs.sessions, key=lambda evse: evse.current - targets[evse.key]):
        claim, target = inputs.claims[evse.key], targets[evse.key]
        if target < evse.current and evse.minimum <= evse.current <= evse.maximum:
            after = remaining(spare, remaining(claim.cost(evse.current), claim.cost(target)))
            if all(after[name] >= 0 for name in claim.weights):
                targets[evse.key], spare = evse.current, after
    return targets, due


def _without_early_increases(inputs: ShareInputs, fair: Mapping[Key, int]) -> tuple[dict[Key, int], list[datetime]]:
    """Without increases that are small, or too soon after the last change."""
    targets, due = dict(fair), []
    for evse in inputs.sessions:
        if 0 < evse.current < targets[evse.key]:
            changed_at = _active(evse).applied.changed_at
            if targets[evse.key] - evse.current < smallest_change(evse.current):
                targets[evse.key] = evse.current
            elif changed_at and inputs.now - changed_at < INTERVAL:
                targets[evse.key] = evse.current
                due.append(changed_at + INTERVAL)
    return targets, due


def smallest_change(current: int) -> int:
    """What is worth a message: one ampere, or five in a hundred."""
    return max(10, current // 20)


def _active(evse: Evse) -> ActiveSession:
    assert evse.active
    return evse.active
