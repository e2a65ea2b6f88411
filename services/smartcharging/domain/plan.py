"""One look at a site: what commands have come to, what is drawn, and what to ask of stations next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import Fate, Hold, settle
from services.smartcharging.domain.draw_monitor import sampled
from services.smartcharging.domain.limit_requests import Ask, step, told
from services.smartcharging.domain.loads import tenths
from services.smartcharging.domain.share import Shares, share
from services.smartcharging.domain.site import Member, Site
from services.smartcharging.domain.site_state import Charging, Point, Situation


@dataclass(frozen=True, slots=True)
class Drawn:
    """Samples of a session. unit: A or W. count: how many there ever were; values: the last of them."""

    unit: str
    values: tuple[float, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """situation: as it is when asks have been sent. again: when something is due though nothing changes."""

    situation: Situation
    shares: Shares
    asks: Sequence[Ask]
    again: datetime | None


def look(situation: Situation, fates: Mapping[str, Fate], drawn: Mapping[Key, Drawn], now: datetime) -> Outlook:
    """fates: of commands, by their id. drawn: by station and EVSE."""
    situation = _watched(_settled(situation, fates, now), drawn)
    shares = share(situation, now)
    asks = step(situation, shares, now)
    after = told(situation, asks, now)
    return Outlook(after, shares, asks, _again(after, shares, now))


def in_tenths(site: Site, member: Member, drawn: Drawn, value: float) -> int:
    """A sample as the current of each phase that the session counts on."""
    return tenths(value if drawn.unit == "A" else value / (site.voltage * len(member.phases)))


def _settled(situation: Situation, fates: Mapping[str, Fate], now: datetime) -> Situation:
    def come_to(hold: Hold) -> Hold:
        return settle(hold, fates.get(hold.command_id or "", Fate.OPEN), now)

    defaults = {key: come_to(hold) for key, hold in situation.defaults.items()}
    charging = {key: replace(one, hold=come_to(one.hold)) for key, one in situation.charging.items()}
    return replace(situation, defaults=defaults, charging=charging)


def _watched(situation: Situation, drawn: Mapping[Key, Drawn]) -> Situation:
    charging = dict(situation.charging)
    for point in situation.points:
        if point.charging and (samples := drawn.get(point.key)):
            charging[point.key] = _with_samples(situation.site, point, point.charging, samples)
    return replace(situation, charging=charging)


def _with_samples(site: Site, point: Point, charging: Charging, drawn: Drawn) -> Charging:
    watch = charging.watch
    new = min(drawn.count - watch.seen, len(drawn.values))
    currents = [in_tenths(site, point.member, drawn, value) for value in drawn.values]
    for current in currents[len(currents) - new :]:
        watch = sampled(watch, current, point.current, point.minimum)
    return replace(charging, watch=replace(watch, seen=drawn.count))


def _again(situation: Situation, shares: Shares, now: datetime) -> datetime | None:
    holds = [*situation.defaults.values(), *(one.hold for one in situation.charging.values())]
    retries = [hold.retry_at for hold in holds if hold.retry_at and hold.retry_at > now]
    return min((*retries, *shares.again), default=None)
