"""What the stations of a benchmark say: generators that yield a CALL and are sent its response."""

import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.play import DIALECTS
from voltbus.simulator.station.types import Call, Dialect, Payload, Reading, Session

TOKEN = "04BE7C4A11D280"
UPDATES = 5
CHARGED = 54
PHASES = ("L1", "L2", "L3")

Script = Generator[Call, Payload, None]


@dataclass(frozen=True, slots=True)
class StationScript:
    """play: the whole life of a station. opening: with so many CALLs it gets into the state that is measured."""

    play: Callable[[Dialect, str], Script]
    opening: int


def dialect_of(version: str, station_id: str) -> Dialect:
    """A station's way to speak. Raises KeyError for a version that it does not."""
    return DIALECTS[version](Charger(station_id, _now), 0)


def meter(words: Dialect, version: str) -> Script:
    """Boots, starts a transaction, and meters it for ever."""
    readings = _readings()
    yield words.boot("PowerUp")
    session = _session()
    words.started(session, (yield words.begun(session, next(readings))))
    for reading in readings:
        yield nine(words.sampled(session, reading), reading, version)


def sessions(words: Dialect, version: str) -> Script:
    """Boots, and goes through one session after the other."""
    readings = _readings()
    yield words.boot("PowerUp")
    while True:
        session, begin = _session(), next(readings)
        words.started(session, (yield nine(words.begun(session, begin), begin, version)))
        for reading in islice(readings, UPDATES):
            yield nine(words.sampled(session, reading), reading, version)
        end = next(readings)
        yield nine(words.ended(session, end, "Local"), end, version)


def starts(words: Dialect, version: str) -> Script:  # noqa: ARG001
    """Boots, and starts and stops transactions."""
    readings = _readings()
    yield words.boot("PowerUp")
    while True:
        session = _session()
        words.started(session, (yield words.begun(session, next(readings))))
        end = words.ended(session, next(readings), "Local")
        assert end is not None, "the session has its number"
        yield end


def boots(words: Dialect, version: str) -> Script:  # noqa: ARG001
    """Boots, again and again."""
    while True:
        yield words.boot("PowerUp")


SCRIPTS = {
    "meter": StationScript(meter, 2),
    "sessions": StationScript(sessions, 1),
    "starts": StationScript(starts, 1),
    "boots": StationScript(boots, 0),
}


def nine(call: Call | None, reading: Reading, version: str) -> Call:
    """The same CALL with nine sampled values: energy, power, the currents and voltages of three phases, charge."""
    assert call is not None, "the session has its number"
    action, payload = call
    energy = _value(version, reading.energy_wh, "Energy.Active.Import.Register", "Wh")
    values = [energy, *_steady(version, reading.power_w, reading.current_a, reading.volts)]
    at = payload["meterValue"][0]["timestamp"]
    return action, payload | {"meterValue": [{"timestamp": at, "sampledValue": values}]}


@cache
def _steady(version: str, power_w: float, current_a: float, volts: float) -> tuple[dict[str, Any], ...]:
    """The eight that stay as they are: what a message costs the load is taken from what is measured."""
    return (
        _value(version, power_w, "Power.Active.Import", "W"),
        *(_value(version, current_a, "Current.Import", "A", phase) for phase in PHASES),
        *(_value(version, volts, "Voltage", "V", f"{phase}-N") for phase in PHASES),
        _value(version, CHARGED, "SoC", "Percent"),
    )


def _value(version: str, value: float, measurand: str, unit: str, phase: str | None = None) -> dict[str, Any]:
    written = _WRITTEN[version](value, unit)
    return {"measurand": measurand} | written | ({"phase": phase} if phase else {})


def _as_number(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unitOfMeasure": {"unit": unit}}


_WRITTEN: dict[str, Callable[[float, str], dict[str, Any]]] = {
    "1.6": lambda value, unit: {"value": str(value), "unit": unit},
    "2.0.1": _as_number,
    "2.1": _as_number,
}


def _session() -> Session:
    return Session(str(uuid.uuid4()), 1, TOKEN, _now())


def _readings() -> Iterator[Reading]:
    """A meter that runs: no two readings are alike, so that every meter value is one of its own."""
    energy = 1_000
    while True:
        yield Reading(_now(), energy, 7_200, CHARGED, 230, 3)
        energy += 50


def _now() -> datetime:
    return datetime.now(UTC)
