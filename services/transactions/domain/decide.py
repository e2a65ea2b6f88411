"""The decisions: what a report makes of its transaction, or of a stop or meter values without one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from services.ocpp.id_tokens import TokenInfo
from services.transactions.domain.messages import (
    Reply,
    Report,
    ReportKind,
    Started,
    StationSamples,
    Updated,
)
from services.transactions.domain.occurrences import begins_anew
from services.transactions.domain.orphans import OrphanStop, orphan_stop
from services.transactions.domain.present import contested, settle
from services.transactions.domain.revisions import Revision, RevisionReason, revise
from services.transactions.domain.transaction import EndedBy, Transaction, merge, new_transaction


@dataclass(frozen=True, slots=True)
class Decision:
    """What a report leads to: a reply, and a transaction (changed or not), an orphan or station samples.

    revision: where it ends the transaction, or changes what was told of its end. others: transactions of the station
    that it makes different, with the revision where it ends one.
    """

    reply: Reply
    transaction: Transaction | None = None
    changed: bool = False
    revision: Revision | None = None
    orphan: OrphanStop | None = None
    station_samples: StationSamples | None = None
    others: Sequence[tuple[Transaction, Revision | None]] = ()

    @property
    def revisions(self) -> list[Revision]:
        """All that it leads to."""
        return [revision for revision in (*(one for _, one in self.others), self.revision) if revision]


def decide(
    current: Transaction | None,
    report: Report,
    number: int | None = None,
    token: TokenInfo | None = None,
    command_id: str | None = None,
    open_ones: Iterable[Transaction] = (),
) -> Decision:
    """Merges a report. Repeated (a retry, a replay), it changes nothing and is answered alike.

    current: the transaction it names, if there is one. number: the id of a new one, if it starts one.
    token: the verdict on its idToken. command_id: of the remote start that it comes from. open_ones: the transactions
    of the station that have not ended, where may_be_contested() says so.
    """
    if starts_transaction(current, report):
        assert number is not None, "a new transaction needs a number"
        occurrence = current.occurrence + 1 if current else 1
        before = replace(new_transaction(report, number), occurrence=occurrence)
    elif current:
        before = current
    else:
        return _without_transaction(report, token)
    after = merge(before, report, token.status.value if token else None, command_id)
    reply = Started(after.id, token) if report.kind == ReportKind.STARTED else Updated(token)
    others: Sequence[tuple[Transaction, Revision | None]] = ()
    if after is not before and contested(before, after, report):
        after, others = settle(before, after, report, open_ones)
    late = RevisionReason.LATE_END if report.kind == ReportKind.ENDED else RevisionReason.LATE_REPORT
    after, revision = revise(before, after, late, report.received_at)
    return Decision(reply, after, changed=after is not current, revision=revision, others=others)


def decide_joined(
    current: Transaction, stop: Report, token: TokenInfo | None = None, open_ones: Iterable[Transaction] = ()
) -> Decision:
    """Ends the transaction that a nameless stop means, see orphans. One that names it is later, and corrects this."""
    named = replace(stop, order=ReportKind.UPDATED)
    after = replace(merge(current, named, token.status.value if token else None), ended_by=EndedBy.JOINED)
    after, others = settle(current, after, named, open_ones)
    after, revision = revise(current, after, RevisionReason.LATE_END, stop.received_at)
    orphan = orphan_stop(stop, joined_id=current.id)
    return Decision(Updated(token), after, changed=True, revision=revision, orphan=orphan, others=others)


def starts_transaction(current: Transaction | None, report: Report) -> bool:
    """Whether the report creates a transaction: in 2.x any event does, in 1.6 the start.

    current: the one of its key that it would be about, which may have ended.
    """
    return report.key is not None if current is None else begins_anew(current, report)


def _without_transaction(report: Report, token: TokenInfo | None) -> Decision:
    """1.6: an unknown transactionId, also 0 and -1 (errata 3.18), is answered as if it were known."""
    if report.kind == ReportKind.ENDED:
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
