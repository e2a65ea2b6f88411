"""The energy register in O(1): told in order it is exact, and it knows when it is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ocpp.sampled_values import is_usable
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.register import (
    Rank,
    Register,
    RegisterReading,
    add_intervals,
    add_readings,
    follows,
    is_regular,
)

POWER_W = 22_000.0


def reading(minute: float, wh: float, rank: int = 0, order: int = 0, received: float | None = None) -> RegisterReading:
    """Received when it was taken, unless it is said."""
    at = int(minute * 60_000)
    return RegisterReading(rank, order, at, wh, at if received is None else int(received * 60_000))


def register(*readings: RegisterReading) -> Register:
    made = add_readings(None, readings, POWER_W)
    assert made
    return made


BEGIN = reading(0, 1000, Rank.MESSAGE_BEGIN)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (reading(60, 22_000), True),
        (reading(60, 30_000), False),
        (reading(60, 950), True),
        (reading(60, 900), False),
        # A meter that counts whole kWh, read a moment later.
        (reading(0, 2000), True),
        (reading(0, 3000), False),
        # Of two clocks the one counts that lets more time pass: offline, or a clock that stands still or goes back.
        (reading(60, 22_000, received=0), True),
        (reading(0, 22_000, received=60), True),
        (reading(-60, 22_000, received=60), True),
        (reading(-60, 22_000, received=0), False),
    ],
)
def test_what_can_follow(after: RegisterReading, expected: bool) -> None:
    """1.6 §7.31, J02.FR.16: a register only rises; and by no more than the EVSE can deliver."""
    assert follows(BEGIN, after, POWER_W) is expected


@pytest.mark.parametrize("wh", [-1, -0.5, 2147483647, 4294967295, 1e13])
def test_what_is_no_reading(wh: float) -> None:
    assert not is_usable(wh)
    assert is_usable(0)


def test_told_in_order_it_is_the_difference() -> None:
    made = register(BEGIN, reading(10, 3000), reading(20, 3000), reading(30, 6000))
    assert (made.energy_wh, made.exact, is_regular(made, POWER_W)) == (5000, True, True)
    assert (made.first.wh, made.last.wh) == (1000, 6000)


def test_the_time_that_a_meter_was_not_read_counts() -> None:
    """It shows the same for an hour, and then all that was delivered."""
    stale = [reading(minute, 1000) for minute in range(1, 60)]
    assert register(BEGIN, *stale, reading(60, 20_000)).exact
    assert not register(BEGIN, reading(59, 1010), reading(60, 20_000)).exact


@pytest.mark.parametrize(
    ("readings", "energy", "doubts"),
    [
        ([reading(1, 5), reading(2, 1500)], 500, (Doubt.REGISTER_FELL,)),
        ([reading(10, 3000), reading(11, 0), reading(12, 100), reading(13, 300)], 2300, (Doubt.REGISTER_FELL,)),
        ([reading(1, 939_000), reading(2, 939_100), reading(3, 939_300)], 300, (Doubt.REGISTER_LEAPT,)),
    ],
)
def test_while_it_goes_on_an_odd_one_is_an_estimate(
    readings: list[RegisterReading], energy: float, doubts: tuple[Doubt, ...]
) -> None:
    made = register(BEGIN, *readings)
    assert (made.energy_wh, made.doubts, made.exact) == (energy, doubts, False)


@pytest.mark.parametrize("again", [BEGIN, reading(10, 3000), reading(10, 3000, received=99)])
def test_what_is_told_twice_changes_nothing(again: RegisterReading) -> None:
    made = register(BEGIN, reading(10, 3000))
    assert add_readings(made, [again], POWER_W) is made
    assert add_readings(None, [], POWER_W) is None


def test_an_odd_one_told_again_is_still_one() -> None:
    made = register(BEGIN, reading(10, 3000), reading(11, 0))
    assert add_readings(made, [reading(11, 0, received=99)], POWER_W) is made


def test_begin_and_end_told_again_as_samples_change_nothing() -> None:
    """1.6 §3.16.6: transactionData has them once more, with the contexts Transaction.Begin and Transaction.End."""
    made = register(BEGIN, reading(10, 3000), reading(20, 4000, Rank.CONTEXT_END))
    again = [reading(0, 1000, Rank.CONTEXT_BEGIN), reading(20, 4000, Rank.CONTEXT_END)]
    assert add_readings(made, again, POWER_W) is made


def test_what_comes_between_is_only_certain_with_all_readings() -> None:
    made = register(BEGIN, reading(10, 3000), reading(20, 4000), reading(15, 3500))
    assert (made.exact, made.energy_wh, made.doubts) == (False, 3000, ())


def test_what_comes_before_all_others_is_its_begin() -> None:
    made = register(reading(10, 3000), reading(20, 4000), BEGIN)
    assert (made.exact, made.energy_wh, made.first) == (True, 3000, BEGIN)


@pytest.mark.parametrize(
    ("ends", "counts", "doubts"),
    [
        ([(20, 9000), (21, 9500)], 1, ()),
        ([(20, 9000), (21, 9000)], 0, ()),
        ([(20, 9000), (21, 8990)], 0, ()),
        ([(20, 9000), (21, 4000)], 0, (Doubt.REGISTER_FELL,)),
        ([(20, 9000), (20, 4000)], 0, (Doubt.REGISTER_FELL,)),
        ([(20, 9000), (21, 0)], 0, (Doubt.REGISTER_FELL,)),
        ([(20, 9000), (21, 2e9)], 0, (Doubt.REGISTER_LEAPT,)),
        ([(20, 2e9), (21, 9000)], 1, ()),
        ([(20, 400), (21, 300)], 1, ()),
    ],
    ids=["later", "again", "rounded", "fell", "at once", "0", "leapt", "corrected", "reset"],
)
def test_of_two_ends_the_highest_counts_that_can_be(
    ends: list[tuple[int, float]], counts: int, doubts: tuple[Doubt, ...]
) -> None:
    """§7.31: a register only rises. In whatever order they are told, and again."""
    one, other = (reading(minute, wh, Rank.MESSAGE_END) for minute, wh in ends)
    for told in ([one, other], [other, one], [one, other, one, other]):
        made = register(BEGIN, reading(10, 3000), *told)
        assert (made.end, made.end_doubts) == ((one, other)[counts], doubts)


def test_an_end_that_does_not_follow_is_not_regular() -> None:
    assert is_regular(register(BEGIN, reading(10, 3000), reading(11, 3100, Rank.MESSAGE_END)), POWER_W)
    assert not is_regular(register(BEGIN, reading(10, 3000), reading(11, 900_000, Rank.MESSAGE_END)), POWER_W)


def test_intervals_add_up() -> None:
    """2.0.1 MeasurandEnumType: the amount of an interval, not a register."""
    told: list[Any] = [reading(15, 100), reading(30, 200), reading(30, 200), reading(45, 50)]
    made = add_intervals(None, told)
    assert made
    assert (made.energy_wh, made.exact) == (350, True)
    late = add_intervals(made, [reading(20, 70)])
    assert late
    assert (late.energy_wh, late.exact) == (350, False)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 400)), min_size=1), st.randoms())
def test_it_never_claims_to_be_exact_and_is_not(steps: list[tuple[int, int]], shuffle: Any) -> None:
    """In whatever order they come: where it is exact, it is what they are in order."""
    minute, wh, readings = 0, 1000, [BEGIN]
    for passed, rise in steps:
        minute, wh = minute + passed, wh + rise - 100
        readings.append(reading(minute, wh))
    in_order = add_readings(None, sorted(set(readings)), POWER_W)
    shuffle.shuffle(readings)
    made = register(*readings)
    if made.exact:
        assert made == in_order
