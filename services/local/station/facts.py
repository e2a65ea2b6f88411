"""What the charger measures and is asked for, in no version's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

Payload = dict[str, Any]
Call = tuple[str, Payload]

_BATTERY_WH = 60_000
_VOLTS = 400


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the meter; energy is the register in Wh, soc the car's state of charge in percent."""

    at: datetime
    energy_wh: int
    power_w: int
    soc: int

    @property
    def current_a(self) -> float:
        """What flows at this power."""
        return round(self.power_w / _VOLTS, 1)

    @property
    def volts(self) -> int:
        """The voltage it flows at."""
        return _VOLTS


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """The CSMS wants a session for this token; `request_id` is to be named in its first message."""

    id_token: str
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteStop:
    """The CSMS wants the session to end."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The CSMS wants the charger to begin anew."""


@dataclass(frozen=True, slots=True)
class Send:
    """The CSMS wants to hear these messages."""

    calls: tuple[Call, ...]


Wish = RemoteStart | RemoteStop | Reset | Send


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a CALL of the CSMS, and what it makes the charger do."""

    payload: Payload = field(default_factory=dict)
    wish: Wish | None = None


class Dialect(Protocol):
    """One OCPP version: messages out, answers in. It holds what the version needs to know of the session."""

    subprotocol: str

    def boot(self) -> Call: ...
    def booted(self, response: Mapping[str, Any]) -> tuple[str, int]:
        """Status and interval in seconds."""

    def heartbeat(self) -> Call: ...
    def status(self, at: datetime, *, occupied: bool) -> list[Call]: ...
    def charging(self, at: datetime) -> list[Call]: ...
    def authorize(self, id_token: str) -> Call: ...
    def authorized(self, response: Mapping[str, Any]) -> str:
        """The status the CSMS gave the token; empty when it gave none."""

    def start(self, id_token: str, reading: Reading, remote: RemoteStart | None) -> Call: ...
    def started(self, response: Mapping[str, Any]) -> None: ...
    def sample(self, reading: Reading) -> Call: ...
    def stop(self, id_token: str, reading: Reading, *, remote: bool) -> Call: ...
    def answer(self, action: str, payload: Mapping[str, Any]) -> Answer | None:
        """None for an action the charger does not know."""


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
