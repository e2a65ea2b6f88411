"""Reports of settings that come in parts (B07, B08): which have come, and whether that is all.

Parts may come in any order, twice, or not at all; a report that lacks some is shown as incomplete.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from services.firmware.configuration.domain.settings import Observation

FULL_INVENTORY = "FullInventory"
# A station that has said nothing of a report for so long will say no more.
PATIENCE = timedelta(minutes=2)
# Beyond, a report is no inventory of anything.
MOST_PARTS = 10_000
MISSING_SHOWN = 1000


class ReportProgress(StrEnum):
    """How far a report has come."""

    RECEIVING = "receiving"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    REFUSED = "refused"


# Nothing more is expected of these.
ENDED = frozenset({ReportProgress.COMPLETE, ReportProgress.REFUSED})


class Part(Struct, frozen=True):
    """One NotifyReport. more: whether another follows (tbc)."""

    request_id: int
    seq_no: int
    more: bool
    settings: tuple[Observation, ...]


class Report(Struct, frozen=True):
    """parts: when each came, by its seqNo. last: the highest seqNo that came as the last one.

    base: what was asked for, where it was asked for here; FullInventory is everything that a station has.
    """

    station_id: str
    request_id: int
    progress: ReportProgress = ReportProgress.RECEIVING
    base: str | None = None
    command_id: str | None = None
    reason: str | None = None
    asked_at: datetime | None = None
    changed_at: datetime | None = None
    last: int | None = None
    parts: Mapping[int, datetime] = field(default_factory=dict)

    @property
    def begun_at(self) -> datetime | None:
        """What was known before is older than the report."""
        return min(self.parts.values(), default=self.asked_at)

    @property
    def missing(self) -> list[int]:
        """The seqNos that have not come, as far as can be told; the first thousand.

        Without a last part there is at least one more to come; what came beyond a last one shows that it was none.
        """
        if self.progress in ENDED:
            return []
        highest = max(self.parts, default=-1)
        end = self.last if self.last is not None and self.last >= highest else highest + 1
        gaps: list[int] = []
        for seq_no in range(min(end + 1, MOST_PARTS)):
            if seq_no not in self.parts and len(gaps) < MISSING_SHOWN:
                gaps.append(seq_no)
        return gaps


def progress_of(reports: Sequence[Report]) -> ReportProgress:
    """Of what one command asked for, in one report or more."""
    found = {report.progress for report in reports}
    if ReportProgress.RECEIVING in found:
        return ReportProgress.RECEIVING
    return found.pop() if len(found) == 1 else ReportProgress.INCOMPLETE


def waiting_id(request_id: int) -> str:
    """How progress waits for a report."""
    return f"report/{request_id}"


def received(report: Report, part: Part, at: datetime) -> Report:
    """B07.FR.10, B08.FR.14: parts count from 0. One that comes again changes nothing, unless it now is the last."""
    last = report.last if part.more else max(part.seq_no, report.last or 0)
    known = part.seq_no in report.parts and last == report.last
    if known or not 0 <= part.seq_no < MOST_PARTS:
        return report
    changed = max(at, report.changed_at or at)
    return _completed(replace(report, parts={part.seq_no: at, **report.parts}, last=last, changed_at=changed))


def accepted(report: Report, base: str | None, command_id: str, sent_at: datetime, at: datetime) -> Report:
    """B07.FR.01: the station will report. What came before it was asked was another report of the same number."""
    parts = {seq_no: came for seq_no, came in report.parts.items() if came >= sent_at}
    kept = report.last if report.last in parts else None
    after = replace(report, base=base, command_id=command_id, asked_at=sent_at, changed_at=at, parts=parts, last=kept)
    return _completed(replace(after, progress=ReportProgress.RECEIVING, reason=None))


def refused(report: Report, base: str | None, command_id: str, reason: str, at: datetime) -> Report:
    """B07.FR.02, B07.FR.13: there will be none."""
    return replace(
        report, base=base, command_id=command_id, progress=ReportProgress.REFUSED, reason=reason, changed_at=at
    )


def empty(report: Report, base: str | None, command_id: str, sent_at: datetime, at: datetime) -> Report:
    """B08.FR.15: nothing fits what was asked for, and that is all there is to say."""
    after = accepted(report, base, command_id, sent_at, at)
    return replace(after, progress=ReportProgress.COMPLETE, reason="EmptyResultSet")


def expired(report: Report) -> Report:
    """Parts that have not come will not."""
    return replace(report, progress=ReportProgress.INCOMPLETE)


def _completed(report: Report) -> Report:
    return report if report.missing else replace(report, progress=ReportProgress.COMPLETE)
