"""Reports in parts: in any order, twice, with gaps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.firmware.configuration.domain.reports import (
    MOST_PARTS,
    Part,
    Report,
    ReportProgress,
    accepted,
    empty,
    expired,
    received,
    refused,
)
from services.firmware.configuration.domain.settings import Observation, Setting, key, observed
from tests.unit.firmware.tables import at

NEW = Report("CP1", 7)


def parts(count: int) -> list[Part]:
    return [Part(7, n, n < count - 1, (Observation(f"C.V{n}", str(n), "report"),)) for n in range(count)]


@given(st.integers(1, 8).flatmap(lambda n: st.permutations([*range(n), *range(n)])))
def test_parts_in_any_order_and_twice_are_one_report(order: list[int]) -> None:
    """B07.FR.10, B08.FR.14."""
    made, report = parts(len(order) // 2), NEW
    known: dict[str, Setting] = {}
    for n in order:
        report = received(report, made[n], at(n))
        for told in made[n].settings:
            known[key(told.name)] = observed(known.get(key(told.name)), told, at(n))
    assert (report.progress, report.missing, report.last) == (ReportProgress.COMPLETE, [], len(made) - 1)
    assert {setting.name: setting.value for setting in known.values()} == {f"C.V{n}": str(n) for n in range(len(made))}


def test_a_gap_is_shown() -> None:
    made = parts(4)
    report = received(received(NEW, made[0], at(0)), made[3], at(1))
    assert (report.progress, report.missing) == (ReportProgress.RECEIVING, [1, 2])
    late = expired(report)
    assert (late.progress, late.missing) == (ReportProgress.INCOMPLETE, [1, 2])
    late = received(late, made[1], at(600))
    assert (late.progress, late.missing) == (ReportProgress.INCOMPLETE, [2])
    assert received(late, made[2], at(601)).progress is ReportProgress.COMPLETE


def test_a_last_part_that_never_comes_leaves_it_open() -> None:
    report = received(NEW, parts(3)[0], at(0))
    assert (report.progress, report.last, report.missing) == (ReportProgress.RECEIVING, None, [1])
    assert (expired(report).progress, expired(report).missing) == (ReportProgress.INCOMPLETE, [1])


@given(st.permutations([Part(7, 0, True, ()), Part(7, 1, True, ()), Part(7, 1, False, ())]))
def test_a_part_that_comes_again_as_the_last_ends_the_report(told: list[Part]) -> None:
    report = NEW
    for n, part in enumerate(told):
        report = received(report, part, at(n))
    assert (report.progress, report.last, report.missing) == (ReportProgress.COMPLETE, 1, [])


def test_a_part_beyond_the_last_shows_that_it_was_none() -> None:
    report = received(received(NEW, Part(7, 2, True, ()), at(0)), Part(7, 1, False, ()), at(1))
    report = received(report, Part(7, 0, True, ()), at(2))
    assert (report.progress, report.missing) == (ReportProgress.RECEIVING, [3])
    assert received(report, Part(7, 3, False, ()), at(3)).progress is ReportProgress.COMPLETE


def test_parts_may_come_before_the_answer_that_promises_them() -> None:
    """Calls and results come by different topics."""
    [part] = parts(1)
    promised = accepted(received(NEW, part, at(2)), "FullInventory", "c1", at(1), at(3))
    assert (promised.progress, promised.base, promised.command_id) == (ReportProgress.COMPLETE, "FullInventory", "c1")


def test_a_number_that_is_used_again_is_another_report() -> None:
    """B07.FR.04: the number is the one of the request."""
    old = received(received(NEW, parts(2)[0], at(1)), parts(2)[1], at(2))
    again = accepted(old, "SummaryInventory", "c2", at(10), at(11))
    assert (again.progress, again.parts, again.last) == (ReportProgress.RECEIVING, {}, None)
    assert received(again, parts(1)[0], at(12)).progress is ReportProgress.COMPLETE


def test_a_report_may_be_refused_or_empty() -> None:
    """B07.FR.02, FR.13; B08.FR.02, FR.15."""
    told = refused(NEW, "SummaryInventory", "c1", "NotSupported", at(1))
    assert (told.progress, told.reason, told.base) == (ReportProgress.REFUSED, "NotSupported", "SummaryInventory")
    nothing = empty(NEW, None, "c1", at(0), at(1))
    assert (nothing.progress, nothing.reason, nothing.begun_at) == (ReportProgress.COMPLETE, "EmptyResultSet", at(0))


@pytest.mark.parametrize("seq_no", [-1, MOST_PARTS, 10**12])
def test_parts_that_no_report_has_do_not_count(seq_no: int) -> None:
    assert received(NEW, Part(7, seq_no, False, ()), at(0)) == NEW


def test_a_huge_gap_is_shown_in_part() -> None:
    assert len(received(NEW, Part(7, MOST_PARTS - 1, False, ()), at(0)).missing) == 1000
