"""Commands to stations: every action has one owner and a form in each version that has it; the page says the same."""

from pathlib import Path

import pytest

from services.ocpp.commands import OWNERS, Form, forms, owners
from services.ocpp.topics import SERVICES

PAGE = Path(__file__).parents[3] / "docs/commands.md"
FORMS = [(action, form) for service in SERVICES for action, table in forms(service).items() for form in table.values()]


def row(action: str) -> str:
    marks = ("● " if action in OWNERS[version] else "" for version in ("1.6", "2.0.1"))
    return f"| {action} | " + "| ".join(marks) + f"| {owners()[action]} |"


def test_the_page_lists_every_action() -> None:
    rows = [
        line for line in PAGE.read_text().splitlines() if line.startswith("| ") and line.split(" | ")[0][2:].isalpha()
    ]
    listed = [line for line in rows if line.rstrip("| ").split(" ")[-1] in SERVICES]
    assert sorted(listed) == sorted(row(action) for action in owners())


def test_an_action_has_the_same_owner_in_all_versions() -> None:
    for action, owner in owners().items():
        assert {table[action] for table in OWNERS.values() if action in table} == {owner}


@pytest.mark.parametrize(("action", "form"), FORMS, ids=[f"{form.version.name}-{action}" for action, form in FORMS])
def test_the_example_is_valid_and_what_is_missing_is_named(action: str, form: Form) -> None:
    assert form.fault(form.example) is None
    for name in form.schema.get("required", ()):
        lacking = {key: value for key, value in form.example.items() if key != name}
        fault = form.fault(lacking)
        assert fault is not None
        assert fault.field == name, action
