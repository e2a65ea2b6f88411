"""Sessions, as the events of transactions report them: which have ended, and which their EVSE has, is decided there."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

# So many samples are kept between two plans of a site.
SAMPLES_KEPT = 8
# Units of samples: the current or the power of the phase that carries most, or the power of all phases.
CURRENT, PHASE_POWER, POWER = "A", "W/phase", "W"
# Below this a meter shows what electronics take, by unit.
LEAST_DRAWN = {CURRENT: 1.0, PHASE_POWER: 100.0, POWER: 100.0}
# A meter is read a little after its session has ended.
AFTER_END = timedelta(seconds=10)
# Registers are rounded, that of a stop otherwise than those that are sampled. Who charges has more than that in five
# minutes (IEC 61851: 6 A), and no EVSE delivers more than a megawatt.
ROUNDING_WH, STANDS_STILL, MOST_W = 50.0, timedelta(minutes=5), 1e6
# What is told so soon after its own time is of now.
AT_ONCE = timedelta(minutes=2)


class Sample(Struct, frozen=True):
    """What a vehicle drew. unit: one of those above. at: by the station's clock."""

    at: datetime
    value: float
    unit: str


class Register(Struct, frozen=True):
    """What the energy register showed. at: by the station's clock. received_at: by ours."""

    at: datetime
    wh: float
    received_at: datetime


class SessionReport(Struct, frozen=True):
    """What an event says of a session. evse_id: 0: not known yet. sample: None: nothing of use.

    superseded: it is history, and its EVSE has another session now. revision: of its end, see Transaction of
    events.proto. stopped_at: when it ended, mostly by the station's clock; end_wh: the register then, as far as it is
    known. register: what is told of it of a session that has ended. resumed: the event by which it goes on after a
    reboot of its station (2.1 E17); empty: it tells something else.
    """

    id: int
    station_id: str
    evse_id: int
    transaction_id: str
    started_at: datetime
    ended: bool
    sample: Sample | None = None
    superseded: bool = False
    revision: int = 0
    stopped_at: datetime | None = None
    end_wh: float | None = None
    register: Register | None = None
    resumed: str = ""


class TrackedSession(Struct, frozen=True):
    """A session. heard_at, ended_at: when we read of its start and its end. superseded: see SessionReport.

    draws: the last samples; samples: how many there were. draws_on_at: when it was last seen to draw after its end.
    metered_at, metered_wh: of one that has ended, what its register showed last, by our clock.
    """

    id: int
    station_id: str
    evse_id: int
    transaction_id: str
    started_at: datetime
    heard_at: datetime
    ended_at: datetime | None = None
    unit: str | None = None
    draws: tuple[float, ...] = ()
    samples: int = 0
    sampled_at: datetime | None = None
    superseded: bool = False
    revision: int = 0
    draws_on_at: datetime | None = None
    metered_at: datetime | None = None
    metered_wh: float | None = None


def apply(known: TrackedSession | None, report: SessionReport, now: datetime) -> TrackedSession:
    """With a report; the same object where that is nothing new. What has ended stays so, until a newer revision of that
    is told; what it draws afterwards is seen."""
    if known is None:
        known = TrackedSession(
            id=report.id,
            station_id=report.station_id,
            evse_id=report.evse_id,
            transaction_id=report.transaction_id,
            started_at=report.started_at,
            heard_at=now,
        )
    if report.revision < known.revision:
        return known
    if report.revision > known.revision:
        metered_at = known.metered_at if report.register else None
        ended_at = known.ended_at if report.ended else None
        known = replace(known, revision=report.revision, ended_at=ended_at, metered_at=metered_at)
    if known.ended_at:
        return _after_end(known, report, now)
    evse_id = report.evse_id or known.evse_id
    if (known.evse_id, known.superseded) != (evse_id, report.superseded):
        known = replace(known, evse_id=evse_id, superseded=report.superseded)
    if report.ended:
        return _after_end(replace(known, ended_at=now), report, now)
    known = replace(known, draws_on_at=None) if known.draws_on_at else known
    return _sampled(known, report.sample) if report.sample else known


def _after_end(known: TrackedSession, report: SessionReport, now: datetime) -> TrackedSession:
    """Seen to draw by what was measured after the end, as the last that is known tells; where the last says it is."""
    since = report.stopped_at + AFTER_END if report.stopped_at else now
    known = replace(known, evse_id=report.evse_id) if report.evse_id not in (0, known.evse_id) else known
    known, flow = _metered(known, report, now)
    if flow:
        # It is no sample of what a share is given back by.
        after = replace(_sampled(known, flow), samples=known.samples)
    else:
        after = _sampled(known, report.sample) if report.sample and report.sample.at > since else known
    if after.sampled_at is None or after.sampled_at <= since or after.draws[-1] < LEAST_DRAWN.get(after.unit or "", 0):
        return replace(after, draws_on_at=None) if after.draws_on_at else after
    return replace(after, draws_on_at=now) if after is not known or not known.draws_on_at else after


def _metered(known: TrackedSession, report: SessionReport, now: datetime) -> tuple[TrackedSession, Sample | None]:
    """With the register that a report of one that has ended tells, and what was drawn by it; None: it says nothing.

    By our clock, for what is told at once. What a stop said may be of another session: a register that falls, or leaps,
    begins anew.
    """
    if known.metered_at is None and report.end_wh is not None:
        known = replace(known, metered_at=now, metered_wh=report.end_wh)
    new, ended_at = None if report.sample else report.register, known.ended_at or now
    since = max(known.metered_at or ended_at, ended_at + AFTER_END)
    if new is None or new.received_at <= since or not _is_of_now(new, known):
        return known, None
    after = replace(known, metered_at=new.received_at, metered_wh=new.wh)
    if known.metered_at is None or known.metered_wh is None:
        return after, None
    rise, time = new.wh - known.metered_wh, new.received_at - known.metered_at
    power = rise / (time / timedelta(hours=1))
    if rise < 0 or power > MOST_W:
        return after, None
    if rise <= ROUNDING_WH and time < STANDS_STILL:
        return known, None
    return after, Sample(max(new.at, new.received_at), power if rise > ROUNDING_WH else 0.0, POWER)


def _is_of_now(register: Register, known: TrackedSession) -> bool:
    """Told at once, by a clock that is right, or as wrong as it was when the session began."""
    lag, usual = register.received_at - register.at, known.heard_at - known.started_at
    return min(abs(lag), abs(lag - usual)) <= AT_ONCE


def _sampled(known: TrackedSession, sample: Sample) -> TrackedSession:
    if known.sampled_at and sample.at <= known.sampled_at:
        return known
    before = known.draws if known.unit == sample.unit else ()
    return replace(
        known,
        unit=sample.unit,
        draws=(*before, sample.value)[-SAMPLES_KEPT:],
        samples=known.samples + 1,
        sampled_at=sample.at,
    )


def apply_all(known: Iterable[TrackedSession], reports: Iterable[SessionReport], now: datetime) -> list[TrackedSession]:
    """The sessions that some reports, in their order, make different.

    known: those that the reports name, as far as they are known.
    """
    before = {session.id: session for session in known}
    after: dict[int, TrackedSession] = {}
    for report in reports:
        after[report.id] = apply(after.get(report.id) or before.get(report.id), report, now)
    return [session for session in after.values() if session is not before.get(session.id)]


def only_sampled(before: TrackedSession | None, after: TrackedSession) -> bool:
    """Whether nothing has changed but what is drawn."""
    return before is not None and _unsampled(before) == _unsampled(after)


def only_ended(before: TrackedSession | None, after: TrackedSession) -> bool:
    """Whether nothing has changed but that it has ended, and by which register."""
    own = {name: getattr(after, name) for name in ("ended_at", "revision", "metered_at", "metered_wh")}
    ended = before and replace(before, **own)
    return before is not None and before.ended_at is None and after.ended_at is not None and after == ended


def _unsampled(one: TrackedSession) -> tuple[Any, ...]:
    return one.evse_id, one.superseded, one.ended_at, one.revision, one.draws_on_at is None
