"""Commands to stations: every action has one owner and a form in each version that has it; the page says the same."""

from pathlib import Path

import pytest

from services.ocpp.commands import Form, forms, owners
from services.ocpp.services import SERVICES
from services.ocpp.versions import VERSIONS

PAGE = Path(__file__).parents[3] / "docs/commands.md"
FORMS = [(action, form) for service in SERVICES for action, table in forms(service).items() for form in table.values()]


def row(action: str) -> str:
    marks = ("● " if action in version.to_station else "" for version in VERSIONS.values())
    return f"| {action} | " + "| ".join(marks) + f"| {owners()[action]} |"


def test_the_page_lists_every_action() -> None:
    rows = [
        line for line in PAGE.read_text().splitlines() if line.startswith("| ") and line.split(" | ")[0][2:].isalpha()
    ]
    listed = [line for line in rows if line.rstrip("| ").split(" ")[-1] in SERVICES]
    assert sorted(listed) == sorted(row(action) for action in owners())


def test_an_action_has_the_same_owner_in_all_versions() -> None:
    for action, owner in owners().items():
        assert {version.to_station[action] for version in VERSIONS.values() if action in version.to_station} == {owner}


@pytest.mark.parametrize(("action", "form"), FORMS, ids=[f"{form.version.name}-{action}" for action, form in FORMS])
def test_the_example_is_valid_and_what_is_missing_is_named(action: str, form: Form) -> None:
    assert form.fault(form.example) is None
    for name in form.schema.get("required", ()):
        lacking = {key: value for key, value in form.example.items() if key != name}
        fault = form.fault(lacking)
        assert fault is not None
        assert fault.field == name, action
