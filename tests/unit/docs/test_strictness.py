"""docs/strictness.md: each rule has a test that there is."""

import re
from pathlib import Path

from tests.contract.test_requirements import names_in

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/strictness.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_each_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 30
    for path, name in named:
        assert name in names_in(ROOT / path), (path, name)


def test_each_rule_names_one() -> None:
    rules = PAGE.partition("## The rules of OCPP-J")[2].partition("\n## ")[0]
    rows = [line for line in rules.splitlines() if line.startswith("|")][2:]
    assert all(NAMED.search(row) for row in rows)
