"""Ends that no station reported, and what the station's own word makes of them."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.transactions.domain.decide import decide
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.metering import past_values
from services.transactions.domain.review import Review
from services.transactions.domain.revisions import Audit, Change, RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import at, decided, folded, metered, register, report, start

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
    assert revision.changes == ()


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


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("wh", [1000.0, 4000.0, 0.0])
@pytest.mark.parametrize("samples", [(), (3000, 4900)])
def test_a_later_stop_whose_register_falls_is_not_believed(turned: bool, wh: float, samples: tuple[int, ...]) -> None:
    """Time, meter and reason are of one stop, in whatever order they are told; somebody looks at it."""
    values = [said(ReportKind.UPDATED, meter_values=metered(*samples))] if samples else []
    first = said(ReportKind.ENDED, at=at(30), end_wh=5000.0, stop_reason="Local")
    later = said(ReportKind.ENDED, at=at(31), end_wh=wh, stop_reason="PowerLoss")
    one = folded(start(), *values, *((later, first) if turned else (first, later)), first, later)
    assert (one.energy_wh, one.stopped_at, one.stop_reason) == (4000, at(30), "Local")
    assert (one.doubts, one.review) == ([Doubt.REGISTER_FELL], Review.HELD)


@pytest.mark.parametrize("turned", [False, True])
def test_of_a_stop_with_a_meter_and_one_without_the_first_counts(turned: bool) -> None:
    metered_one = said(ReportKind.ENDED, at=at(31), end_wh=5000.0, stop_reason="Local")
    other = said(ReportKind.ENDED, at=at(30), stop_reason="PowerLoss")
    one = folded(start(), *((other, metered_one) if turned else (metered_one, other)))
    assert (one.energy_wh, one.stopped_at, one.stop_reason, one.doubts) == (4000, at(31), "Local", [])


@pytest.mark.parametrize("late", [False, True], ids=["told in order", "told before the next start"])
def test_what_names_a_session_after_the_next_one_began_is_not_of_it(late: bool) -> None:
    """E01.FR.14: stations that repeat the number of the session before."""
    place: dict[str, Any] = {"evse_id": 1, "connector_id": 1}
    values = [
        said(ReportKind.UPDATED, at=at(minute), meter_values=(register(at(minute), wh),))
        for minute, wh in ((50, 5000), (101, 9000))
    ]
    before = values[: 2 if late else 1]
    first = folded(start(**place), *before)
    second = start(key="start:2", at=at(100), received_at=at(100), begin_wh=5000.0, id_token="OTHER", **place)
    [(ended, _)] = decide(None, second, 8, open_ones=[first]).others
    if late:
        [(ended, _)] = decide(None, second, 8, open_ones=[first], pasts={7: past_values(before)}).others
    assert (ended.ended_by, ended.stopped_at, ended.energy_wh) == ("superseded", at(100), 4000)
    told = decided(ended, values[1], [start(**place), *before])
    assert told.revision is None
    assert told.transaction
    assert (told.transaction.energy_wh, told.transaction.doubts) == (4000, [])
    corrected = decided(ended, said(ReportKind.UPDATED, meter_values=(register(at(60), 5500),)), before).transaction
    assert corrected
    assert corrected.energy_wh == 4500


def test_what_comes_late_is_a_revision_of_it_and_does_not_begin_it_anew() -> None:
    decision = decide(closed(start()), said(ReportKind.UPDATED, meter_values=metered(4500)))
    assert decision.transaction
    assert (decision.transaction.status, decision.transaction.ended_by) == ("ended", "operator")
    assert decision.revision
    assert decision.revision.reason == RevisionReason.LATE_REPORT
    assert Change("energy_wh", None, 3500) in decision.revision.changes
