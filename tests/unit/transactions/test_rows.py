"""A transaction as a row, and back."""

from typing import Any

from hypothesis import given
from msgspec.structs import replace

from services.transactions.domain.messages import Report
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import COLUMNS, read_transaction, transaction_row
from tests.unit.transactions.test_any_order import folded, sessions


def back(one: Transaction) -> Transaction:
    """Written and read."""
    row: Any = transaction_row(one)[: len(COLUMNS)]
    return read_transaction(row)


@given(sessions())
def test_what_is_written_is_read(reports: list[Report]) -> None:
    made = folded(reports)
    assert back(made) == replace(made, row_revision=1)
