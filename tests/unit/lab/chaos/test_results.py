"""From books and violations to rows, and from rows to the table."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from tests.unit.lab.chaos.running import BEGAN, Run
from voltbus.lab.chaos.report import markdown, show
from voltbus.lab.chaos.results import RECOVERY, ChaosResults, FaultRow, recovery, totals, with_counts
from voltbus.lab.chaos.violation import Violation

START = BEGAN.timestamp()
ROW = FaultRow("kill:kafka", START - 1, START + 3, START + 15, down=4.0, recovery=2.5)


def results(*rows: FaultRow, violations: tuple[Violation, ...] = ()) -> ChaosResults:
    return ChaosResults(7, {"Cores": "2"}, list(rows), list(violations), {"sessions": 2})


def test_recovery_is_until_the_last_slow_answer() -> None:
    messages = list(Run().expected.messages())
    assert recovery(messages, START) == 0
    messages[1].done = messages[1].due + 3
    assert recovery(messages, messages[1].due + 1) == 2
    assert recovery(messages, messages[1].due + 4) == 0


def test_a_row_counts_what_began_in_its_time() -> None:
    run = Run()
    row = with_counts(
        ROW, run.expected, run.whole.commands, [Violation("lost", START, "x"), Violation("lost", START + 20, "y")]
    )
    assert (row.sent, row.acknowledged, row.repeated, row.commands) == (8, 8, 0, 1)
    assert row.violations == {"lost": 1}
    assert row.wait > 0


def test_what_waits_into_the_next_fault_belongs_to_that() -> None:
    run = Run()
    after = replace(ROW, began=ROW.ended, ended=ROW.ended + 30)
    before = [with_counts(row, run.expected, run.whole.commands, []).acknowledged for row in (ROW, after)]
    late = next(one for one in run.expected.messages() if ROW.began <= one.due < ROW.ended)
    late.done = ROW.ended + 20
    first, second = (with_counts(row, run.expected, run.whole.commands, []) for row in (ROW, after))
    assert [first.acknowledged, second.acknowledged] == [before[0] - 1, before[1] + 1]
    assert first.wait < second.wait == late.waited


def test_what_is_not_kept_is_not_kept() -> None:
    assert results(ROW).kept
    assert not results(ROW, violations=(Violation("lost", START, "x"),)).kept
    assert not results(replace(ROW, recovery=RECOVERY + 0.1)).kept
    assert not results(replace(ROW, recovery=None)).kept


def test_page_and_screen_tell_the_same() -> None:
    violation = Violation("lost", START, "CP1: a sample")
    observed = results(replace(ROW, violations={"lost": 1}, fell=("gateway",)), violations=(violation,))
    screen = StringIO()
    show(Console(file=screen, width=200), observed)
    for text in (markdown(observed), screen.getvalue()):
        assert "kill:kafka" in text
        assert "gateway" in text
        assert "lost: CP1: a sample" in text
        assert "It was not kept: 1 × lost." in text
    assert "| kill:kafka | 4.0 | 2.5 | 0.0 | 0 | 0 | 0 | 1 |" in markdown(observed)
    assert "Seed 7. Everything that was promised was kept." in markdown(results(ROW))


def test_totals_say_how_commands_ended() -> None:
    run = Run()
    sums = totals(run.expected, run.whole, run.observed)
    assert (sums["sessions"], sums["transactions"], sums["samples"]) == (2, 2, 6)
    assert sums["commands answered"] == sums["commands"] == 1
