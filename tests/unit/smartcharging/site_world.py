"""A site and its real stations, in miniature: what is asked of them, what they do, and what they answer."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from msgspec import structs

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, Outcome, settle
from services.smartcharging.domain.draw_monitor import with_sample
from services.smartcharging.domain.limit_requests import LimitRequest, committed
from services.smartcharging.domain.loads import scaled, total, within
from services.smartcharging.domain.plan import plan
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.site import Member, Site
from services.smartcharging.domain.site_state import ActiveSession, Session, SiteState

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class RealStation:
    """What a station does. defaults, limits: of its TxDefaultProfiles and TxProfiles. running: sessions by EVSE."""

    member: Member
    online: bool = True
    defaults: dict[int, int] = field(default_factory=dict)
    limits: dict[int, int] = field(default_factory=dict)
    running: dict[int, int] = field(default_factory=dict)

    def most(self, evse_id: int) -> int:
        """What the session on an EVSE may draw; nothing where there is none."""
        if evse_id not in self.running:
            return 0
        default = self.defaults.get(self.member.default_key(evse_id), self.member.maximum)
        return self.limits.get(evse_id, default)

    def take(self, request: LimitRequest) -> bool:
        """Obeys; K01.FR.33: only if the transaction is the one that runs."""
        _, evse_id = request.key
        if request.session_id is None:
            self.defaults[evse_id] = request.current
            return True
        if self.running.get(evse_id) != request.session_id:
            return False
        self.limits[evse_id] = request.current
        return True


class SiteWorld:
    """state: what the service knows. sent: requests under way, by station, oldest first. requests: all there were.

    unread: events of stations that are away. due_at: when the service plans again though nothing has changed.
    """

    def __init__(self, site: Site, evses: dict[str, tuple[int, ...]]) -> None:
        self.now, self.number = START, 0
        self.reals = {member.station_id: RealStation(member) for member in site.members}
        stations = {name: Presence(name, True, name, START, evse_ids=ids) for name, ids in evses.items()}
        self.state = SiteState(site, stations)
        self.sent: dict[str, deque[LimitRequest]] = {name: deque() for name in self.reals}
        self.unread: dict[str, list[tuple[str, int, int]]] = {name: [] for name in self.reals}
        self.requests: list[LimitRequest] = []
        self.due_at: datetime | None = None
        self.plan()
        self.answer_all()

    @property
    def keys(self) -> list[Key]:
        return [evse.key for evse in self.state.evses]

    def plan(self) -> None:
        """What the service does whenever something has changed."""
        planned = plan(self.state, {}, {}, self.now)
        self.state, self.due_at = planned.state, planned.due_at
        for request in planned.requests:
            self.sent[request.key[0]].append(request)
        self.requests += planned.requests

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.plan()

    def start(self, key: Key) -> None:
        station, evse_id = key
        real = self.reals[station]
        if evse_id not in real.running:
            self.number += 1
            real.running[evse_id] = self.number
            real.limits.pop(evse_id, None)
            self._happens(station, ("start", evse_id, self.number))

    def end(self, key: Key) -> None:
        station, evse_id = key
        real = self.reals[station]
        if number := real.running.pop(evse_id, None):
            real.limits.pop(evse_id, None)
            self._happens(station, ("end", evse_id, number))

    def draws(self, key: Key, part: float) -> None:
        """A sample of what a session draws: a part of what it may."""
        active, real = self.state.sessions.get(key), self.reals[key[0]]
        if active and real.online:
            evse = next(evse for evse in self.state.evses if evse.key == key)
            draw = int(real.most(key[1]) * part)
            monitor = with_sample(active.monitor, draw, share=evse.current, minimum=evse.minimum)
            self._session(key, replace(active, monitor=monitor))
            self.plan()

    def answers(self, station: str, how: str) -> None:
        """The oldest command of a station is answered, refused, obeyed in silence, lost in silence, or not sent."""
        if not self.sent[station]:
            return
        request, real = self.sent[station].popleft(), self.reals[station]
        if how in ("accept", "obey") and real.online:
            obeyed = real.take(request)
            outcome = Outcome.UNKNOWN if how == "obey" else Outcome.ACCEPTED if obeyed else Outcome.REFUSED
        elif how == "refuse" and real.online:
            outcome = Outcome.REFUSED
        else:
            outcome = Outcome.UNSENT if how == "unsent" else Outcome.UNKNOWN
        # The outcome of a command is of no use once there is a newer one.
        if not any(later.key == request.key and later.session_id == request.session_id for later in self.sent[station]):
            self._settle(request, outcome)
        self.plan()

    def leaves(self, station: str) -> None:
        self.reals[station].online = False
        known = self.state.stations[station]
        self._station(structs.replace(known, connected=False))
        self.plan()

    def comes(self, station: str) -> None:
        self.reals[station].online = True
        known = self.state.stations[station]
        self._station(structs.replace(known, connected=True, connected_at=self.now))
        for what in self.unread[station]:
            self._happened(station, *what)
        self.unread[station].clear()
        self.plan()

    def answer_all(self) -> None:
        """Until nothing more is asked of any station."""
        for _ in range(1000):
            busy = [name for name, sent in self.sent.items() if sent]
            if not busy:
                return
            self.answers(busy[0], "accept")
        raise AssertionError("the requests do not end")

    def drawn(self) -> dict[str, int]:
        """The most that the real stations may be drawing."""
        evses = self.state.evses
        return total(scaled(evse.weights, self.reals[evse.key[0]].most(evse.evse_id)) for evse in evses)

    def holds_limit(self) -> bool:
        capacity = self.state.site.capacity
        return within(self.drawn(), capacity) and within(committed(self.state), capacity)

    def shares(self) -> dict[Key, int]:
        return {evse.key: evse.current for evse in self.state.evses if evse.active}

    def _happens(self, station: str, what: tuple[str, int, int]) -> None:
        if self.reals[station].online:
            self._happened(station, *what)
            self.plan()
        else:
            self.unread[station].append(what)

    def _happened(self, station: str, what: str, evse_id: int, number: int) -> None:
        key = station, evse_id
        if what == "start":
            session = Session(number, station, evse_id, str(number), self.now, self.now)
            self._session(key, ActiveSession(session))
        elif (known := self.state.sessions.get(key)) and known.session.id == number:
            rest = {other: one for other, one in self.state.sessions.items() if other != key}
            self.state = replace(self.state, sessions=rest)

    def _settle(self, request: LimitRequest, outcome: Outcome) -> None:
        if request.session_id is None:
            applied = settle(self.state.defaults[request.key], outcome, self.now)
            self.state = replace(self.state, defaults={**self.state.defaults, request.key: applied})
        elif (known := self.state.sessions.get(request.key)) and known.session.id == request.session_id:
            self._session(request.key, replace(known, applied=settle(known.applied, outcome, self.now)))

    def _session(self, key: Key, active: ActiveSession) -> None:
        self.state = replace(self.state, sessions={**self.state.sessions, key: active})

    def _station(self, station: Presence) -> None:
        self.state = replace(self.state, stations={**self.state.stations, station.station_id: station})


def applied_limit_of(world: SiteWorld, key: Key) -> AppliedLimit:
    return world.state.sessions[key].applied
