"""A site and its real stations, in miniature: what is asked of them, what they do, and what they say of it."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from msgspec import structs

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, Outcome, settle
from services.smartcharging.domain.draw_monitor import with_sample
from services.smartcharging.domain.limit_requests import LimitRequest, committed, next_requests, with_requests
from services.smartcharging.domain.loads import scaled, total, within
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.share import share
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

    def take(self, ask: LimitRequest) -> bool:
        """Obeys; K01.FR.33: not where the transaction is not the one that runs."""
        _, evse_id = ask.key
        if ask.number is None:
            self.defaults[evse_id] = ask.current
            return True
        if self.running.get(evse_id) != ask.number:
            return False
        self.limits[evse_id] = ask.current
        return True


class SiteWorld:
    """situation: what the service knows. sent: commands under way, by station, oldest first. asked: all there were."""

    def __init__(self, site: Site, evses: dict[str, tuple[int, ...]]) -> None:
        self.now, self.number = START, 0
        self.reals = {member.station_id: RealStation(member) for member in site.members}
        stations = {name: Presence(name, True, name, START, evse_ids=ids) for name, ids in evses.items()}
        self.situation = SiteState(site, stations)
        self.sent: dict[str, deque[LimitRequest]] = {name: deque() for name in self.reals}
        self.unheard: dict[str, list[tuple[str, int, int]]] = {name: [] for name in self.reals}
        self.asked: list[LimitRequest] = []
        self.look()
        self.answer_all()

    @property
    def keys(self) -> list[Key]:
        return [point.key for point in self.situation.points]

    def look(self) -> None:
        """What the service does whenever something has changed."""
        shares = share(self.situation, self.now)
        asks = next_requests(self.situation, shares, self.now)
        self.situation = with_requests(self.situation, asks, self.now)
        for ask in asks:
            self.sent[ask.key[0]].append(ask)
        self.asked += asks

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.look()

    def start(self, key: Key) -> None:
        station, evse_id = key
        real = self.reals[station]
        if evse_id not in real.running:
            self.number += 1
            real.running[evse_id] = self.number
            real.limits.pop(evse_id, None)
            self._heard(station, ("start", evse_id, self.number))

    def end(self, key: Key) -> None:
        station, evse_id = key
        real = self.reals[station]
        if number := real.running.pop(evse_id, None):
            real.limits.pop(evse_id, None)
            self._heard(station, ("end", evse_id, number))

    def draws(self, key: Key, part: float) -> None:
        """A sample of what a session draws: a part of what it may."""
        charging, real = self.situation.charging.get(key), self.reals[key[0]]
        if charging and real.online:
            point = next(point for point in self.situation.points if point.key == key)
            draw = int(real.most(key[1]) * part)
            watch = with_sample(charging.watch, draw, point.current, point.minimum)
            self._charging(key, replace(charging, watch=watch))
            self.look()

    def answers(self, station: str, how: str) -> None:
        """The oldest command of a station is answered, refused, obeyed in silence, lost in silence, or not sent."""
        if not self.sent[station]:
            return
        ask, real = self.sent[station].popleft(), self.reals[station]
        if how in ("accept", "obey") and real.online:
            obeyed = real.take(ask)
            fate = Outcome.UNKNOWN if how == "obey" else Outcome.ACCEPTED if obeyed else Outcome.REFUSED
        elif how == "refuse" and real.online:
            fate = Outcome.REFUSED
        else:
            fate = Outcome.UNSENT if how == "unsent" else Outcome.UNKNOWN
        # A command that a newer one has overtaken is not listened to any more.
        if not any(later.key == ask.key and later.number == ask.number for later in self.sent[station]):
            self._settle(ask, fate)
        self.look()

    def leaves(self, station: str) -> None:
        self.reals[station].online = False
        known = self.situation.stations[station]
        self._station(structs.replace(known, connected=False))
        self.look()

    def comes(self, station: str) -> None:
        self.reals[station].online = True
        known = self.situation.stations[station]
        self._station(structs.replace(known, connected=True, connected_at=self.now))
        for what in self.unheard[station]:
            self._happened(station, *what)
        self.unheard[station].clear()
        self.look()

    def answer_all(self) -> None:
        """Until nobody is asked anything any more."""
        for _ in range(1000):
            busy = [name for name, sent in self.sent.items() if sent]
            if not busy:
                return
            self.answers(busy[0], "accept")
        raise AssertionError("there is no end to it")

    def drawn(self) -> dict[str, int]:
        """The most that the real stations may be drawing."""
        points = self.situation.points
        return total(scaled(point.weights, self.reals[point.key[0]].most(point.evse_id)) for point in points)

    def holds_limit(self) -> bool:
        capacity = self.situation.site.capacity
        return within(self.drawn(), capacity) and within(committed(self.situation), capacity)

    def shares(self) -> dict[Key, int]:
        return {point.key: point.current for point in self.situation.points if point.charging}

    def _heard(self, station: str, what: tuple[str, int, int]) -> None:
        if self.reals[station].online:
            self._happened(station, *what)
            self.look()
        else:
            self.unheard[station].append(what)

    def _happened(self, station: str, what: str, evse_id: int, number: int) -> None:
        key = station, evse_id
        if what == "start":
            session = Session(number, station, evse_id, str(number), self.now, self.now)
            self._charging(key, ActiveSession(session))
        elif (known := self.situation.charging.get(key)) and known.session.id == number:
            rest = {other: one for other, one in self.situation.charging.items() if other != key}
            self.situation = replace(self.situation, charging=rest)

    def _settle(self, ask: LimitRequest, fate: Outcome) -> None:
        if ask.number is None:
            hold = settle(self.situation.defaults[ask.key], fate, self.now)
            self.situation = replace(self.situation, defaults={**self.situation.defaults, ask.key: hold})
        elif (known := self.situation.charging.get(ask.key)) and known.session.id == ask.number:
            self._charging(ask.key, replace(known, hold=settle(known.hold, fate, self.now)))

    def _charging(self, key: Key, charging: ActiveSession) -> None:
        self.situation = replace(self.situation, charging={**self.situation.charging, key: charging})

    def _station(self, station: Presence) -> None:
        self.situation = replace(self.situation, stations={**self.situation.stations, station.station_id: station})


def applied_limit_of(world: SiteWorld, key: Key) -> AppliedLimit:
    return world.situation.charging[key].hold
