"""Everything that is known of a site at one moment: its stations, their EVSEs, the sessions, what each holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.loads import Loads
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.site import Member, Site


@dataclass(frozen=True, slots=True)
class Session:
    """A transaction that charges.

    started_at: by the station's clock; heard_at: by ours. priority, minimum, maximum: an operator's own for it, before
    those of its station.
    """

    id: int
    station_id: str
    evse_id: int
    transaction_id: str
    started_at: datetime
    heard_at: datetime
    priority: int | None = None
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A session, what its TxProfile holds it to, and what it does with that."""

    session: Session
    hold: AppliedLimit = field(default_factory=AppliedLimit)
    watch: DrawMonitor = field(default_factory=DrawMonitor)


@dataclass(frozen=True, slots=True)
class Evse:
    """An EVSE of the site. default: the hold of the TxDefaultProfile that covers it. Currents: tenths of an ampere."""

    member: Member
    station: Presence
    evse_id: int
    weights: Loads
    default: AppliedLimit
    charging: ActiveSession | None = None

    @property
    def key(self) -> Key:
        return self.member.station_id, self.evse_id

    @property
    def uncovered(self) -> int:
        """What a session may draw that no TxProfile holds. A station that was never here draws nothing."""
        if self.station.connected_at is None and self.charging is None:
            return 0
        return self.default.ceiling(self.member.maximum)

    @property
    def ceiling(self) -> int:
        """The most it may be drawing, now or, where it is idle, as soon as someone plugs in."""
        return self.charging.hold.ceiling(self.uncovered) if self.charging else self.uncovered

    @property
    def reserve(self) -> int:
        """What is set aside for it: its session can end, and the next begin, without our knowing."""
        return max(self.ceiling, self.uncovered)

    @property
    def current(self) -> int:
        """What it is going to draw at the most, when the station has answered what it was asked."""
        return self.charging.hold.current(self.uncovered) if self.charging else self.uncovered

    @property
    def minimum(self) -> int:
        own = self.charging.session.minimum if self.charging else None
        return self.member.minimum if own is None else own

    @property
    def maximum(self) -> int:
        own = self.charging.session.maximum if self.charging else None
        return self.member.maximum if own is None else min(own, self.member.maximum)

    @property
    def priority(self) -> int:
        own = self.charging.session.priority if self.charging else None
        return self.member.priority if own is None else own

    def heeds(self, hold: AppliedLimit, now: datetime) -> bool:
        """Whether it is of use to ask it."""
        return self.station.connected and not hold.resting(now)

    def certain(self, hold: AppliedLimit) -> bool:
        """Whether what it holds was confirmed on this connection, and is all that it may hold."""
        return hold.held is not None and not hold.doubtful and hold.epoch == self.station.connected_at


@dataclass(frozen=True)
class SiteState:
    """defaults: by station and the EVSE that the profile is on. charging: by station and EVSE."""

    site: Site
    stations: Mapping[str, Presence] = field(default_factory=dict)
    defaults: Mapping[Key, AppliedLimit] = field(default_factory=dict)
    charging: Mapping[Key, ActiveSession] = field(default_factory=dict)

    @cached_property
    def points(self) -> tuple[Evse, ...]:
        return tuple(self._points())

    @cached_property
    def default_currents(self) -> Mapping[str, int]:
        """What TxDefaultProfiles are to say, by station."""
        return self.site.defaults(point.member for point in self.points)

    def _points(self) -> Iterator[Evse]:
        taken: dict[str, set[int]] = {}
        for station_id, evse_id in self.charging:
            taken.setdefault(station_id, set()).add(evse_id)
        for member in self.site.members:
            station = self.stations.get(member.station_id, Presence(member.station_id))
            known = set(station.evse_ids) | taken.get(member.station_id, set())
            for evse_id in member.evse_ids or sorted(known) or (1,):
                default = self.defaults.get((member.station_id, member.default_key(evse_id)), AppliedLimit())
                charging = self.charging.get((member.station_id, evse_id))
                yield Evse(member, station, evse_id, self.site.weights(member), default, charging)
