"""Which readings of one moment say how much energy was delivered."""

from typing import Any

import pytest

from services.transactions.domain.energy_readings import (
    CLOCK_INTERVALS,
    INTERVALS,
    TOTAL,
    UNREADABLE_WH,
    energy_readings,
    intervals_of,
)
from services.transactions.domain.register import Rank

REGISTER, INTERVAL = "Energy.Active.Import.Register", "Energy.Active.Import.Interval"
BETWEEN = Rank.BETWEEN


def reading(value: float, measurand: str = REGISTER, **more: Any) -> dict[str, Any]:
    return {"measurand": measurand, "unit": "Wh", "value": value} | more


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (reading(5), [(TOTAL, BETWEEN, 5)]),
        (reading(5, location="Inlet"), [(TOTAL, BETWEEN, 5)]),
        (reading(5, location="EV"), []),
        (reading(5, "Energy.Active.Export.Register"), []),
        (reading(5, unit="varh"), [(TOTAL, BETWEEN, UNREADABLE_WH)]),
        (reading(5, unit="varh", location="EV"), []),
        ({"measurand": REGISTER, "unit": "Wh", "signed": "0123"}, []),
        (reading(5, context="Transaction.Begin"), [(TOTAL, Rank.CONTEXT_BEGIN, 5)]),
        (reading(5, context="Transaction.End"), [(TOTAL, Rank.CONTEXT_END, 5)]),
        (reading(5, context="Trigger"), [(TOTAL, BETWEEN, 5)]),
        (reading(5, phase="L2"), [("L2", BETWEEN, 5)]),
        (reading(5, phase="L2-N"), [("L2", BETWEEN, 5)]),
        (reading(5, phase="L1-L2"), []),
        (reading(5, INTERVAL), [(INTERVALS, BETWEEN, 5)]),
        (reading(5, INTERVAL, context="Sample.Clock"), [(CLOCK_INTERVALS, BETWEEN, 5)]),
        (reading(5, INTERVAL, context="Transaction.End"), [(INTERVALS, BETWEEN, 5)]),
        (reading(5, INTERVAL, phase="L1"), [("interval L1", BETWEEN, 5)]),
    ],
)
def test_what_one_reading_says(one: dict[str, Any], found: list[Any]) -> None:
    """1.6 §7.31, §7.43; 2.0.1 MeasurandEnumType."""
    assert list(energy_readings([one])) == found


def test_all_readings_of_a_list_count() -> None:
    """Begin and end in one sampledValue list, as in StopTransaction.transactionData (1.6 §3.16.6)."""
    readings = [
        reading(1000, context="Transaction.Begin"),
        reading(230, "Voltage"),
        reading(5000),
        reading(8000, context="Transaction.End"),
    ]
    found = energy_readings(readings)
    assert found == ((TOTAL, -1, 1000), (TOTAL, 0, 5000), (TOTAL, 1, 8000))


@pytest.mark.parametrize("turned", [False, True])
def test_the_outlet_counts_rather_than_another_place(turned: bool) -> None:
    places = [reading(9, location="Inlet"), reading(5), reading(7, location="Cable")]
    assert energy_readings(places[::-1] if turned else places) == ((TOTAL, BETWEEN, 5),)


@pytest.mark.parametrize("turned", [False, True])
def test_what_can_be_read_counts_rather_than_what_cannot(turned: bool) -> None:
    units = [reading(9, unit="varh"), reading(5, location="Inlet")]
    assert energy_readings(units[::-1] if turned else units) == ((TOTAL, BETWEEN, 5),)


def test_of_two_alike_the_first_counts() -> None:
    assert energy_readings([reading(5), reading(6)]) == ((TOTAL, BETWEEN, 5),)


@pytest.mark.parametrize(
    ("meters", "counted"),
    [
        ({TOTAL, "L1"}, []),
        ({INTERVALS, CLOCK_INTERVALS}, [INTERVALS]),
        ({CLOCK_INTERVALS}, [CLOCK_INTERVALS]),
        ({INTERVALS, "interval L1"}, [INTERVALS]),
        ({"interval L1", "interval L2", "clock interval L1"}, ["interval L1", "interval L2"]),
    ],
)
def test_no_energy_is_counted_as_two_intervals(meters: set[str], counted: list[str]) -> None:
    assert intervals_of(meters) == counted
