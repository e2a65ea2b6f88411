"""What others are told of an end: once, and of each later change as the next revision."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.transactions import announcements
from services.transactions.domain.decide import Decision, decide
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.revisions import SEEN, Change, RevisionReason
from services.transactions.domain.transaction import Transaction
from tests.unit.transactions.making import RECEIVED, at, metered, report, start
from tests.unit.transactions.test_any_order import ACCEPTED, sessions
from voltbus.v1 import events_pb2 as pb


def decisions(*reports: Report) -> list[Decision]:
    current: Transaction | None = None
    made = []
    for one in reports:
        made.append(decide(current, one, 1, ACCEPTED if one.id_token else None))
        current = made[-1].transaction
    return made


def told(one: Report, decision: Decision) -> Any:
    assert decision.transaction
    return announcements.transaction_changed(
        one, decision.transaction, decision.revision, "2.0.1", starts=decision.starts
    )


STARTED = report(ReportKind.STARTED, seq_no=0, meter_values=metered(1000, rank=-1))
ENDED = report(ReportKind.ENDED, seq_no=3, stop_reason="Local", meter_values=metered(3000, rank=1))


def test_the_end_is_the_first_revision() -> None:
    first, last = decisions(STARTED, ENDED)
    assert first.revision is None
    assert last.revision
    assert (last.revision.number, last.revision.reason) == (1, RevisionReason.ENDED)
    assert (last.revision.transaction_id, last.revision.at) == (1, RECEIVED)
    assert last.revision.changes == ()
    event = told(ENDED, last)
    assert isinstance(event, pb.TransactionEnded)
    assert (event.transaction.revision, event.transaction.energy_wh) == (1, 2000)


def test_what_comes_after_the_end_is_the_next_revision() -> None:
    late = report(seq_no=1, charging_state="Charging", meter_values=metered(1500), offline=True)
    *_, decision = decisions(STARTED, ENDED, late)
    event = told(late, decision)
    assert isinstance(event, pb.TransactionRevised)
    assert (event.revision, event.reason) == (2, pb.REVISION_REASON_LATE_REPORT)
    changes = {change.field: (change.before, change.after) for change in event.changes}
    assert changes == {
        "charging_state": ("null", '"Charging"'),
        "missing_seq_nos": ("[1,2]", "[2]"),
        "offline": ("false", "true"),
    }
    assert (len(event.meter_values), event.offline) == (1, True)
    assert event.transaction.status == pb.TRANSACTION_STATUS_ENDED


def test_a_start_that_comes_after_the_end_is_a_revision_too() -> None:
    """E §1.3.1: Started may come late."""
    *_, decision = decisions(ENDED, STARTED)
    event = told(STARTED, decision)
    assert isinstance(event, pb.TransactionRevised)
    assert {change.field for change in event.changes} >= {"started_at", "meter_start_wh", "energy_wh"}


def test_a_later_end_is_a_revision() -> None:
    later = report(ReportKind.ENDED, seq_no=4, at=at(9), stop_reason="Remote")
    *_, decision = decisions(STARTED, ENDED, later)
    assert decision.revision
    assert (decision.revision.number, decision.revision.reason) == (2, RevisionReason.LATE_END)
    assert Change("stop_reason", "Local", "Remote") in decision.revision.changes


def test_the_same_end_again_is_no_revision() -> None:
    *_, decision = decisions(STARTED, ENDED, ENDED)
    assert (decision.changed, decision.revision) == (False, None)


def test_meter_values_after_the_end_that_change_nothing_are_no_revision() -> None:
    """1.6: meter values have no sequence; they are told, and the end stays as it was told."""
    begun = start(meter_values=())
    stop = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=1, end_wh=3000.0, seq_no=0)
    late = report(order=ReportKind.UPDATED, key=None, number=1, meter_values=metered(2000), seq_no=0)
    *_, decision = decisions(begun, stop, late)
    assert decision.revision is None
    event = told(late, decision)
    assert isinstance(event, pb.TransactionUpdated)
    assert event.transaction.status == pb.TRANSACTION_STATUS_ENDED


def test_what_ended_before_there_were_revisions_goes_on_at_the_second() -> None:
    old = decisions(STARTED, ENDED)[-1].transaction
    assert old
    decision = decide(replace(old, end_revision=0), report(seq_no=1, charging_state="Charging"))
    assert decision.revision
    assert (decision.revision.number, decision.revision.reason) == (2, RevisionReason.LATE_REPORT)


@given(st.data(), sessions())
def test_what_is_told_once_is_told_once(data: st.DataObject, reports: list[Report]) -> None:
    """In any order and repeated: one end, revisions without gaps, and their changes lead from the first to the last."""
    repeated = data.draw(st.permutations(reports + data.draw(st.lists(st.sampled_from(reports)))))
    made = decisions(*repeated)
    events = [told(one, each) for one, each in zip(repeated, made, strict=True) if each.changed]
    kinds = [type(event) for event in events]
    revisions = [each.revision for each in made if each.revision]
    final = made[-1].transaction
    assert final
    assert kinds.count(pb.TransactionEnded) == int(final.ended)
    assert [one.number for one in revisions] == [*range(1, final.revision + 1)]
    if final.ended:
        ended = kinds.index(pb.TransactionEnded)
        assert pb.TransactionRevised not in kinds[:ended]
        assert pb.TransactionStarted not in kinds[ended:]
    seen: dict[str, Any] = {}
    for each in made:
        if each.revision and each.revision.number > 1:
            for change in each.revision.changes:
                assert seen[change.field] == change.before
                seen[change.field] = change.after
        elif each.transaction and (each.revision or not each.transaction.ended):
            seen = {field: getattr(each.transaction, field) for field in SEEN}
    assert seen == {field: getattr(final, field) for field in SEEN}
