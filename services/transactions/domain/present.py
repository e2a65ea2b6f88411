"""Which session an EVSE has now, and which others have ended therefore. Whatever is history changes nothing of that.

An EVSE has one session at a time (2.0.1 E01.FR.14), in 1.6 a connector. What a station reports can be hours late, and
its clock wrong; so a session ends by a newer one only where nothing speaks against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from services.transactions.domain.doubts import MAX_CLOCK_ERROR
from services.transactions.domain.ends import end
from services.transactions.domain.going_on import shows_going_on
from services.transactions.domain.messages import ENDED, UNREADABLE, UPDATED, Report
from services.transactions.domain.metering import PastValue
from services.transactions.domain.register import TOLERANCE_WH
from services.transactions.domain.revisions import Revision
from services.transactions.domain.transaction import EndedBy, Transaction

# No message comes so early: its clock is wrong.
MAX_AHEAD = timedelta(minutes=5)


class Moment(NamedTuple):
    """at: by the station's clock. received_at: by ours."""

    at: datetime
    received_at: datetime

    @property
    def lag(self) -> timedelta:
        """By how much its clock was slow, or it was told late."""
        return self.received_at - self.at

    def is_after(self, other: "Moment") -> bool:
        """Whether it was certainly later. Clocks that are fast tell that only if they are so alike.

        Those that nobody has set never do: they begin anew with each boot, and what was told late looks like it.
        """
        if self.at <= other.at or max(self.lag, other.lag) > MAX_CLOCK_ERROR:
            return False
        return abs(self.lag - other.lag) <= MAX_AHEAD or min(self.lag, other.lag) >= -MAX_AHEAD


def began(one: Transaction) -> Moment:
    return Moment(one.started_at, one.started_received_at)


def may_be_contested(current: Transaction | None, report: Report) -> bool:
    """Whether the other sessions of the station matter to a report. current: the transaction it names."""
    if current is None:
        return report.key is not None
    if current.ended and shows_going_on(current, report):
        return True
    moves = report.seq_no is not None and report.evse_id not in (None, current.evse_id)
    return moves or current.superseded_by is not None or report.kind != UPDATED


def contested(before: Transaction, after: Transaction, report: Report) -> bool:
    """Whether a report that has changed a transaction may change which session an EVSE has."""
    if not after.evse_id or before.ended:
        return False
    moves = before.evse_id != after.evse_id
    return moves or before.superseded_by is not None or report.kind != UPDATED


def settle(
    before: Transaction,
    after: Transaction,
    report: Report,
    open_ones: Iterable[Transaction],
    pasts: Mapping[int, Sequence[PastValue]],
) -> tuple[Transaction, Sequence[tuple[Transaction, Revision | None]]]:
    """The transaction with what its EVSE makes of it, and the others that it makes different.

    before, after: without and with the report. open_ones: of the station. pasts: by id, all meter values of those whose
    energy hangs on them. Others: with a revision where one ends.
    """
    rivals = _rivals(after, open_ones)
    present = present_session(rivals) if rivals else None
    if after.ended:
        return after, [(one, None) for one in after_end(after, rivals)]
    if after.moved or is_history(report, present):
        newcomer = before.superseded_by is not None or before.evse_id != after.evse_id
        return (replace(after, superseded_by=present and present.id) if newcomer else after), ()
    if after.superseded_by is not None:
        after = replace(after, superseded_by=None)
    if not rivals:
        return after, ()
    settled = [(one, *_beside(one, after, report, pasts.get(one.id))) for one in rivals]
    return after, [(other, revision) for one, other, revision in settled if other is not one]


def after_end(ended: Transaction, open_ones: Iterable[Transaction]) -> list[Transaction]:
    """What one that has ended makes different: its EVSE has the last of those that waited and are not older, if any.

    The end of history makes nothing else present. open_ones: of its station.
    """
    rivals = _rivals(ended, open_ones)
    if not rivals:
        return []
    found = [one for one in rivals if not began(ended).is_after(began(one))]
    if present_session(rivals) or ended.superseded_by is not None or not found:
        return []
    return [replace(max(found, key=lambda one: one.id), superseded_by=None)]


def may_overlap(current: Transaction | None, report: Report) -> bool:
    """Whether it matters to a report what was there in the place of the transaction that it names, and has ended."""
    return report.kind == ENDED and current is not None and current.superseded_by is not None


def overlapped(ended: Transaction, report: Report, others: Iterable[Transaction]) -> list[Transaction]:
    """What was there in the place of one that has ended, and began before its end: what it measured is of both.

    Where the register had not risen since, it is not. report: of its end. others: of its station.
    """
    if ended.superseded_by is None:
        return []
    said = Moment(report.at, report.received_at)
    found = [one for one in others if one.evse_id == ended.evse_id and one.id != ended.id]
    later = [one for one in found if ended.started_at <= one.started_at and said.is_after(began(one))]
    return [one for one in later if may_have_risen(one, ended.meter_stop_wh)]


def may_have_risen(since: Transaction, wh: float | None) -> bool:
    """Whether a register that shows so much had risen since one began, for all that is known."""
    begin = since.meter_start_wh
    return wh is None or begin is None or wh > begin + TOLERANCE_WH


def is_history(report: Report, present: Transaction | None) -> bool:
    """Whether a report says nothing of now (E04.FR.03, E11.FR.07; 1.6 has clocks alone). present: what the EVSE has."""
    said = Moment(report.at, report.received_at)
    return report.offline or (present is not None and began(present).is_after(said))


def present_session(on_evse: Iterable[Transaction]) -> Transaction | None:
    """The one that an EVSE has now. on_evse: all of it."""
    found = [one for one in on_evse if not one.ended and one.superseded_by is None]
    # Several only among those of before there was one decider.
    return max(found, key=lambda one: one.id, default=None)


def present_on(one: Transaction, open_ones: Iterable[Transaction]) -> Transaction | None:
    """The other session that the EVSE of one has now. open_ones: of its station."""
    return present_session(_rivals(one, open_ones))


def _rivals(one: Transaction, open_ones: Iterable[Transaction]) -> list[Transaction]:
    """The others of its EVSE that have not ended."""
    return [other for other in open_ones if other.evse_id == one.evse_id and other.id != one.id and not other.ended]


def _beside(
    one: Transaction, present: Transaction, report: Report, past: Sequence[PastValue] | None
) -> tuple[Transaction, Revision | None]:
    """Another session of the EVSE, now that one is present there: it has ended, or where that is not certain waits."""
    both_known = _is_placed(one) and _is_placed(present) and UNREADABLE not in present.details
    if both_known and began(present).is_after(began(one)):
        superseded = replace(one, superseded_by=present.id)
        return end(superseded, EndedBy.SUPERSEDED, present.started_at, report.received_at, past=past)
    return (one if one.superseded_by is not None else replace(one, superseded_by=present.id)), None


def _is_placed(one: Transaction) -> bool:
    """Whether it certainly is on its EVSE: its start was told, and no other EVSE was ever named."""
    return "started" in one.field_order and not one.moved
