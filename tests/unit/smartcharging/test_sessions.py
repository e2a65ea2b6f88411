"""Sessions: whatever is read twice, late, or in parts comes to the same."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.smartcharging.domain import sessions
from services.smartcharging.domain.sessions import SAMPLES_KEPT, Sample, SessionReport, TrackedSession

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def report(
    number: int = 1, evse_id: int = 1, ended: bool = False, sample: Sample | None = None, superseded: bool = False
) -> SessionReport:
    return SessionReport(number, "CP1", evse_id, f"tx-{number}", NOW, ended, sample, superseded)


def apply_all(*reports: SessionReport, known: list[TrackedSession] | None = None) -> dict[int, TrackedSession]:
    before = {one.id: one for one in known or []}
    return before | {one.id: one for one in sessions.apply_all(before.values(), reports, NOW)}


def test_a_session_that_has_ended_stays_so() -> None:
    """Its start read again does not bring it back."""
    ended = apply_all(report(), report(ended=True))
    assert ended[1].ended_at == NOW
    assert sessions.apply_all(ended.values(), [report(), report(sample=Sample(NOW, 6, "A"))], at(9)) == []


def test_a_session_ends_by_its_own_event_alone() -> None:
    """Which session an EVSE has is decided by transactions."""
    after = apply_all(report(1), report(2), report(3, evse_id=2))
    assert {number: bool(one.ended_at) for number, one in after.items()} == {1: False, 2: False, 3: False}


def test_an_evse_may_be_reported_later() -> None:
    """E02: a transaction can begin before the cable is in."""
    after = apply_all(report(1), report(2, evse_id=0))
    after = apply_all(report(2, evse_id=1), report(2, evse_id=0), known=list(after.values()))
    assert after[2].evse_id == 1


def test_history_may_become_the_present_and_the_other_way_round() -> None:
    history = apply_all(report(superseded=True))[1]
    assert history.superseded
    present = apply_all(report(), known=[history])[1]
    assert not present.superseded
    assert not sessions.only_sampled(history, present)
    assert not sessions.only_ended(history, apply_all(report(ended=True), known=[history])[1])


report_lists = st.lists(
    st.builds(
        report, st.integers(1, 3), st.integers(0, 2), st.sampled_from([False, False, True]), superseded=st.booleans()
    ),
    max_size=12,
)


@given(reports=report_lists)
def test_read_at_once_or_in_parts_it_is_the_same(reports: list[SessionReport]) -> None:
    parts: dict[int, TrackedSession] = {}
    for one in reports:
        parts = apply_all(one, known=list(parts.values()))
    assert apply_all(*reports) == parts


@given(reports=report_lists, again=st.integers(1, 12))
def test_read_again_it_is_the_same(reports: list[SessionReport], again: int) -> None:
    """From wherever it crashed, up to the end."""
    once = apply_all(*reports)
    assert apply_all(*reports[-again:], known=list(once.values())) == once


def test_samples_are_taken_once_and_in_order() -> None:
    samples = [Sample(at(second), float(second), "A") for second in (0, 60, 30, 60, 120)]
    session = apply_all(*(report(sample=one) for one in samples))[1]
    assert (session.draws, session.samples) == ((0, 60, 120), 3)
    many = apply_all(*(report(sample=Sample(at(second), second, "A")) for second in range(100)))[1]
    assert (len(many.draws), many.draws[-1], many.samples) == (SAMPLES_KEPT, 99, 100)
    other = apply_all(report(sample=Sample(at(999), 4000, "W")), known=[session])[1]
    assert (other.unit, other.draws) == ("W", (4000,))


def test_an_end_alone_is_written_alone() -> None:
    """What else has changed would be lost with it."""
    before = apply_all(report())[1]
    ended = apply_all(report(ended=True), known=[before])[1]
    assert sessions.only_ended(before, ended)
    assert not sessions.only_ended(None, ended)
    assert not sessions.only_ended(ended, ended)
    moved = apply_all(report(evse_id=2), report(evse_id=2, ended=True), known=[before])[1]
    assert not sessions.only_ended(before, moved)
    assert not sessions.only_sampled(before, ended)


def test_samples_alone_are_no_hurry() -> None:
    before = apply_all(report())[1]
    sampled = apply_all(report(sample=Sample(NOW, 9, "A")), known=[before])[1]
    assert sessions.only_sampled(before, sampled)
    assert not sessions.only_ended(before, sampled)
    assert not sessions.only_sampled(None, sampled)
    moved = apply_all(report(evse_id=2, sample=Sample(NOW, 9, "A")), known=[before])[1]
    assert not sessions.only_sampled(before, moved)
