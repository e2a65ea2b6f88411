"""docs/retention.md has every table that is not kept for ever, with its setting and the default."""

from importlib import import_module
from pathlib import Path

import pytest

from services.common.postgres.retention import Table
from services.ocpp.services import SERVICES

PAGE = (Path(__file__).parents[3] / "docs" / "retention.md").read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| ")]
LISTED = [(service, table) for service in SERVICES for table in import_module(f"services.{service}.kept").TABLES]


@pytest.mark.parametrize(("service", "table"), LISTED, ids=[f"{service} {table.table}" for service, table in LISTED])
def test_the_page_has_it(service: str, table: Table) -> None:
    default = import_module(f"services.{service}.settings").Settings.model_fields[table.setting].default
    [row] = [row for row in ROWS if f"`{table.table}`" in row[1] and (service in row[0] or row[0] == "each")]
    assert row[4:6] == [f"{default:g}", f"`VOLTBUS_{table.setting.upper()}`"]


def test_what_is_billed_is_kept_for_ever() -> None:
    names = {table.table for _, table in LISTED}
    assert not names & {"transaction", "transaction_revision", "transaction_group", "orphan_stop"}
