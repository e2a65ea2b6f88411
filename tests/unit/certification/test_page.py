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

async def test_something_else() -> None:
    """It is no case."""
'''
ENDS = Case("TC_Z_01", "Z, last things", "It ends (Z01.FR.01)", "")
AGAIN = Case("TC_Z_02", "Z, last things", "It ends again", "an end")
RUN = """<testsuites><testsuite name="pytest">
<testcase classname="z" name="test_tc_z_01"/>
<testcase classname="z" name="test_tc_z_02"><skipped type="pytest.xfail" message="an end"/></testcase>
<testcase classname="z" name="test_tc_z_03"><failure message="no">why</failure></testcase>
<testcase classname="z" name="test_tc_z_04"><error message="no">why</error></testcase>
<testcase classname="z" name="test_tc_z_05"><skipped type="pytest.skip" message="not here"/></testcase>
<testcase classname="z" name="test_something_else"/>
</testsuite></testsuites>"""
ASKED = {"TC_Z_01": ["Core", "Reservation"], "TC_Z_02": ["Core"], "TC_Z_03": []}
VERDICTS = {"TC_Z_01": "passes", "TC_Z_02": "missing: an end"}


def test_cases_are_read_from_modules(tmp_path: Path) -> None:
    (tmp_path / "test_z.py").write_text(MODULE)
    assert page.cases(tmp_path) == [ENDS, AGAIN]


def test_what_a_run_has_shown() -> None:
    others = {"TC_Z_03": "**fails**", "TC_Z_04": "**fails**", "TC_Z_05": "not run"}
    assert page.verdicts_of_run(RUN) == VERDICTS | others


def test_a_page_has_all_that_was_put_into_it() -> None:
    text = page.render([ENDS, AGAIN], VERDICTS, ASKED)
    assert page.verdicts_of_page(text) == VERDICTS
    for line in ("| Core | 1 | 2 |", "| Reservation | 1 | 1 |", "| none of them | 0 | 1 |", "## Z, last things"):
        assert line in text.splitlines()
    assert "| TC_Z_02 | It ends again | not run |" in page.render([ENDS, AGAIN], {}, ASKED)


def test_a_page_that_two_have_changed() -> None:
    ours, theirs = ("| TC_Z_01 | It ends | **fails** |", "| TC_Z_01 | It ends (Z01.FR.01) | passes |")
    conflict = f"<<<<<<< ours\n{ours}\n=======\n{theirs}\n| TC_Z_02 | It | missing: an end |\n>>>>>>> theirs\n"
    assert page.verdicts_of_page(conflict) == VERDICTS


def test_a_page_that_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    (tmp_path / "run.xml").write_text(RUN)
    assert page.main([str(tmp_path / "run.xml")]) == 0
    # No case of this run is written, and no case that is written was run.
    assert page.main(["--check"]) == 1
    assert "not run |" in capsys.readouterr().out
