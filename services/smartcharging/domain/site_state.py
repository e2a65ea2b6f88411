"""Everything that is known of a site at one moment: its stations, EVSEs and sessions, and the limits they applied."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, LimitKey
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.loads import Loads
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.site import Member, Site

Limits = Mapping[LimitKey, tuple[AppliedLimit, DrawMonitor]]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What an operator wants for one session; None: as for its station."""

    priority: int | None = None
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A transaction that charges.

    started_at: by the station's clock; heard_at: by ours. superseded: its EVSE has another one now. priority, minimum,
    maximum: what an operator prefers; None: as for its station. preferences_author: who said so last.
    """

    id: int
    station_id: str
    evse_id: int
    transaction_id: str
    started_at: datetime
    heard_at: datetime
    superseded: bool = False
    priority: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    preferences_author: str | None = None

    @property
    def key(self) -> Key:
        return self.station_id, self.evse_id


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A session, the limit of its TxProfile, and what it draws of that."""

    session: Session
    applied: AppliedLimit = field(default_factory=AppliedLimit)
    monitor: DrawMonitor = field(default_factory=DrawMonitor)


@dataclass(frozen=True, slots=True)
class Evse:
    """An EVSE of the site. Currents: tenths of an ampere.

    default: the limit of the TxDefaultProfile that covers it. active: the session that it has now. other: the most that
    a session beside it, which has not ended, was granted there, and may be drawing in its place. drawn: what a session
    was last seen to draw there.
    """

    member: Member
    station: Presence
    evse_id: int
    weights: Loads
    default: AppliedLimit
    active: ActiveSession | None = None
    other: int = 0
    drawn: int = 0

    @property
    def key(self) -> Key:
        return self.member.station_id, self.evse_id

    @property
    def default_key(self) -> Key:
        """Of the TxDefaultProfile that covers it."""
        return self.member.station_id, self.member.default_key(self.evse_id)

    @property
    def uncovered(self) -> int:
        """What a session may draw that no TxProfile limits. A station that was never connected draws nothing."""
        if self.station.connected_at is None and self.active is None:
            return 0
        return self.default.ceiling(self.member.maximum)

    @property
    def unlimited(self) -> int:
        """What is drawn, or may be, as long as no session has confirmed a limit of its own."""
        return max(self.uncovered, self.drawn)

    @property
    def ceiling(self) -> int:
        """The most it may be drawing, now or, where it is idle, as soon as a vehicle is plugged in."""
        own = self.active.applied.ceiling(self.unlimited) if self.active else self.unlimited
        return max(own, self.other)

    @property
    def reserve(self) -> int:
        """What is set aside for it: its session can end, and the next begin, before we know of it."""
        return max(self.ceiling, self.uncovered)

    @property
    def current(self) -> int:
        """What it is going to draw at the most, once the station has answered what it was asked."""
        return self.active.applied.current(self.unlimited) if self.active else self.unlimited

    @property
    def minimum(self) -> int:
        own = self.active.session.minimum if self.active else None
        return self.member.minimum if own is None else own

    @property
    def maximum(self) -> int:
        own = self.active.session.maximum if self.active else None
        return self.member.maximum if own is None else min(own, self.member.maximum)

    @property
    def priority(self) -> int:
        own = self.active.session.priority if self.active else None
        return self.member.priority if own is None else own

    def heeds(self, applied: AppliedLimit, now: datetime) -> bool:
        """Whether there is any use in asking the station."""
        return self.station.connected and not applied.resting(now)

    def certain(self, applied: AppliedLimit) -> bool:
        """Whether what it applies was confirmed on this connection, and no other limit may have been applied since."""
        return applied.held is not None and not applied.doubtful and applied.epoch == self.station.connected_at


@dataclass(frozen=True)
class SiteState:
    """defaults: by station and the EVSE that the profile is on. sessions: those that EVSEs have now, by station and
    EVSE. others: the limits of others that have not ended, where they were granted. drawn: what sessions were last seen
    to draw, by station and EVSE; drawn_until: when the first that has ended is held to draw nothing, unless seen again.
    """

    site: Site
    stations: Mapping[str, Presence] = field(default_factory=dict)
    defaults: Mapping[Key, AppliedLimit] = field(default_factory=dict)
    sessions: Mapping[Key, ActiveSession] = field(default_factory=dict)
    others: Limits = field(default_factory=dict)
    drawn: Mapping[Key, int] = field(default_factory=dict)
    drawn_until: datetime | None = None

    @cached_property
    def evses(self) -> tuple[Evse, ...]:
        return tuple(self._evses())

    @cached_property
    def default_currents(self) -> Mapping[str, int]:
        """What TxDefaultProfiles are to say, by station."""
        return self.site.defaults(evse.member for evse in self.evses)

    @property
    def limits(self) -> dict[LimitKey, tuple[AppliedLimit, DrawMonitor]]:
        """All that are known, as state_of() takes them."""
        defaults = {(*key, 0): (applied, DrawMonitor()) for key, applied in self.defaults.items()}
        sessions = {(*key, one.session.id): (one.applied, one.monitor) for key, one in self.sessions.items()}
        return defaults | sessions | dict(self.others)

    def _evses(self) -> Iterator[Evse]:
        in_use: dict[str, set[int]] = {}
        other: dict[Key, int] = {}
        for (station_id, evse_id, _), (applied, _) in self.others.items():
            other[station_id, evse_id] = max(other.get((station_id, evse_id), 0), applied.ceiling(0))
        for station_id, evse_id in (*self.sessions, *other, *self.drawn):
            in_use.setdefault(station_id, set()).add(evse_id)
        for member in self.site.members:
            station = self.stations.get(member.station_id, Presence(member.station_id))
            known = set(station.evse_ids) | in_use.get(member.station_id, set())
            for evse_id in member.evse_ids or sorted(known) or (1,):
                default = self.defaults.get((member.station_id, member.default_key(evse_id)), AppliedLimit())
                active = self.sessions.get((member.station_id, evse_id))
                yield Evse(
                    member=member,
                    station=station,
                    evse_id=evse_id,
                    weights=self.site.weights(member),
                    default=default,
                    active=active,
                    other=other.get((member.station_id, evse_id), 0),
                    drawn=self.drawn.get((member.station_id, evse_id), 0),
                )


def state_of(
    site: Site,
    stations: Mapping[str, Presence],
    sessions: Iterable[Session],
    limits: Limits,
) -> SiteState:
    """sessions: all of the stations that have not ended, in the order in which we heard of them. limits: all known.

    An EVSE has one session; should two be told of it, the last that we heard of. What others were granted there counts
    as long as they have not ended.
    """
    covered = {member.station_id: member for member in site.members}
    known = {session.id: session for session in sessions}
    present = {
        session.key: session
        for session in known.values()
        if not session.superseded and covered[session.station_id].covers(session.evse_id)
    }
    nothing = AppliedLimit(), DrawMonitor()
    steered = {(*key, session.id) for key, session in present.items()}
    return SiteState(
        site=site,
        stations=stations,
        defaults={(station, evse): applied for (station, evse, session), (applied, _) in limits.items() if not session},
        sessions={
            key: ActiveSession(session, *limits.get((*key, session.id), nothing)) for key, session in present.items()
        },
        others={key: limit for key, limit in limits.items() if key[2] in known and key not in steered},
    )
