"""The plan of a site: what has become of commands, what is drawn, and what to ask of stations next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, Outcome, settle
from services.smartcharging.domain.draw_monitor import with_sample
from services.smartcharging.domain.limit_requests import LimitRequest, next_requests, with_requests
from services.smartcharging.domain.loads import tenths
from services.smartcharging.domain.sessions import CURRENT, POWER
from services.smartcharging.domain.share import Shares, share
from services.smartcharging.domain.site import Member, Site
from services.smartcharging.domain.site_state import ActiveSession, Evse, SiteState


@dataclass(frozen=True, slots=True)
class DrawSamples:
    """Samples of a session. unit: see Sample. count: how many there ever were; values: the last of them."""

    unit: str
    values: tuple[float, ...]
    count: int


@dataclass(frozen=True, slots=True)
class SitePlan:
    """state: as it is once the requests have been made. due_at: when to plan again though nothing has changed."""

    state: SiteState
    shares: Shares
    requests: Sequence[LimitRequest]
    due_at: datetime | None


def plan(
    state: SiteState, outcomes: Mapping[str, Outcome], draws: Mapping[Key, DrawSamples], now: datetime
) -> SitePlan:
    """outcomes: of commands, by their id. draws: by station and EVSE."""
    state = _with_draws(_with_outcomes(state, outcomes, now), draws)
    shares = share(state, now)
    requests = next_requests(state, shares, now)
    after = with_requests(state, requests, now)
    return SitePlan(state=after, shares=shares, requests=requests, due_at=_due_at(after, shares, now))


def in_tenths(site: Site, member: Member, unit: str, value: float) -> int:
    """A sample as the current of the phase that carries most.

    A power of all phases may be that of one: nobody says how many a vehicle uses. Where limits are sent in watts, it is
    compared with them.
    """
    if unit == CURRENT:
        return tenths(value)
    phases = len(member.phases) if unit == POWER and member.unit == "W" else 1
    return tenths(value / (site.voltage * phases))


def _with_outcomes(state: SiteState, outcomes: Mapping[str, Outcome], now: datetime) -> SiteState:
    def settled(applied: AppliedLimit) -> AppliedLimit:
        return settle(applied, outcomes.get(applied.command_id or "", Outcome.OPEN), now)

    defaults = {key: settled(applied) for key, applied in state.defaults.items()}
    sessions = {key: replace(active, applied=settled(active.applied)) for key, active in state.sessions.items()}
    others = {key: (settled(applied), monitor) for key, (applied, monitor) in state.others.items()}
    return replace(state, defaults=defaults, sessions=sessions, others=others)


def _with_draws(state: SiteState, draws: Mapping[Key, DrawSamples]) -> SiteState:
    sessions = dict(state.sessions)
    for evse in state.evses:
        if evse.active and (samples := draws.get(evse.key)):
            sessions[evse.key] = _with_samples(state.site, evse, evse.active, samples)
    return replace(state, sessions=sessions)


def _with_samples(site: Site, evse: Evse, active: ActiveSession, samples: DrawSamples) -> ActiveSession:
    monitor = active.monitor
    new = min(samples.count - monitor.seen, len(samples.values))
    currents = [in_tenths(site, evse.member, samples.unit, value) for value in samples.values]
    for current in currents[len(currents) - new :]:
        monitor = with_sample(monitor, current, share=evse.current, minimum=evse.minimum)
    return replace(active, monitor=replace(monitor, seen=samples.count))


def _due_at(state: SiteState, shares: Shares, now: datetime) -> datetime | None:
    applied_limits = [*state.defaults.values(), *(active.applied for active in state.sessions.values())]
    retries = [applied.retry_at for applied in applied_limits if applied.retry_at and applied.retry_at > now]
    drawn = [state.drawn_until] if state.drawn_until else []
    return min((*retries, *shares.due, *drawn), default=None)
