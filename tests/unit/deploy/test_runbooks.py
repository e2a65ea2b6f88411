"""Each alert has a page that says what to do, and no page is of an alert that there is not."""

import re
from functools import cache

import yaml

from deploy.grafana.__main__ import FOLDER
from deploy.metrics_page import PAGE

RULES = FOLDER.parent / "rules"
RUNBOOKS = PAGE.parent / "runbooks"


@cache
def alerts() -> dict[str, dict[str, str]]:
    """Name to annotations."""
    rules = [
        rule
        for path in RULES.glob("*.yaml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    return {
        rule["alert"]: rule["annotations"] | {"severity": rule["labels"]["severity"], "expr": rule["expr"]}
        for rule in rules
    }


def runbook_of(alert: str) -> str:
    words = re.findall("[A-Z][a-z]*", alert.removeprefix("Voltbus"))
    return "-".join(word.lower() for word in words)


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    expected = {runbook_of(alert): alert for alert in alerts()}
    pages = {path.stem: path.read_text() for path in RUNBOOKS.glob("*.md") if path.stem != "index"}
    assert pages.keys() == expected.keys()
    for stem, alert in expected.items():
        assert alerts()[alert]["runbook_url"] == f"docs/runbooks/{stem}.md"
        assert alerts()[alert]["severity"] in ("critical", "warning", "info")
        assert pages[stem].startswith(f"# {alert}\n")
        assert alerts()[alert]["expr"].strip() in pages[stem], "the page shows another rule"
        for heading in ("## What it means", "## What to look at", "## What to do"):
            assert heading in pages[stem], stem


def test_the_index_of_runbooks_has_them_all() -> None:
    index = (RUNBOOKS / "index.md").read_text()
    for alert, annotations in alerts().items():
        assert f"| [{alert}]({runbook_of(alert)}.md) | {annotations['severity']} |" in index
