"""What of a batch is written and told: what changes a transaction, and meter values that are new."""

from dataclasses import replace
from datetime import timedelta

import msgspec

from services.transactions.batch import Changes, Decided, Known, in_doubt, settle
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import MeterValue, Report
from services.transactions.domain.transaction import Transaction, first
from services.transactions.ids import FRESH, MOST, TIMES, Ids
from services.transactions.rows import sample_key, write_sample
from tests.unit.transactions.making import NOON, RECEIVED, at, call, report

KNOWN = msgspec.structs.replace(first(report(), 7), revision=3)


def voltage(minute: float, *volts: float, **more: object) -> Report:
    """Meter values of 1.6 that say nothing of the energy: of their transaction nothing changes."""
    values = tuple(MeterValue(at(minute), [{"value": value, "measurand": "Voltage"}]) for value in volts)
    return msgspec.structs.replace(report(meter_values=values, **more), seq_no=None)


def decided(known: Known, *reports: Report) -> list[Decided]:
    made = []
    for one in reports:
        decision = decide(known.of(one), one, 8)
        known.take(decision)
        assert decision.transaction
        samples = [write_sample(decision.transaction.id, value, one) for value in one.meter_values]
        made.append(Decided(call("MeterValues", {}), one, decision, samples))
    return made


def settled(*reports: Report, there: int = 0, loaded: tuple[Transaction, ...] = (KNOWN,)) -> tuple[Changes, list[int]]:
    """What is to be written, and which of the reports are news. there: how many of those in doubt are kept already."""
    known = Known(loaded)
    made = decided(known, *reports)
    changes, news = settle(known, made, set(in_doubt(made)[:there]))
    return changes, [made.index(one) for one in news]


def test_a_report_that_says_nothing_new_is_not_written() -> None:
    assert settled(voltage(1)) == (Changes(), [])
    assert settled(voltage(1, 230, 231), there=2) == (Changes(), [])


def test_a_new_meter_value_is_written_with_its_transaction() -> None:
    later = RECEIVED + timedelta(minutes=5)
    changes, news = settled(voltage(1, 230, 231, received_at=later), there=1)
    assert news == [0]
    assert [sample[-1] for sample in changes.samples] == ['[{"value":231,"measurand":"Voltage"}]']
    assert changes.metered == [msgspec.structs.replace(KNOWN, updated_at=later)]
    assert changes.changed == []


def test_a_meter_value_of_before_is_written_too() -> None:
    changes, _ = settled(voltage(1, 230, received_at=RECEIVED - timedelta(minutes=5)))
    assert changes.metered == [KNOWN]


def test_told_twice_in_a_batch_it_is_new_once() -> None:
    changes, news = settled(voltage(1, 230), voltage(1, 230), voltage(1, 230, 231))
    assert news == [0, 2]
    assert len(changes.samples) == 2
    assert len(changes.metered) == 1


def test_what_a_report_brought_that_changed_something_is_not_new() -> None:
    changes, news = settled(report(seq_no=4, meter_values=voltage(1, 230).meter_values), voltage(1, 230))
    assert news == [0]
    assert len(changes.samples) == 1


def test_a_report_that_changes_something_is_news_whatever_it_brings() -> None:
    known = Known([KNOWN])
    made = decided(known, report(seq_no=4, meter_values=voltage(1, 230).meter_values))
    assert in_doubt(made) == []
    changes, news = settle(known, made, {sample_key(made[0].samples[0])})
    assert (changes.samples, news) == ([], made)


def test_new_transactions_are_written_whole() -> None:
    changes, news = settled(report(seq_no=4), voltage(1, 230), loaded=())
    assert news == [0, 1]
    assert (changes.metered, [one.id for one in changes.changed]) == ([], [8])


def test_a_report_without_a_transaction_is_none_of_them() -> None:
    homeless = msgspec.structs.replace(voltage(1, 230), key=None, number=99)
    one = Decided(call("MeterValues", {}), homeless, decide(None, homeless))
    assert settle(Known([]), [one, replace(one)], set()) == (Changes(), [])


async def test_ids_are_fetched_ahead() -> None:
    asked: list[int] = []

    async def fetch(count: int) -> range:
        asked.append(count)
        return range(sum(asked[:-1]), sum(asked))

    ids, now = Ids(), NOON
    assert await ids.take(0, now, fetch) == []
    assert [await ids.take(1, now, fetch) for _ in range(TIMES + 1)] == [[n] for n in range(TIMES + 1)]
    assert asked == [TIMES, TIMES]
    now += 2 * FRESH
    assert await ids.take(1, now, fetch) == [2 * TIMES]
    assert len(await ids.take(2 * MOST, now, fetch)) == 2 * MOST
    assert asked[2:] == [TIMES, 2 * MOST]
