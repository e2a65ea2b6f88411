"""docs/certification.md: a line for each case with its verdict, and for each profile how many of its cases pass.

First come the cases of OCPP 2.0.1, then those of 1.6.

python -m tests.certification.page RESULTS   takes in what a run of cases has shown, a file that pytest --junitxml wrote
python -m tests.certification.page           counts again, also where two branches have changed the page
python -m tests.certification.page --check   says where the page and the marks of the tests disagree
"""

import ast
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from xml.etree import ElementTree

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs/certification.md"
# Of the cases of 2.0.1, which have ids of part 6, and of 1.6, which have ids of our own.
PREFIXES = ("test_tc_", "test_16_")
PASSES, FAILS, NOT_RUN, MISSING = "passes", "**fails**", "not run", "missing: "
LINE = re.compile(r"^\| (TC_\w+|16_\w+) \| .* \| (.*) \|$", re.MULTILINE)
IN_NONE = "none of them"
HEAD = """\
# Certification

The cases by which the Open Charge Alliance certifies a CSMS for OCPP 2.0.1 (part 6), as tests of this project: each
plays its station against a whole Voltbus, and does what the CSMS is to do as an operator, by REST. `make certification`
runs them and writes this page. [How they are written](../tests/certification/README.md). A certificate is given by a
laboratory, and this is none.

A case that does not pass yet says what is missing.

## Profiles

| Profile (part 5) | Cases that pass | Cases |
|---|--:|--:|
"""
HEAD_16 = """\
## OCPP 1.6

There are no such cases in public for 1.6. These are our own, in the same form: each operation, each answer and each
error that a central system must master. § is a section of OCPP 1.6 edition 2, errata are its errata sheet, 1.6-J is its
JSON specification, and whitepaper the one on its security, edition 3.

| | Cases that pass | Cases |
|---|--:|--:|
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One test. block: of which its module says it is. shows: in a sentence. missing: as it is marked, or nothing."""

    id: str
    block: str
    shows: str
    missing: str

    @property
    def expected(self) -> str:
        """What a run says of it, if all is as it is marked."""
        return f"{MISSING}{self.missing}" if self.missing else PASSES


def cases(folder: Path = FOLDER) -> list[Case]:
    """Every case that is written."""
    return [case for module in sorted(folder.glob("test_*.py")) for case in _cases_of(ast.parse(module.read_text()))]


def _cases_of(module: ast.Module) -> Iterator[Case]:
    block = (ast.get_docstring(module) or "").partition(":")[0]
    for test in module.body:
        if isinstance(test, ast.AsyncFunctionDef) and test.name.startswith(PREFIXES):
            shows = " ".join((ast.get_docstring(test) or "").partition("\n\n")[0].split()).removesuffix(".")
            yield Case(case_id(test.name), block, shows, _missing(test))


def _missing(test: ast.AsyncFunctionDef) -> str:
    for mark in test.decorator_list:
        match mark:
            case ast.Call(func=ast.Name(id="missing"), args=[ast.Constant(value=str(capability))]):
                return capability
    return ""


def case_id(test: str) -> str:
    """TC_A_01 of test_tc_a_01, 16_reset_hard of test_16_reset_hard."""
    name = test.removeprefix("test_")
    return name.upper() if test.startswith(PREFIXES[0]) else name


def profiles(file: Path = FOLDER / "profiles.csv") -> Mapping[str, Sequence[str]]:
    """The profiles that ask a case of a CSMS, by its id."""
    with file.open(newline="") as rows:
        return {row["case"]: row["profiles"].split(";") if row["profiles"] else () for row in csv.DictReader(rows)}


def verdicts_of_run(results: str) -> dict[str, str]:
    """What a run has shown, by case; results: as pytest --junitxml writes them."""
    found = {}
    for test in ElementTree.fromstring(results).iter("testcase"):
        name = test.get("name", "")
        if name.startswith(PREFIXES):
            found[case_id(name)] = _verdict(test)
    return found


def _verdict(test: ElementTree.Element) -> str:
    if test.find("failure") is not None or test.find("error") is not None:
        return FAILS
    skipped = test.find("skipped")
    if skipped is None:
        return PASSES
    return f"{MISSING}{skipped.get('message')}" if skipped.get("type") == "pytest.xfail" else NOT_RUN


def verdicts_of_page(page: str) -> dict[str, str]:
    """The verdicts on a page, by case."""
    return dict(LINE.findall(page))


def render(
    written: Sequence[Case], verdicts: Mapping[str, str], asked: Mapping[str, Sequence[str]], of_16: Sequence[Case]
) -> str:
    """The page. asked: by case, the profiles that ask for it. of_16: the cases of OCPP 1.6."""
    lines = [HEAD.rstrip("\n")]
    every: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for id, names in asked.items():
        every.update(names or (IN_NONE,))
        passed.update((names or (IN_NONE,)) if verdicts.get(id) == PASSES else ())
    lines += [f"| {name} | {passed[name]} | {every[name]} |" for name in sorted(every, key=_order)]
    lines += _lines(written, verdicts, "##")
    if of_16:
        blocks = Counter(case.block for case in of_16)
        passing = Counter(case.block for case in of_16 if verdicts.get(case.id) == PASSES)
        lines += ["", HEAD_16.rstrip("\n")]
        lines += [f"| {block} | {passing[block]} | {count} |" for block, count in blocks.items()]
        lines += _lines(of_16, verdicts, "###")
    return "\n".join(lines) + "\n"


def _lines(written: Sequence[Case], verdicts: Mapping[str, str], heading: str) -> Iterator[str]:
    """A table for each block."""
    block = ""
    for case in written:
        if case.block != block:
            block = case.block
            yield from ("", f"{heading} {block}", "", "| Case | Shows | Verdict |", "|---|---|---|")
        yield f"| {case.id} | {case.shows} | {verdicts.get(case.id, NOT_RUN)} |"


def _order(profile: str) -> tuple[bool, bool, str]:
    """Core comes first, what is in no profile last."""
    return profile == IN_NONE, profile != "Core", profile


def main(arguments: Sequence[str]) -> int:
    """What the first lines of this module say; the exit code."""
    written, of_16, page = cases(), cases(FOLDER / "v16"), PAGE.read_text() if PAGE.exists() else ""
    if arguments == ["--check"]:
        marked = {case.id: case.expected for case in (*written, *of_16)}
        expected = render(written, marked, profiles(), of_16)
        if differences := list(unified_diff(page.splitlines(), expected.splitlines(), "the page", "the tests", n=0)):
            print("\n".join(differences), f"\n{PAGE.name} and the tests disagree: make certification", sep="")
        return int(bool(differences))
    run = {id: verdict for file in arguments for id, verdict in verdicts_of_run(Path(file).read_text()).items()}
    PAGE.write_text(render(written, verdicts_of_page(page) | run, profiles(), of_16))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
