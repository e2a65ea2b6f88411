"""What of a batch is written and announced: what changes a transaction, and meter values that are new."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from services.transactions.batch import (
    Changes,
    DecidedReport,
    LoadedTransactions,
    collect_changes,
    unconfirmed_samples,
)
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import MeterValue, Report, ReportKind
from services.transactions.domain.transaction import Transaction, new_transaction
from services.transactions.ids import FETCH_FACTOR, MAX_AGE, MAX_FETCH, IdPool
from services.transactions.rows import sample_key, sample_row
from tests.unit.transactions.making import NOON, RECEIVED, at, call, metered, register, report

STORED = msgspec.structs.replace(new_transaction(report(), 7), row_revision=3)


def voltage(minute: float, *volts: float, **more: Any) -> Report:
    """Meter values of 1.6 that say nothing of the energy: of their transaction nothing changes."""
    values = tuple(MeterValue(at(minute), [{"value": value, "measurand": "Voltage"}]) for value in volts)
    return msgspec.structs.replace(report(meter_values=values, **more), seq_no=None)


def decided(transactions: LoadedTransactions, *reports: Report) -> list[DecidedReport]:
    made = []
    for one in reports:
        decision = decide(transactions.find(one), one, 8)
        transactions.apply(decision)
        assert decision.transaction
        samples = [sample_row(decision.transaction.id, value, one) for value in one.meter_values]
        made.append(DecidedReport(call("MeterValues", {}), one, decision, samples))
    return made


def settled(
    *reports: Report, existing: int = 0, loaded: tuple[Transaction, ...] = (STORED,)
) -> tuple[Changes, list[int]]:
    """What is written, and which reports are announced. existing: how many of the unconfirmed samples are stored."""
    transactions = LoadedTransactions(loaded)
    made = decided(transactions, *reports)
    changes, announced = collect_changes(transactions, made, set(unconfirmed_samples(made)[:existing]))
    return changes, [made.index(one) for one in announced]


def test_a_report_that_says_nothing_new_is_not_written() -> None:
    assert settled(voltage(1)) == (Changes(), [])
    assert settled(voltage(1, 230, 231), existing=2) == (Changes(), [])


def test_a_new_meter_value_is_written_with_its_transaction() -> None:
    later = RECEIVED + timedelta(minutes=5)
    changes, announced = settled(voltage(1, 230, 231, received_at=later), existing=1)
    assert announced == [0]
    assert [sample[-1] for sample in changes.samples] == ['[{"value":231,"measurand":"Voltage"}]']
    assert changes.metered == [msgspec.structs.replace(STORED, updated_at=later)]
    assert changes.changed == []


def test_a_meter_value_of_before_is_written_too() -> None:
    changes, _ = settled(voltage(1, 230, received_at=RECEIVED - timedelta(minutes=5)))
    assert changes.metered == [STORED]


def test_repeated_in_a_batch_it_is_new_once() -> None:
    changes, announced = settled(voltage(1, 230), voltage(1, 230), voltage(1, 230, 231))
    assert announced == [0, 2]
    assert len(changes.samples) == 2
    assert len(changes.metered) == 1


@pytest.mark.parametrize("kind", [ReportKind.STARTED, ReportKind.UPDATED, ReportKind.ENDED])
def test_a_first_copy_that_is_read_after_the_second_is_not_announced(kind: ReportKind) -> None:
    """Its gateway was cut off from Kafka for a while: all that is new is when the reading was received."""
    late = timedelta(seconds=10)
    told = [report(ReportKind.STARTED, meter_values=metered(0))] if kind != ReportKind.STARTED else []
    first = report(kind, seq_no=len(told), meter_values=(register(at(9), 50),))
    second = msgspec.structs.replace(first, received_at=first.received_at + late)
    transactions = LoadedTransactions(())
    collect_changes(transactions, decided(transactions, *told, second), set())
    made = decided(transactions, first)
    again = unconfirmed_samples(made)
    assert [sample_key(sample) for sample in made[0].samples] == again
    assert collect_changes(transactions, made, set(again))[1] == []
    assert collect_changes(transactions, made, set())[1] == made


def test_what_a_report_brought_that_changed_something_is_not_new() -> None:
    changes, announced = settled(report(seq_no=4, meter_values=voltage(1, 230).meter_values), voltage(1, 230))
    assert announced == [0]
    assert len(changes.samples) == 1


def test_a_report_that_changes_something_is_news_whatever_it_brings() -> None:
    transactions = LoadedTransactions([STORED])
    made = decided(transactions, report(seq_no=4, meter_values=voltage(1, 230).meter_values))
    assert unconfirmed_samples(made) == []
    changes, announced = collect_changes(transactions, made, {sample_key(made[0].samples[0])})
    assert (changes.samples, announced) == ([], made)


def test_new_transactions_are_written_whole() -> None:
    changes, announced = settled(report(seq_no=4), voltage(1, 230), loaded=())
    assert announced == [0, 1]
    assert (changes.metered, [one.id for one in changes.changed]) == ([], [8])


def test_a_report_without_a_transaction_is_none_of_them() -> None:
    unknown = msgspec.structs.replace(voltage(1, 230), key=None, number=99)
    one = DecidedReport(call("MeterValues", {}), unknown, decide(None, unknown))
    assert collect_changes(LoadedTransactions([]), [one, msgspec.structs.replace(one)], set()) == (Changes(), [])


def test_an_id_at_two_evses_is_found_by_evse_however_often_it_was_loaded() -> None:
    """What is open is read by its name, and with all of its station."""
    first = msgspec.structs.replace(STORED, evse_id=1)
    second = msgspec.structs.replace(STORED, id=8, occurrence=2, evse_id=2, started_at=at(20))
    ended = report(ReportKind.ENDED, seq_no=3, at=at(29), received_at=at(30), evse_id=1)
    assert LoadedTransactions([first, second, first, second]).find(ended) is first


async def test_ids_are_fetched_ahead() -> None:
    requested: list[int] = []

    async def fetch(count: int) -> range:
        requested.append(count)
        return range(sum(requested[:-1]), sum(requested))

    ids, now = IdPool(), NOON
    assert await ids.take(0, now, fetch) == []
    assert [await ids.take(1, now, fetch) for _ in range(FETCH_FACTOR + 1)] == [[n] for n in range(FETCH_FACTOR + 1)]
    assert requested == [FETCH_FACTOR, FETCH_FACTOR]
    now += 2 * MAX_AGE
    assert await ids.take(1, now, fetch) == [2 * FETCH_FACTOR]
    assert len(await ids.take(2 * MAX_FETCH, now, fetch)) == 2 * MAX_FETCH
    assert requested[2:] == [FETCH_FACTOR, 2 * MAX_FETCH]
