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


class Sample(Struct, frozen=True):
    """What a vehicle drew. unit: one of those above. at: by the station's clock."""

    at: datetime
    value: float
    unit: str


class SessionReport(Struct, frozen=True):
    """What an event says of a session. evse_id: 0: not known yet. sample: None: nothing of use.

    superseded: it is history, and its EVSE has another session now. revision: of its end, see Transaction of
    events.proto. stopped_at: when it ended, mostly by the station's clock.
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


class TrackedSession(Struct, frozen=True):
    """A session. heard_at, ended_at: when we read of its start and its end. superseded: see SessionReport.

    draws: the last samples; samples: how many there were. draws_on_at: when it was last seen to draw after its end.
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
        known = replace(known, revision=report.revision, ended_at=known.ended_at if report.ended else None)
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
    """Seen to draw by what was measured after the end, as the last that is known tells."""
    since = report.stopped_at + AFTER_END if report.stopped_at else now
    after = _sampled(known, report.sample) if report.sample and report.sample.at > since else known
    if after.sampled_at is None or after.sampled_at <= since or after.draws[-1] < LEAST_DRAWN.get(after.unit or "", 0):
        return replace(after, draws_on_at=None) if after.draws_on_at else after
    return replace(after, draws_on_at=now) if after is not known or not known.draws_on_at else after


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
    """Whether nothing has changed but that it has ended."""
    ended = before and replace(before, ended_at=after.ended_at, revision=after.revision)
    return before is not None and before.ended_at is None and after.ended_at is not None and after == ended


def _unsampled(one: TrackedSession) -> tuple[Any, ...]:
    return one.evse_id, one.superseded, one.ended_at, one.revision, one.draws_on_at is None
