"""How deviations of a station are counted, and when they are announced."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.firmware.domain.deviations import (
    MOST_KINDS,
    DeviationKey,
    Deviations,
    DeviationsReported,
    announced,
    is_due,
    report,
    report_all,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NULL, LONG = DeviationKey("StopTransaction", "null", "idTag"), DeviationKey("StopTransaction", "long_text", "idTag")


def reported(minutes: float, *counts: tuple[DeviationKey, int]) -> DeviationsReported:
    return DeviationsReported("CP1", counts, NOON + timedelta(minutes=minutes))


def times(known: Deviations) -> dict[DeviationKey, int]:
    return {key: count.times for key, count in known.counts.items()}


def test_reports_add_up() -> None:
    known = report(Deviations("CP1"), reported(0, (NULL, 1)))
    known = report(known, reported(5, (NULL, 2), (LONG, 1)))
    assert times(known) == {NULL: 3, LONG: 1}
    assert (known.counts[NULL].first_at, known.counts[NULL].last_at) == (NOON, NOON + timedelta(minutes=5))


def test_a_report_that_is_read_again_counts_once() -> None:
    first, second = reported(0, (NULL, 1)), reported(5, (NULL, 2))
    known = report(report(Deviations("CP1"), first), second)
    assert report(report(known, first), second) is known
    assert report_all({"CP1": known}, [first, second]) == {}


def test_they_are_announced_once_a_day_with_what_was_not_announced() -> None:
    known = report(Deviations("CP1"), reported(0, (NULL, 1)))
    assert is_due(known)
    known = announced(known)
    assert not is_due(known)
    known = report(known, reported(60, (NULL, 2)))
    assert not is_due(known)
    known = report(known, reported(24 * 60, (LONG, 1)))
    assert is_due(known)
    assert known.untold == {NULL: 2, LONG: 1}
    assert times(announced(known)) == {NULL: 3, LONG: 1}


@given(st.lists(st.tuples(st.integers(0, 10_000), st.text(max_size=5), st.integers(1, 5)), max_size=400))
def test_however_they_come_they_are_bounded_and_all_counted(reports: list[tuple[int, str, int]]) -> None:
    in_order = sorted({minute: (minute, path, count) for minute, path, count in reports}.values())
    told = [reported(minute, (DeviationKey("A", "null", path), count)) for minute, path, count in in_order]
    known = report_all({}, told).get("CP1", Deviations("CP1"))
    assert len(known.counts) <= MOST_KINDS + 1
    assert sum(times(known).values()) == sum(count for _, _, count in in_order)
