"""What a station measures and is asked for, in no version's words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

Payload = dict[str, Any]
Call = tuple[str, Payload]
Clock = Callable[[], datetime]

_BATTERY_WH = 60_000


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the meter; energy is the register in Wh, soc the car's state of charge in percent, if it tells.

    state: of the session at that moment.
    """

    at: datetime
    energy_wh: int
    power_w: int
    soc: int | None
    volts: int = 400
    phases: int = 1
    state: str = "Charging"

    @property
    def current_a(self) -> float:
        """What flows at this power, in each phase."""
        return round(self.power_w / self.volts / self.phases, 1)


@dataclass(slots=True)
class Session:
    """One transaction of the station.

    name: made by the station, unique for ever. number: given by the CSMS in 1.6, None until it is known.
    sequence: of the next message of it. state: as 2.0.1 calls it (EVConnected, Charging, SuspendedEV, SuspendedEVSE).
    meter_start_wh: the register when it began.
    """

    name: str
    outlet: int
    id_token: str
    begun: datetime
    token_type: str = "ISO14443"
    remote_start_id: int | None = None
    reservation_id: int | None = None
    number: int | None = None
    sequence: int = 0
    state: str = "Charging"
    meter_start_wh: int = 0


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """The CSMS wants a session for this token; `request_id` is to be named in its first message."""

    id_token: str
    request_id: int | None = None
    outlet: int = 1
    token_type: str = "ISO14443"


@dataclass(frozen=True, slots=True)
class RemoteStop:
    """The CSMS wants the session at this outlet to end; unlock: and the cable to be let go."""

    outlet: int = 1
    unlock: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """The CSMS wants the station to begin anew; idle: once no session goes on; hard: as if by the power switch."""

    idle: bool = False
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A message to be sent `after` seconds, counted from the step before."""

    call: Call
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Perform:
    """The CSMS wants these messages to be heard, one by one.

    task: what it belongs to ("firmware", "log"); a newer one of the same task takes the place of the older.
    firmware: the version that runs when the last step is done; the station then begins anew.
    """

    steps: tuple[Step, ...]
    task: str = ""
    firmware: str | None = None


Effect = RemoteStart | RemoteStop | Reset | Perform


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a CALL of the CSMS, and what it makes the station do."""

    payload: Payload = field(default_factory=dict)
    effect: Effect | None = None


def send(*calls: Call) -> Perform:
    """These messages, at once."""
    return Perform(tuple(Step(call) for call in calls))


def security_event(kind: str, at: datetime) -> Call:
    """A04, which all versions write alike."""
    return "SecurityEventNotification", {"type": kind, "timestamp": stamp(at)}


class Dialect(Protocol):
    """One OCPP version as a station speaks it: messages out, answers in. What is said is read from the charger."""

    subprotocol: str
    # The version, where it is spoken over SOAP; empty: over a WebSocket.
    soap: str

    @property
    def sample_seconds(self) -> int:
        """How often the CSMS wants meter values of a session; 0 for never."""

    @property
    def heartbeat_seconds(self) -> int:
        """How often it shows that it lives, as the answer to its boot or a later command said."""

    def boot(self, reason: str) -> Call:
        """reason: PowerUp, RemoteReset, ScheduledReset, FirmwareUpdate, as 2.0.1 has it."""

    def booted(self, response: Mapping[str, Any]) -> tuple[str, int]:
        """Status and interval in seconds; the interval of an acceptance is that of the heartbeat (B01.FR.04)."""

    def heartbeat(self) -> Call: ...
    def state(self, outlet: int) -> str:
        """How an outlet is, in the word of the version; a status is sent where that changes."""

    def status(self, outlet: int) -> list[Call]:
        """The message that says how an outlet is; 0 is the station as a whole, of which some versions say nothing."""

    def fault(self, outlet: int, cleared: bool) -> list[Call]:
        """What is said of a fault beside the status."""

    def alarms(self) -> list[Call]:
        """What monitors that were set have seen since the last time."""

    def security(self, kind: str) -> list[Call]:
        """A security event (A04), where the version has any."""

    def expired(self, reservation_id: int) -> list[Call]:
        """What is said of a reservation that has expired, beside the status."""

    def authorize(self, id_token: str) -> Call: ...
    def authorized(self, response: Mapping[str, Any]) -> str:
        """The status the CSMS gave the token; empty when it gave none."""

    def begun(self, session: Session, reading: Reading, offline: bool = False) -> Call:
        """The first message of a session. Messages of one session are made in the order in which they are sent."""

    def started(self, session: Session, response: Mapping[str, Any]) -> str:
        """Takes the response to the first message; the status it gave the token, empty when it gave none."""

    def sampled(self, session: Session, reading: Reading, offline: bool = False) -> Call | None:
        """A periodic reading; None where it cannot be told, for the session has no number."""

    def changed(self, session: Session, reading: Reading, offline: bool = False) -> Call | None:
        """The charging state has changed; None where the version tells it by a status."""

    def ended(self, session: Session, reading: Reading, reason: str, offline: bool = False) -> Call | None:
        """The last message. reason: Local, Remote, EVDisconnected, DeAuthorized, Reboot, ImmediateReset, … of 2.0.1."""

    def answer(self, action: str, payload: Mapping[str, Any]) -> Answer | None:
        """None for an action the station does not know."""


def curve(begin: datetime, step: timedelta, energy_wh: int, count: int) -> Iterator[Reading]:
    """A car at a 75 kW charger from 23 % on: `count` readings, a `step` apart; full power, then less and less."""
    hours = step.total_seconds() / 3600
    energy, soc = float(energy_wh), 23.0
    yield Reading(begin, energy_wh, 0, int(soc))
    for number in range(1, count):
        power = min(75_000.0, max(7_000.0, 75_000 - (soc - 55) * 1_700)) * (0.97 + 0.01 * (number % 3))
        energy += power * hours
        soc = min(99.0, soc + power * hours * 0.93 / _BATTERY_WH * 100)
        yield Reading(begin + number * step, int(energy), int(power), int(soc))


def stamp(at: datetime) -> str:
    """As OCPP writes times."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
