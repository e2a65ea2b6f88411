"""A transaction as a row, and back."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from msgspec.structs import replace

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.messages import UNREADABLE, Report, ReportKind
from services.transactions.domain.review import Review, ReviewAction
from services.transactions.domain.reviewing import review
from services.transactions.domain.revisions import Audit
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import COLUMNS, read_transaction, transaction_row
from tests.unit.transactions.making import at, decided, metered, report, start
from tests.unit.transactions.test_any_order import folded, odd_sessions, sessions


def back(one: Transaction) -> Transaction:
    """Written and read."""
    row: Any = transaction_row(one)[: len(COLUMNS)]
    return read_transaction(row)


@given(sessions())
def test_what_is_written_is_read(reports: list[Report]) -> None:
    made = folded(reports)
    assert back(made) == replace(made, row_revision=1)


@given(odd_sessions())
def test_meters_that_do_not_run_as_they_should_are_read_as_they_were(reports: list[Report]) -> None:
    for count in range(1, len(reports)):
        made = folded(reports[:count])
        assert back(made) == replace(made, row_revision=1)


def test_what_an_operator_has_decided_is_read() -> None:
    ended = folded([start(), ended_at(5.0)])
    made, _ = review(ended, ReviewAction.CORRECT, 7500, at(90), Audit("anna", "read", "correct 7500"))
    assert back(made) == replace(made, row_revision=1)


@pytest.mark.parametrize("items", [3, 4])
def test_in_a_row_of_before_all_its_doubts_count_as_known_when_it_was_reviewed(items: int) -> None:
    """Then a judgement had three items, or four, as many as it has now: what was known beyond them stands beside it."""
    told = [start(), ended_at(5.0)]
    made, _ = review(folded(told), ReviewAction.CORRECT, 7500, at(90), Audit("anna", "read", "correct 7500"))
    row: dict[str, Any] = dict(zip(COLUMNS, transaction_row(made), strict=False))
    state = orjson.loads(row["state"])
    assert (len(state["judgement"]), state.pop("known")) == (4, [["no_energy", "register_fell"], "t", False])
    state["judgement"] = state["judgement"][:items]
    old: Any = tuple((row | {"state": orjson.dumps(state).decode()}).values())
    one = read_transaction(old)
    assert one == replace(made, row_revision=1)
    assert decided(one, ended_at(5.0), told).transaction is one
    unreadable = replace(ended_at(5.0), details={UNREADABLE: "noon"})
    held = decided(one, unreadable, told).transaction
    assert held
    assert (held.review, held.energy_wh) == (Review.HELD, 7500)
    assert set(held.doubts) - set(made.doubts) == {Doubt.CLOCK}


def test_what_an_evse_can_deliver_is_read() -> None:
    made = decided(None, start(), rated_power_w=11_000.0).transaction
    assert made
    assert back(made) == replace(made, row_revision=1)


def ended_at(wh: float) -> Report:
    told = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=7, end_wh=wh, at=at(60))
    return replace(told, seq_no=None)


def of_before(one: Transaction, register: list[Any] | None) -> Transaction:
    """As a version wrote it that knew one register: first and last (rank, order, position, Wh), lowest, highest."""
    row: dict[str, Any] = dict(zip(COLUMNS, transaction_row(one), strict=False))
    state = {"register": register, "seen": one.sequence, "told": one.field_order}
    old: Any = tuple((row | {"energy_source": None, "state": orjson.dumps(state).decode()}).values())
    return read_transaction(old)


def test_a_row_of_before_that_has_ended_is_as_it_was() -> None:
    one = folded([start(), ended_at(3000.0)])
    old = of_before(one, [[-2, 0, 0, 1000.0], [2, 2, 0, 3000.0], 1000.0, 3000.0])
    assert (old.energy_wh, old.energy_source, old.doubts) == (2000, "register", [])
    assert (old.meter_start_wh, old.meter_stop_wh, old.register_jumped_back) == (1000, 3000, False)
    fell = of_before(one, [[-2, 0, 0, 1000.0], [2, 2, 0, 3000.0], 5.0, 3000.0])
    assert (fell.energy_wh, fell.register_jumped_back) == (2000, True)
    nothing = of_before(folded([report(ReportKind.ENDED)]), None)
    assert (nothing.energy_wh, nothing.energy_source, nothing.meters) == (None, "none", {})


def test_a_row_of_before_that_goes_on_ends_with_the_energy_of_all_its_meter_values() -> None:
    """Also of those that no row says any more: there was a reset."""
    values = [
        replace(report(order=1, key=None, number=7, meter_values=metered(value), seq_no=0), seq_no=None, at=at(n))
        for n, value in enumerate((1500.0, 3000.0))
    ]
    one = folded([start(), *values])
    old = of_before(one, [[-2, 0, 0, 1000.0], [0, 1, 0, 3000.0], 1000.0, 3000.0])
    assert (old.status, old.energy_wh, old.meter_start_wh) == ("active", 2000, 1000)
    ended = decided(old, ended_at(9000.0), values).transaction
    assert ended
    assert (ended.energy_wh, ended.energy_source, ended.doubts) == (8000, "register", [])
