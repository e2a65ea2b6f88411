"""How a station's messages deviate from their schemas: counted, and told once a day."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

# So many kinds, by action and field, are told apart of a station; what is more is counted by its kind alone.
MOST_KINDS = 200


class DeviationKey(NamedTuple):
    """action, path: empty where it is about none in particular."""

    action: str
    kind: str
    path: str


class DeviationCount(Struct, frozen=True):
    """times: in all. untold: since it was last announced."""

    times: int
    untold: int
    first_at: datetime
    last_at: datetime


class Deviations(Struct, frozen=True):
    """Those of one station. heard_at: of the newest report. told_at: when they were last announced."""

    station_id: str
    heard_at: datetime | None = None
    told_at: datetime | None = None
    counts: Mapping[DeviationKey, DeviationCount] = field(default_factory=dict)

    @property
    def untold(self) -> dict[DeviationKey, int]:
        """How often each was seen since it was last announced."""
        return {key: count.untold for key, count in self.counts.items() if count.untold}


class DeviationsReported(Struct, frozen=True):
    """What a gateway counted on a connection since its last report."""

    station_id: str
    counts: tuple[tuple[DeviationKey, int], ...]
    at: datetime


def report(known: Deviations, reported: DeviationsReported) -> Deviations:
    """With what a gateway counted. A report that is not newer than all was read before; counts are no bookkeeping."""
    if known.heard_at is not None and reported.at <= known.heard_at:
        return known
    counts = dict(known.counts)
    for key, times in reported.counts:
        if key not in counts and len(counts) >= MOST_KINDS:
            key = DeviationKey("", key.kind, "")
        before = counts.get(key) or DeviationCount(0, 0, reported.at, reported.at)
        counts[key] = replace(before, times=before.times + times, untold=before.untold + times, last_at=reported.at)
    return replace(known, heard_at=reported.at, counts=counts)


def report_all(known: Mapping[str, Deviations], reports: Iterable[DeviationsReported]) -> dict[str, Deviations]:
    """By station, those that have changed."""
    after: dict[str, Deviations] = {}
    for one in reports:
        before = after.get(one.station_id) or known.get(one.station_id) or Deviations(one.station_id)
        after[one.station_id] = report(before, one)
    return {name: one for name, one in after.items() if one is not known.get(name)}


def is_due(known: Deviations) -> bool:
    """Whether they are to be announced: once a day (UTC), and where something is new to tell."""
    if known.heard_at is None or not known.untold:
        return False
    return known.told_at is None or known.heard_at.date() > known.told_at.date()


def announced(known: Deviations) -> Deviations:
    """They are told."""
    counts = {key: replace(count, untold=0) for key, count in known.counts.items()}
    return replace(known, told_at=known.heard_at, counts=counts)
