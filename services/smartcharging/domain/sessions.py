"""Sessions as transactions tells of them. What is told twice, or late, changes nothing."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

# So many samples are remembered between two looks at a site.
SAMPLES_KEPT = 8


class Sample(Struct, frozen=True):
    """What a vehicle drew. unit: A, of the phase that carries most; or W, of all. at: by the station's clock."""

    at: datetime
    value: float
    unit: str


class SessionReport(Struct, frozen=True):
    """What an event says. evse_id: 0 where it is not known yet. sample: None where there is nothing of use."""

    id: int
    station_id: str
    evse_id: int
    transaction_id: str
    started_at: datetime
    ended: bool
    sample: Sample | None = None


class TrackedSession(Struct, frozen=True):
    """A session. heard_at, ended_at: when we heard of its start and its end.

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


def apply(known: TrackedSession | None, told: SessionReport, now: datetime) -> TrackedSession:
    """With what is told; the same object where that is nothing new. What has ended stays as it ended."""
    if known is None:
        known = TrackedSession(told.id, told.station_id, told.evse_id, told.transaction_id, told.started_at, now)
    if known.ended_at:
        return known
    if told.evse_id and told.evse_id != known.evse_id:
        known = replace(known, evse_id=told.evse_id)
    if told.ended:
        return replace(known, ended_at=now)
    return _sampled(known, told.sample) if told.sample else known


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


def apply_all(known: Iterable[TrackedSession], told: Iterable[SessionReport], now: datetime) -> list[TrackedSession]:
    """Everything that is told of some stations, in its order: the sessions that are changed by it.

    known: of those stations, what is active and what is named. One EVSE has one session: a new one ends the others.
    """
    before = {session.id: session for session in known}
    after = dict(before)
    active: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for session in before.values():
        if not session.ended_at:
            active[_place(session)].add(session.id)
    for one in told:
        earlier = after.get(one.id)
        session = after[one.id] = apply(earlier, one, now)
        if session is earlier:
            continue
        if earlier:
            active[_place(earlier)].discard(session.id)
        if session.ended_at:
            continue
        here = active[_place(session)]
        if session.evse_id and (earlier is None or earlier.evse_id != session.evse_id):
            after |= {other: replace(after[other], ended_at=now) for other in here}
            here.clear()
        here.add(session.id)
    return [session for session in after.values() if session is not before.get(session.id)]


def only_sampled(before: TrackedSession | None, after: TrackedSession) -> bool:
    """Whether nothing has changed but what is drawn."""
    return before is not None and (before.evse_id, before.ended_at) == (after.evse_id, after.ended_at)


def only_ended(before: TrackedSession | None, after: TrackedSession) -> bool:
    """Whether nothing has changed but that it has ended."""
    return before is not None and before.ended_at is None and after == replace(before, ended_at=after.ended_at)


def _place(session: TrackedSession) -> tuple[str, int]:
    return session.station_id, session.evse_id
