"""tests/certification/requirements.csv: every requirement of 2.0.1 part 2 on the CSMS has its test, or a reason."""

import ast
import csv
import html
import re
from collections.abc import Iterator
from pathlib import Path

from tests.contract.spec import ROOT, Spec

TABLE = ROOT / "tests/certification/requirements.csv"
PART_2 = "spec/ocpp201/OCPP-2.0.1_edition3_part2_specification.md"
ROW, CELL, TAG = (
    re.compile(r"<tr>(.*?)</tr>", re.DOTALL),
    re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL),
    re.compile("<[^>]+>"),
)
REQUIREMENT = re.compile(r"[A-P]\d\d\.FR\.\d+")


def rows() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def names_in(path: Path) -> set[str]:
    """The tests of a file, without those that are marked as missing."""
    nodes = ast.parse(path.read_text()).body
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {one.name for one in functions if not any("missing" in ast.dump(mark) for mark in one.decorator_list)}


def test_each_has_a_test_that_there_is_or_a_reason() -> None:
    """A test that is marked as missing shows nothing."""
    listed = rows()
    assert len({row["requirement"] for row in listed}) == len(listed)
    for row in listed:
        assert bool(row["test"]) != bool(row["reason"]), row
        if row["test"]:
            path, _, name = row["test"].partition("::")
            assert name in names_in(ROOT / path), row


def on_the_csms(text: str) -> Iterator[str]:
    """Requirements of part 2 whose text says what the CSMS SHALL, or SHALL NOT."""
    for row in ROW.findall(text):
        cells = [html.unescape(TAG.sub("", cell)).strip() for cell in CELL.findall(row)]
        if len(cells) > 2 and REQUIREMENT.fullmatch(cells[0]) and "CSMS SHALL" in cells[2]:
            yield cells[0]


def test_all_of_them_are_listed(spec: Spec) -> None:
    assert [row["requirement"] for row in rows()] == list(on_the_csms((spec.folder / PART_2).read_text()))
