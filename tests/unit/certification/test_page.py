"""The page of certification: what it takes from tests, runs and itself."""

from pathlib import Path

import pytest

from tests.certification import page
from tests.certification.page import Case

MODULE = '''
"""Z, last things: all of them."""

async def test_tc_z_01() -> None:
    """It ends
    (Z01.FR.01).

    And more.
    """

@missing("an end")
async def test_tc_z_02() -> None:
    """It ends again."""

async def test_16_ends_early() -> None:
    """It ends before its time (§9)."""

async def test_something_else() -> None:
    """It is no case."""
'''
ENDS = Case("TC_Z_01", "Z, last things", "It ends (Z01.FR.01)", "")
OURS = Case("16_ends_early", "Z, last things", "It ends before its time (§9)", "")
AGAIN = Case("TC_Z_02", "Z, last things", "It ends again", "an end")
RUN = """<testsuites><testsuite name="pytest">
<testcase classname="z" name="test_tc_z_01"/>
<testcase classname="z" name="test_tc_z_02"><skipped type="pytest.xfail" message="an end"/></testcase>
<testcase classname="z" name="test_tc_z_03"><failure message="no">why</failure></testcase>
<testcase classname="z" name="test_tc_z_04"><error message="no">why</error></testcase>
<testcase classname="z" name="test_tc_z_05"><skipped type="pytest.skip" message="not here"/></testcase>
<testcase classname="z" name="test_16_ends_early"/>
<testcase classname="z" name="test_something_else"/>
</testsuite></testsuites>"""
ASKED = {"TC_Z_01": ["Core", "Reservation"], "TC_Z_02": ["Core"], "TC_Z_03": []}
VERDICTS = {"TC_Z_01": "passes", "TC_Z_02": "missing: an end", "16_ends_early": "passes"}


def test_cases_are_read_from_modules(tmp_path: Path) -> None:
    (tmp_path / "test_z.py").write_text(MODULE)
    assert page.cases(tmp_path) == [ENDS, AGAIN, OURS]


def test_what_a_run_has_shown() -> None:
    others = {"TC_Z_03": "**fails**", "TC_Z_04": "**fails**", "TC_Z_05": "not run"}
    assert page.verdicts_of_run(RUN) == VERDICTS | others


def test_a_page_has_all_that_was_put_into_it() -> None:
    text = page.render([ENDS, AGAIN], VERDICTS, ASKED, [OURS])
    assert page.verdicts_of_page(text) == VERDICTS
    for line in ("| Core | 1 | 2 |", "| Reservation | 1 | 1 |", "| none of them | 0 | 1 |", "## Z, last things"):
        assert line in text.splitlines()
    assert "| TC_Z_02 | It ends again | not run |" in page.render([ENDS, AGAIN], {}, ASKED, [])


def test_the_cases_of_1_6_come_last_and_are_counted_by_their_block() -> None:
    of_2, of_16 = page.render([ENDS, AGAIN], VERDICTS, ASKED, [OURS]).split("## OCPP 1.6")
    assert "16_ends_early" not in of_2
    for line in (
        "| Z, last things | 1 | 1 |",
        "### Z, last things",
        "| 16_ends_early | It ends before its time (§9) | passes |",
    ):
        assert line in of_16.splitlines()


def test_a_page_that_two_have_changed() -> None:
    ours, theirs = ("| TC_Z_01 | It ends | **fails** |", "| TC_Z_01 | It ends (Z01.FR.01) | passes |")
    conflict = f"<<<<<<< ours\n{ours}\n=======\n{theirs}\n| TC_Z_02 | It | missing: an end |\n>>>>>>> theirs\n"
    assert page.verdicts_of_page(conflict) == {id: VERDICTS[id] for id in ASKED if id in VERDICTS}


def test_a_page_that_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    (tmp_path / "run.xml").write_text(RUN)
    assert page.main([str(tmp_path / "run.xml")]) == 0
    # No case of this run is written, and no case that is written was run.
    assert page.main(["--check"]) == 1
    assert "not run |" in capsys.readouterr().out
