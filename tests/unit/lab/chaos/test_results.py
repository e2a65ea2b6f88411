"""From books and breaches to rows, and from rows to the table."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from tests.unit.lab.chaos.running import BEGAN, Run
from voltbus.lab.chaos.report import markdown, show
from voltbus.lab.chaos.results import RECOVERY, Results, Row, counted, recovery, totals
from voltbus.lab.chaos.violation import Breach

START = BEGAN.timestamp()
ROW = Row("kill:kafka", START - 1, START + 3, START + 15, down=4.0, recovery=2.5)


def results(*rows: Row, breaches: tuple[Breach, ...] = ()) -> Results:
    return Results(7, {"Cores": "2"}, list(rows), list(breaches), {"sessions": 2})


def test_recovery_is_until_the_last_slow_answer() -> None:
    said = list(Run().books.said())
    assert recovery(said, START) == 0
    said[1].done = said[1].due + 3
    assert recovery(said, said[1].due + 1) == 2
    assert recovery(said, said[1].due + 4) == 0


def test_a_row_counts_what_began_in_its_time() -> None:
    run = Run()
    row = counted(ROW, run.books, run.whole.commands, [Breach("lost", START, "x"), Breach("lost", START + 20, "y")])
    assert (row.sent, row.acknowledged, row.repeated, row.commands) == (8, 8, 0, 1)
    assert row.breaches == {"lost": 1}
    assert row.wait > 0


def test_what_waits_into_the_next_fault_belongs_to_that() -> None:
    run = Run()
    after = replace(ROW, began=ROW.ended, ended=ROW.ended + 30)
    before = [counted(row, run.books, run.whole.commands, []).acknowledged for row in (ROW, after)]
    late = next(one for one in run.books.said() if ROW.began <= one.due < ROW.ended)
    late.done = ROW.ended + 20
    first, second = (counted(row, run.books, run.whole.commands, []) for row in (ROW, after))
    assert [first.acknowledged, second.acknowledged] == [before[0] - 1, before[1] + 1]
    assert first.wait < second.wait == late.waited


def test_what_is_not_kept_is_not_kept() -> None:
    assert results(ROW).kept
    assert not results(ROW, breaches=(Breach("lost", START, "x"),)).kept
    assert not results(replace(ROW, recovery=RECOVERY + 0.1)).kept
    assert not results(replace(ROW, recovery=None)).kept


def test_page_and_screen_tell_the_same() -> None:
    breach = Breach("lost", START, "CP1: a sample")
    told = results(replace(ROW, breaches={"lost": 1}, fell=("gateway",)), breaches=(breach,))
    screen = StringIO()
    show(Console(file=screen, width=200), told)
    for text in (markdown(told), screen.getvalue()):
        assert "kill:kafka" in text
        assert "gateway" in text
        assert "lost: CP1: a sample" in text
        assert "It was not kept: 1 × lost." in text
    assert "| kill:kafka | 4.0 | 2.5 | 0.0 | 0 | 0 | 0 | 1 |" in markdown(told)
    assert "Seed 7. Everything that was promised was kept." in markdown(results(ROW))


def test_totals_say_how_commands_ended() -> None:
    run = Run()
    sums = totals(run.books, run.whole, run.told)
    assert (sums["sessions"], sums["transactions"], sums["samples"]) == (2, 2, 6)
    assert sums["commands answered"] == sums["commands"] == 1
