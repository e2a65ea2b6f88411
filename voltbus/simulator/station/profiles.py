"""Charging profiles: what limits a session at a moment, and the composite of all of them (K01, K08; 1.6 §3.13)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from math import inf
from typing import Any

from voltbus.simulator.station.types import Payload, Session

# A limit in amperes is one of each phase; a period that names no phases means three.
VOLTS, PHASES = 230, 3
_PERIODS = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


class Purpose(Enum):
    """What a profile is for."""

    STATION = "station"
    EXTERNAL = "external"
    DEFAULT = "default"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` seconds on, until the next; watts."""

    start: int
    watts: float


@dataclass(frozen=True, slots=True)
class Profile:
    """A charging profile at an outlet (0: the whole station).

    transaction: what a session calls itself in the version; None: whichever goes on. start: of the schedule; None
    where it begins with the session. recurs: Daily, Weekly or None. written: as it came.
    """

    id: int
    outlet: int
    purpose: Purpose
    stack: int
    periods: tuple[Period, ...]
    start: datetime | None = None
    duration: int | None = None
    recurs: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction: str | None = None
    written: Payload | None = None

    def watts(self, at: datetime, begun: datetime) -> float | None:
        """The limit at a moment, for a session that began at `begun`; None where it says nothing."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at >= self.valid_to):
            return None
        passed = (at - self._start(at, begun)).total_seconds()
        if passed < 0 or (self.duration is not None and passed >= self.duration):
            return None
        return next((period.watts for period in reversed(self.periods) if period.start <= passed), None)

    def changes(self, at: datetime, until: datetime, begun: datetime) -> Iterator[datetime]:
        """The moments at which the limit may change."""
        yield from (moment for moment in (self.valid_from, self.valid_to) if moment)
        start, step = self._start(at, begun), _PERIODS.get(self.recurs or "")
        while start < until:
            yield from (start + timedelta(seconds=period.start) for period in self.periods)
            if self.duration is not None:
                yield start + timedelta(seconds=self.duration)
            if step is None:
                break
            start += step

    def _start(self, at: datetime, begun: datetime) -> datetime:
        start = self.start or begun
        if self.recurs and at >= start:
            step = _PERIODS[self.recurs]
            start += (at - start) // step * step
        return start

    def replaces(self, other: "Profile") -> bool:
        """K01.FR.05: the same id; or the same place, which nobody should take twice (K01.FR.06)."""
        place = (other.outlet, other.purpose, other.stack, other.transaction)
        return self.id == other.id or place == (self.outlet, self.purpose, self.stack, self.transaction)


def limit(profiles: Iterable[Profile], outlet: int, session: Session | None, at: datetime) -> dict[Purpose, float]:
    """What each purpose allows in watts; those that say nothing are absent. The session's own is over the default."""
    begun = session.begun if session else at
    at_work = [(profile, watts) for profile in profiles if (watts := profile.watts(at, begun)) is not None]
    names = (None, session.name, str(session.number)) if session else ()

    def highest(purpose: Purpose, place: int) -> float | None:
        found = [
            (profile.stack, watts)
            for profile, watts in at_work
            if profile.purpose is purpose and profile.outlet == place
            if purpose is not Purpose.SESSION or profile.transaction in names
        ]
        return max(found)[1] if found else None

    def first(*found: float | None) -> float | None:
        return next((watts for watts in found if watts is not None), None)

    found = {
        Purpose.STATION: highest(Purpose.STATION, 0),
        Purpose.EXTERNAL: first(highest(Purpose.EXTERNAL, outlet), highest(Purpose.EXTERNAL, 0)),
        Purpose.SESSION: first(
            highest(Purpose.SESSION, outlet), highest(Purpose.DEFAULT, outlet), highest(Purpose.DEFAULT, 0)
        ),
    }
    return {purpose: watts for purpose, watts in found.items() if watts is not None}


def composite(
    profiles: Sequence[Profile], outlet: int, session: Session | None, at: datetime, seconds: int, most: float
) -> list[Period]:
    """The limits of the next `seconds`, in watts; `most` is what the hardware gives (K08.FR.04)."""
    until = at + timedelta(seconds=seconds)
    begun = session.begun if session else at
    moments = {at, *(moment for profile in profiles for moment in profile.changes(at, until, begun))}
    periods: list[Period] = []
    for moment in sorted(moment for moment in moments if at <= moment < until):
        watts = min([most, *limit(profiles, outlet, session, moment).values()])
        if not periods or periods[-1].watts != watts:
            periods.append(Period(int((moment - at).total_seconds()), watts))
    return periods


def read_periods(schedule: Mapping[str, Any]) -> tuple[Period, ...]:
    """A schedule's periods, which all versions write alike; in watts."""
    amperes = schedule["chargingRateUnit"] == "A"
    return tuple(
        Period(one["startPeriod"], _most(one) * (VOLTS * one.get("numberPhases", PHASES) if amperes else 1))
        for one in schedule["chargingSchedulePeriod"]
    )


def _most(period: Mapping[str, Any]) -> float:
    """What may be drawn; in 2.1 a setpoint may stand for the limit, and where there is neither, anything may."""
    return float(period.get("limit", max(0, period.get("setpoint", inf))))


def write_periods(periods: Sequence[Period], unit: str) -> list[Payload]:
    """Periods in the unit that was asked for; limits have one decimal at the most."""
    factor = VOLTS * PHASES if unit == "A" else 1
    return [{"startPeriod": period.start, "limit": round(period.watts / factor, 1)} for period in periods]
