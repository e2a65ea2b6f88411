"""Sessions, as the events of transactions report them. What is read twice, or late, changes nothing."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

# So many samples are kept between two plans of a site.
SAMPLES_KEPT = 8


class Sample(Struct, frozen=True):
    """What a vehicle drew. unit: A, of the phase that carries most; or W, of all. at: by the station's clock."""

    at: datetime
    value: float
    unit: str


class SessionReport(Struct, frozen=True):
    """What an event says of a session. evse_id: 0: not known yet. sample: None: nothing of use."""

    id: int
    station_id: str
    evse_id: int
    transaction_id: str
    started_at: datetime
    ended: bool
    sample: Sample | None = None


class TrackedSession(Struct, frozen=True):
    """A session. heard_at, ended_at: when we read of its start and its end.

    draws: the last samples; samples: how many there were.
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


def apply(known: TrackedSession | None, report: SessionReport, now: datetime) -> TrackedSession:
    """With a report; the same object where that is nothing new. What has ended stays as it ended."""
    if known is None:
        known = TrackedSession(
            id=report.id,
            station_id=report.station_id,
            evse_id=report.evse_id,
            transaction_id=report.transaction_id,
            started_at=report.started_at,
            heard_at=now,
        )
    if known.ended_at:
        return known
    if report.evse_id and report.evse_id != known.evse_id:
        known = replace(known, evse_id=report.evse_id)
    if report.ended:
        return replace(known, ended_at=now)
    return _sampled(known, report.sample) if report.sample else known


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

    known: of the stations of the reports, what is active and what is named. One EVSE has one session: a new one
    ends the others.
    """
    before = {session.id: session for session in known}
    after = dict(before)
    active: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for session in before.values():
        if not session.ended_at:
            active[_place(session)].add(session.id)
    for report in reports:
        earlier = after.get(report.id)
        session = after[report.id] = apply(earlier, report, now)
        if session is earlier:
            continue
        if earlier:
            active[_place(earlier)].discard(session.id)
        if session.ended_at:
            continue
        on_evse = active[_place(session)]
        if session.evse_id and (earlier is None or earlier.evse_id != session.evse_id):
            after |= {other: replace(after[other], ended_at=now) for other in on_evse}
            on_evse.clear()
        on_evse.add(session.id)
    return [session for session in after.values() if session is not before.get(session.id)]


def only_sampled(before: TrackedSession | None, after: TrackedSession) -> bool:
    """Whether nothing has changed but what is drawn."""
    return before is not None and (before.evse_id, before.ended_at) == (after.evse_id, after.ended_at)


def only_ended(before: TrackedSession | None, after: TrackedSession) -> bool:
    """Whether nothing has changed but that it has ended."""
    return before is not None and before.ended_at is None and after == replace(before, ended_at=after.ended_at)


def _place(session: TrackedSession) -> tuple[str, int]:
    return session.station_id, session.evse_id
