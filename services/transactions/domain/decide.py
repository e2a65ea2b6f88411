"""The decisions: what a report makes of its transaction, or of a stop or meter values without one."""

from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from services.ocpp.id_tokens import TokenInfo
from services.transactions.domain.final_energy import is_unsettled, needs_past, with_review
from services.transactions.domain.going_on import shows_going_on, taken_back
from services.transactions.domain.merging import merge
from services.transactions.domain.messages import (
    ENDED,
    LOOKS_LIKE,
    MAY_BE_TWO,
    STARTED,
    UPDATED,
    Reply,
    Report,
    Started,
    StationSamples,
    Updated,
)
from services.transactions.domain.metering import PastValue
from services.transactions.domain.occurrences import (
    begins_anew,
    may_be_of_another,
    may_be_told_again,
    may_have_its_end,
)
from services.transactions.domain.orphans import OrphanStop, orphan_stop
from services.transactions.domain.present import contested, overlapped, present_on, settle
from services.transactions.domain.register import MAX_POWER_W
from services.transactions.domain.revisions import Revision, RevisionReason, is_unseen, revise
from services.transactions.domain.transaction import UNASSIGNED, Assignment, EndedBy, Transaction, new_transaction

LATE_END, LATE_REPORT = RevisionReason.LATE_END, RevisionReason.LATE_REPORT
NO_PAST: Mapping[int, Sequence[PastValue]] = MappingProxyType({})
NOBODY: Set[int] = frozenset()
# Transactions, each with the revision where it has ended.
Others = Sequence[tuple[Transaction, Revision | None]]


class Decision(msgspec.Struct, frozen=True):
    """What a report leads to: a reply, and a transaction (changed or not), an orphan or station samples.

    starts: its start was not told before. unseen: all that has changed is what nobody sees. revision: where it ends the
    transaction, or changes what was told of its end. others: transactions of the station that it makes different, with
    the revision where it ends one. needs_past: of all these, by id, whose energy hangs on all their meter values. A
    struct, for it is made with every meter value.
    """

    reply: Reply
    transaction: Transaction | None = None
    changed: bool = False
    starts: bool = False
    unseen: bool = False
    revision: Revision | None = None
    needs_past: Set[int] = NOBODY
    orphan: OrphanStop | None = None
    station_samples: StationSamples | None = None
    others: Others = ()

    @property
    def is_news(self) -> bool:
        """Whether others are to know, even if they know all its meter values."""
        return self.changed and not self.unseen

    @property
    def may_need_past(self) -> bool:
        """Whether what it leads to may hang on meter values that were reported before."""
        return bool(self.needs_past or self.others or (self.transaction and self.transaction.ended))

    @property
    def revisions(self) -> list[Revision]:
        """All that it leads to."""
        if self.revision is None and not self.others:
            return []
        return [revision for revision in (*(one for _, one in self.others), self.revision) if revision]


def decide(
    current: Transaction | None,
    report: Report,
    number: int | None = None,
    token: TokenInfo | None = None,
    command_id: str | None = None,
    open_ones: Sequence[Transaction] = (),
    rated_power_w: float = MAX_POWER_W,
    occurrence: int | None = None,
    pasts: Mapping[int, Sequence[PastValue]] = NO_PAST,
    mixed_up: Sequence[Transaction] = (),
    free_vend: str | None = None,
    assignment: Assignment = UNASSIGNED,
) -> Decision:
    """Merges a report. Repeated (a retry, a replay), it changes nothing and is answered alike.

    current: the transaction it names, if there is one. number: the id of a new one, if it starts one.
    token: the verdict on its idToken. command_id: of the remote start that it comes from. open_ones: the transactions
    of the station that have not ended, where may_be_contested() says so. rated_power_w: what the EVSE of a new
    one can deliver. occurrence: its number among those of its key (the next after current). pasts: by id, the meter
    values that were reported before, of those that a decision needs: then it is made again. mixed_up: other
    ones that an end may be of. free_vend, assignment: of the station of a new one, see Transaction.
    """
    others: Others = ()
    if starts_transaction(current, report):
        assert number is not None, "a new transaction needs a number"
        before = new_transaction(report, number, rated_power_w, free_vend, assignment)
        if current:
            doubtful = may_be_told_again(current, report)
            if may_have_its_end(current, report):
                doubtful, others = True, [_held(current, report)]
            details = {**before.details, LOOKS_LIKE: current.id} if doubtful else before.details
            before = replace(before, occurrence=occurrence or current.occurrence + 1, details=details)
        known = before
    elif current:
        goes_on = shows_going_on(current, report) and present_on(current, open_ones) is None
        known, before = current, taken_back(current, pasts.get(current.id)) if goes_on else current
        if may_be_of_another(current, report):
            before = replace(before, details={**before.details, MAY_BE_TWO: True})
    else:
        return _without_transaction(report, token)
    after = merge(before, report, token.status.value if token else None, command_id, past=pasts.get(before.id))
    reply = Started(after.id, token) if report.kind == STARTED else Updated(token)
    if after is not before and contested(before, after, report):
        after, settled = settle(before, after, report, open_ones, pasts)
        others = [*others, *settled]
    is_new = after is not before and report.kind == ENDED
    if is_new and (mixed := [*mixed_up, *overlapped(after, report, open_ones)]):
        after = _doubted(after)
        others = [*others, *(_held(one, report) for one in mixed if MAY_BE_TWO not in one.details)]
    late = LATE_END if report.kind == ENDED else LATE_REPORT
    after, revision = revise(known, after, late, report.received_at)
    return Decision(
        reply,
        after,
        changed=after is not current,
        starts=report.kind == STARTED and "started" not in known.field_order,
        unseen=current is not None and not others and is_unseen(current, after),
        revision=revision,
        others=others,
        needs_past=_needed(after, report, others, pasts) if before is known else {after.id} - pasts.keys(),
    )


def decide_joined(
    current: Transaction,
    stop: Report,
    token: TokenInfo | None = None,
    open_ones: Sequence[Transaction] = (),
    pasts: Mapping[int, Sequence[PastValue]] = NO_PAST,
) -> Decision:
    """Ends the transaction that a nameless stop means, see orphans. One that names it is later, and corrects this."""
    named = replace(stop, order=UPDATED)
    after = merge(current, named, token.status.value if token else None, past=pasts.get(current.id))
    after, others = settle(current, replace(after, ended_by=EndedBy.JOINED), named, open_ones, pasts)
    after, revision = revise(current, after, LATE_END, stop.received_at)
    return Decision(
        Updated(token),
        after,
        changed=True,
        revision=revision,
        orphan=orphan_stop(stop, joined_id=current.id),
        others=others,
        needs_past=_needed(after, stop, others, pasts),
    )


def starts_transaction(current: Transaction | None, report: Report) -> bool:
    """Whether the report creates a transaction: in 2.x any event may, in 1.6 the start.

    current: the one of its key that it would be about, which may have ended.
    """
    return report.key is not None if current is None else begins_anew(current, report)


def _doubted(one: Transaction) -> Transaction:
    """One of which what was told may be of another."""
    after = replace(one, details={**one.details, MAY_BE_TWO: True})
    return with_review(after) if one.ended else after


def _held(one: Transaction, report: Report) -> tuple[Transaction, Revision | None]:
    """The same, with the revision where it has ended."""
    return revise(one, _doubted(one), LATE_REPORT, report.received_at)


def _needed(after: Transaction, report: Report, others: Others, pasts: Mapping[int, Sequence[PastValue]]) -> Set[int]:
    if not after.ended and not others:
        return NOBODY
    needed = {other.id for other, _ in others if is_unsettled(other)} if others else NOBODY
    if needs_past(after, report):
        needed = {*needed, after.id}
    return needed - pasts.keys() if needed else NOBODY


def _without_transaction(report: Report, token: TokenInfo | None) -> Decision:
    """1.6: an unknown transactionId, also 0 and -1 (errata 3.18), is answered as if it were known."""
    if report.kind == ENDED:
        return Decision(Updated(token), orphan=orphan_stop(report))
    samples = StationSamples(
        call_id=report.call_id,
        station_id=report.station_id,
        received_at=report.received_at,
        evse_id=report.evse_id,
        connector_id=report.connector_id,
        meter_values=report.meter_values,
        transaction_id=report.transaction_id,
    )
    return Decision(Updated(token), station_samples=samples)
