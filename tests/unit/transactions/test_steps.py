"""What a register that does not run as meters do says all the same: inputs of the field, and their siblings."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.register import MAX_POWER_W, Rank, RegisterReading
from services.transactions.domain.steps import by_steps
from tests.unit.transactions.test_register import reading

BEGIN, END = Rank.MESSAGE_BEGIN, Rank.MESSAGE_END
FELL, LEAPT, ODD = Doubt.REGISTER_FELL, Doubt.REGISTER_LEAPT, Doubt.ODD_READING
WRAPPED, UNIT = Doubt.REGISTER_WRAPPED, Doubt.UNIT_MISLABELLED


def session(begin: float, samples: dict[float, float], end: float | None, minutes: float = 60) -> list[RegisterReading]:
    """samples: Wh by minute."""
    told = [reading(0, begin, BEGIN), *(reading(minute, wh) for minute, wh in samples.items())]
    return told if end is None else [*told, reading(minutes, end, END)]


# As OpenEVSE sends it.
OPEN_EVSE = session(361_400, {6 * n: 361 + n for n in range(10)}, 370_900)


@pytest.mark.parametrize(
    ("readings", "wh", "doubts"),
    [
        pytest.param(session(1000, {20: 3000}, 8500), 7500, [], id="as meters run"),
        pytest.param(session(0, {1 / 60: 939_000, 30: 941_000}, 946_500), 7500, [LEAPT], id="begin 0, then lifetime"),
        pytest.param(session(0, {}, 939_000, 1 / 60), None, [LEAPT], id="begin 0, lifetime a second later"),
        pytest.param(session(0, {}, 909_948, 5), None, [LEAPT], id="begin 0, lifetime five minutes later"),
        pytest.param(session(0, {1 / 60: 939_000}, 946_500), 7500, [LEAPT], id="one sample of the lifetime"),
        pytest.param(session(5000, {20: 6000, 30: 0, 40: 1000}, 2000), 3000, [FELL], id="reset in the middle"),
        pytest.param(session(100, {20: 500, 30: 0, 40: 200, 50: 400}, 600), 1000, [FELL], id="reset, and beyond"),
        pytest.param(session(0, {20: 9000, 30: 0, 40: 3000}, 9500), 18_500, [FELL], id="reset of one that began at 0"),
        pytest.param(session(0, {20: 5000, 30: 100}, 3000), 7900, [FELL], id="reset after one sample"),
        pytest.param(session(1000, {20: 4000}, 0), 3000, [FELL], id="end 0"),
        pytest.param(session(5000, {}, 100), None, [FELL], id="end below begin"),
        pytest.param(session(1000, {20: 4000}, 99_999_999), 3000, [LEAPT], id="end beyond all"),
        pytest.param(session(5000, {20: 5100, 30: 0, 40: 5300}, 6000), 1000, [ODD], id="one 0"),
        pytest.param(session(5000, {20: 5100, 30: 0, 40: 0, 41: 5300}, 6000), 1000, [ODD], id="one 0, told twice"),
        pytest.param(session(5000, {20: 5100, 30: 99_999_999, 40: 5300}, 6000), 1000, [ODD], id="one beyond all"),
        pytest.param(session(1000, {20: 9000}, 2000), 1000, [ODD], id="one too high"),
        pytest.param(session(2**32 - 500, {20: 700}, 2700), 3200, [WRAPPED], id="32 bits"),
        pytest.param(session(2**31 - 500, {20: 700}, 2700), 3200, [WRAPPED], id="31 bits"),
        pytest.param(session(1_000_000, {20: 1002, 40: 1004}, 1007), 7000, [UNIT], id="kWh, called Wh"),
        pytest.param(session(1_000_000, {20: 1_002_000}, 1007), 7000, [UNIT], id="end in kWh, called Wh"),
        pytest.param(session(1_000_000, {}, 1_007_500_000), 7500, [UNIT], id="end in Wh, called kWh"),
        pytest.param(session(1000, {1: 1_000_500}, 1_007_500), 7500, [UNIT], id="begin in kWh, called Wh"),
        pytest.param(OPEN_EVSE, 9500, [], id="samples in whole kWh, called Wh"),
        pytest.param(session(361_400, {20: 361.4, 40: 365.2}, 370_900), 9500, [], id="samples in kWh, called Wh"),
        pytest.param(session(361_400, {20: 361}, 370_900), 9500, [], id="one of them"),
        pytest.param(session(361_400, {1: 361, 20: 362_000}, 370_900), 9500, [], id="samples in both"),
        pytest.param(session(361_400, {20: 361, 30: 0, 40: 365}, 370_900), 9500, [ODD], id="and one 0"),
        pytest.param(session(361_400, {20: 366, 30: 362, 40: 367}, 370_900), 9500, [ODD], id="and one too high"),
        pytest.param(session(15_000, {20: 15_000_400, 40: 15_008_000}, 15_010), 10_000, [UNIT], id="ends in kWh"),
        pytest.param(session(5e6, {20: 0, 40: 2000}, 5_002_700), 2700, [], id="samples from 0, ends by lifetime"),
        pytest.param(session(5e6, {20: 0, 40: 100}, 5_090_000), 100, [FELL, LEAPT], id="and one that does not agree"),
        pytest.param(session(1000, {}, 1000), 0, [], id="nothing"),
        pytest.param(session(1000, {}, 980), 0, [], id="nothing, rounded"),
        pytest.param(session(1000, {}, None), None, [], id="begin alone"),
        pytest.param(session(0, {n: 30_000 * n for n in range(1, 9)}, 270_000, 9), 270_000, [LEAPT], id="all too fast"),
    ],
)
def test_energy_by_steps(readings: list[RegisterReading], wh: float | None, doubts: list[Doubt]) -> None:
    steps = by_steps(readings, MAX_POWER_W)
    assert (steps.wh, list(steps.doubts)) == (wh, doubts)


def test_a_clock_that_was_set_back_is_no_reset() -> None:
    """The order of receipt says it; so with an hour that comes twice in autumn."""
    minutes = {0: 1000, 30: 2000, 50: 3000, -5: 4000, 10: 5000}
    readings = [reading(at, wh, received=100 + n) for n, (at, wh) in enumerate(minutes.items())]
    assert by_steps(readings, MAX_POWER_W)[:2] == (4000, ())


def test_readings_that_the_last_event_repeats_are_no_reset() -> None:
    """2.0.1: TxEndedMeasurands sends once more what TxUpdatedMeasurands sent; the station's clock says it."""
    live = [reading(minute, 1000 + 100 * minute, order=minute) for minute in range(5)]
    again = [one._replace(order=9, received=600_000) for one in live]
    assert by_steps([*live, *again], MAX_POWER_W)[:2] == (400, ())


def test_what_makes_no_sense_at_all_takes_no_longer() -> None:
    """Bounded: 20,000 readings that know nothing of each other."""
    readings = [reading(n, (n * 7_919_777_777) % 9_999_999_967) for n in range(20_000)]
    assert FELL in by_steps(readings, MAX_POWER_W).doubts


levels = st.lists(st.tuples(st.integers(0, 60), st.sampled_from([0, 50, 500, 5000, 900_000, 4_000_000])), min_size=1)


@given(levels, st.randoms())
def test_any_order_is_the_same(told: list[tuple[int, int]], shuffle: Any) -> None:
    readings = [reading(minute, wh, order=n % 3) for n, (minute, wh) in enumerate(told)]
    expected = by_steps(readings, MAX_POWER_W)
    shuffle.shuffle(readings)
    assert by_steps(readings, MAX_POWER_W) == expected
    assert expected.wh is None or expected.wh >= 0
