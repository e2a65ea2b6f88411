"""The state of one simulated station, in no version's words: outlets, sessions, profiles, lists, what it was told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from voltbus.simulator.station.certificates import Certificates
from voltbus.simulator.station.profiles import Profile, Purpose, limit
from voltbus.simulator.station.types import Call, Clock, Payload, Reading, Session
from voltbus.simulator.station.variables import Variables


@dataclass(frozen=True, slots=True)
class Reservation:
    """An outlet is kept for one driver until `expires`."""

    id: int
    id_token: str
    expires: datetime


@dataclass(slots=True)
class Outlet:
    """One EVSE with one connector. fault: its error code, as 1.6 calls it. later: its operative state once it is idle.

    held: a session was asked for and has not begun yet. finishing: one has ended, and the car is still there.
    """

    number: int
    most_w: int
    volts: int = 230
    phases: int = 3
    meter_wh: float = 0.0
    power_w: float = 0.0
    soc: float | None = None
    operative: bool = True
    later: bool | None = None
    plugged: bool = False
    held: bool = False
    finishing: bool = False
    fault: str | None = None
    session: Session | None = None
    reservation: Reservation | None = None

    def reading(self, at: datetime) -> Reading:
        """What the meter shows."""
        soc = None if self.soc is None else int(self.soc)
        power = int(self.power_w) if self.session else 0
        state = self.session.state if self.session else "Idle"
        return Reading(at, int(self.meter_wh), power, soc, self.volts, self.phases, state)

    @property
    def free(self) -> bool:
        """Whether a session may be asked for here."""
        return self.operative and not self.fault and self.session is None and not self.held


@dataclass(frozen=True, slots=True)
class Make:
    """What a station is; power in watts."""

    vendor: str
    model: str
    power_w: int
    direct: bool = False


DEMO = Make("Voltbus", "Demo 75", 75_000, direct=True)


@dataclass(slots=True)
class Charger:
    """One station. password: what it connects with; the CSMS may change it.

    tasks: updates and uploads that go on, by name, and what was last said of each.
    patience: seconds that each step of an update or an upload takes. queued: messages that wait for a connection.
    accepted: the CSMS has accepted its boot.
    """

    id: str
    clock: Clock
    make: Make = DEMO
    outlets: tuple[Outlet, ...] = ()
    password: str | None = None
    firmware: str = "1.0.0"
    operative: bool = True
    patience: float = 3.0
    profiles: list[Profile] = field(default_factory=list)
    local_list: dict[str, Any] = field(default_factory=dict)
    list_version: int = 0
    cache: dict[str, str] = field(default_factory=dict)
    certificates: Certificates = field(default_factory=Certificates)
    variables: Variables = field(default_factory=Variables)
    tasks: dict[str, Call] = field(default_factory=dict)
    displays: dict[int, Payload] = field(default_factory=dict)
    monitors: dict[int, Payload] = field(default_factory=dict)
    streams: dict[int, Payload] = field(default_factory=dict)
    tariffs: dict[str, int] = field(default_factory=dict)
    networks: dict[int, Payload] = field(default_factory=dict)
    queued: bool = False
    accepted: bool = True

    def __post_init__(self) -> None:
        self.outlets = self.outlets or (outlet(self.make, 1),)

    @property
    def serial(self) -> str:
        """The serial number: the station's id, as far as 1.6 has room for it."""
        return self.id[:25]

    def outlet(self, number: int) -> Outlet | None:
        """The outlet of that number; None where there is none."""
        return next((outlet for outlet in self.outlets if outlet.number == number), None)

    def places(self, number: int | None) -> tuple[Outlet, ...]:
        """One outlet, or all for 0 and None; nothing for one that there is not."""
        return tuple(outlet for outlet in self.outlets if number in (outlet.number, 0, None))

    def sessions(self) -> Iterator[Session]:
        """Those that go on."""
        return (outlet.session for outlet in self.outlets if outlet.session)

    def allowed_w(self, outlet: Outlet) -> float:
        """What an outlet may give now: hardware, profiles, and its share of what limits the whole station."""
        limits = limit(self.profiles, outlet.number, outlet.session, self.clock())
        if Purpose.STATION in limits:
            limits[Purpose.STATION] /= max(1, len(list(self.sessions())))
        return min([outlet.most_w, *limits.values()])

    def keep(self, profile: Profile) -> None:
        """K01.FR.05: a profile takes the place of the one it replaces."""
        self.profiles = [known for known in self.profiles if not profile.replaces(known)] + [profile]

    def known(self, id_token: str) -> bool:
        """Whether the token may charge while the CSMS cannot be asked: from the local list, then the cache."""
        key = id_token.lower()
        return (self.local_list.get(key) or self.cache.get(key)) == "Accepted"

    def begun(self, session: Session) -> None:
        """A session begins at its outlet."""
        if outlet := self.outlet(session.outlet):
            outlet.session, outlet.held = session, False
            if outlet.reservation and outlet.reservation.id == session.reservation_id:
                outlet.reservation = None

    def ended(self, session: Session) -> None:
        """Its profiles go with a session; an outlet that was to be taken out of service now is."""
        self.profiles = [known for known in self.profiles if not _ends_with(known, session)]
        if outlet := self.outlet(session.outlet):
            outlet.session, outlet.power_w = None, 0.0
            if outlet.later is not None:
                outlet.operative, outlet.later = outlet.later, None


def outlet(make: Make, number: int, meter_wh: float = 1_234_500) -> Outlet:
    """An outlet of that make."""
    if make.direct:
        return Outlet(number, make.power_w, 400, 1, meter_wh)
    return Outlet(number, make.power_w, 230, 3 if make.power_w > 7_400 else 1, meter_wh)


def _ends_with(profile: Profile, session: Session) -> bool:
    return profile.purpose is Purpose.SESSION and profile.outlet == session.outlet
