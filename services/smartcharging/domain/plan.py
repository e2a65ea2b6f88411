"""One look at a site: what commands have come to, what is drawn, and what to ask of stations next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, Outcome, settle
from services.smartcharging.domain.draw_monitor import with_sample
from services.smartcharging.domain.limit_requests import LimitRequest, next_requests, with_requests
from services.smartcharging.domain.loads import tenths
from services.smartcharging.domain.share import Shares, share
from services.smartcharging.domain.site import Member, Site
from services.smartcharging.domain.site_state import ActiveSession, Evse, SiteState


@dataclass(frozen=True, slots=True)
class DrawSamples:
    """Samples of a session. unit: A or W. count: how many there ever were; values: the last of them."""

    unit: str
    values: tuple[float, ...]
    count: int


@dataclass(frozen=True, slots=True)
class SitePlan:
    """situation: as it is when asks have been sent. again: when something is due though nothing changes."""

    situation: SiteState
    shares: Shares
    asks: Sequence[LimitRequest]
    again: datetime | None


def plan(
    situation: SiteState, fates: Mapping[str, Outcome], drawn: Mapping[Key, DrawSamples], now: datetime
) -> SitePlan:
    """fates: of commands, by their id. drawn: by station and EVSE."""
    situation = _with_draws(_with_outcomes(situation, fates, now), drawn)
    shares = share(situation, now)
    asks = next_requests(situation, shares, now)
    after = with_requests(situation, asks, now)
    return SitePlan(after, shares, asks, _due_at(after, shares, now))


def in_tenths(site: Site, member: Member, drawn: DrawSamples, value: float) -> int:
    """A sample as the current of each phase that the session counts on."""
    return tenths(value if drawn.unit == "A" else value / (site.voltage * len(member.phases)))


def _with_outcomes(situation: SiteState, fates: Mapping[str, Outcome], now: datetime) -> SiteState:
    def come_to(hold: AppliedLimit) -> AppliedLimit:
        return settle(hold, fates.get(hold.command_id or "", Outcome.OPEN), now)

    defaults = {key: come_to(hold) for key, hold in situation.defaults.items()}
    charging = {key: replace(one, hold=come_to(one.hold)) for key, one in situation.charging.items()}
    return replace(situation, defaults=defaults, charging=charging)


def _with_draws(situation: SiteState, drawn: Mapping[Key, DrawSamples]) -> SiteState:
    charging = dict(situation.charging)
    for point in situation.points:
        if point.charging and (samples := drawn.get(point.key)):
            charging[point.key] = _sampled(situation.site, point, point.charging, samples)
    return replace(situation, charging=charging)


def _sampled(site: Site, point: Evse, charging: ActiveSession, drawn: DrawSamples) -> ActiveSession:
    watch = charging.watch
    new = min(drawn.count - watch.seen, len(drawn.values))
    currents = [in_tenths(site, point.member, drawn, value) for value in drawn.values]
    for current in currents[len(currents) - new :]:
        watch = with_sample(watch, current, point.current, point.minimum)
    return replace(charging, watch=replace(watch, seen=drawn.count))


def _due_at(situation: SiteState, shares: Shares, now: datetime) -> datetime | None:
    holds = [*situation.defaults.values(), *(one.hold for one in situation.charging.values())]
    retries = [hold.retry_at for hold in holds if hold.retry_at and hold.retry_at > now]
    return min((*retries, *shares.again), default=None)
