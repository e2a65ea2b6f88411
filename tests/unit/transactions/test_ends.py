"""Ends that no station reported, and what the station's own word makes of them."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.transactions.domain.decide import decide
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.revisions import Audit, Change, RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import at, metered, report, start

AUDIT = Audit("anna", "cable was gone", "close")


def closed(*reports: Report) -> Transaction:
    """Reports, then an end by an operator, told at minute 50 as of minute 40."""
    current: Transaction | None = None
    for one in reports:
        current = decide(current, one, 7).transaction
    assert current
    return end(current, EndedBy.OPERATOR, at(40), at(50), AUDIT)[0]


def said(kind: ReportKind, **more: Any) -> Report:
    """Of 1.6, after its start."""
    return replace(report(kind, order=kind, key=None, number=7, **more), seq_no=None)


def test_an_end_that_nobody_reported_has_the_energy_that_is_known() -> None:
    begun = decide(None, start(), 7).transaction
    assert begun
    metered_once = decide(begun, said(ReportKind.UPDATED, meter_values=metered(4000))).transaction
    assert metered_once
    after, revision = end(metered_once, EndedBy.OPERATOR, at(40), at(50), AUDIT)
    assert (after.status, after.ended_by, after.stop_reason) == ("ended", "operator", None)
    assert (after.energy_wh, after.meter_stop_wh, after.complete) == (3000, 4000, False)
    assert (after.stopped_at, after.stopped_received_at, after.updated_at) == (at(40), at(50), at(50))
    assert revision
    assert (revision.number, revision.reason, revision.audit) == (1, RevisionReason.ENDED, AUDIT)
    assert Change("ended_by", None, "operator") in revision.changes


@pytest.mark.parametrize(
    ("begin", "stop"),
    [
        (start(), said(ReportKind.ENDED, at=at(30), end_wh=5000.0, stop_reason="Local")),
        (
            report(ReportKind.STARTED, seq_no=0, meter_values=metered(1000, rank=-1)),
            report(ReportKind.ENDED, seq_no=1, at=at(30), stop_reason="Local", meter_values=metered(5000, rank=1)),
        ),
    ],
    ids=["1.6", "2.0.1"],
)
def test_the_own_word_of_the_station_corrects_it(begin: Report, stop: Report) -> None:
    decision = decide(closed(begin), stop)
    assert decision.transaction
    corrected = decision.transaction
    assert (corrected.ended_by, corrected.stopped_at, corrected.stop_reason) == ("station", at(30), "Local")
    assert (corrected.energy_wh, corrected.complete) == (4000, True)
    assert decision.revision
    assert (decision.revision.number, decision.revision.reason) == (2, RevisionReason.LATE_END)
    assert Change("ended_by", "operator", "station") in decision.revision.changes


def test_what_comes_late_is_a_revision_of_it_and_does_not_begin_it_anew() -> None:
    decision = decide(closed(start()), said(ReportKind.UPDATED, meter_values=metered(4500)))
    assert decision.transaction
    assert (decision.transaction.status, decision.transaction.ended_by) == ("ended", "operator")
    assert decision.revision
    assert decision.revision.reason == RevisionReason.LATE_REPORT
    assert Change("energy_wh", None, 3500) in decision.revision.changes
