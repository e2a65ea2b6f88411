"""Where the energy register began and ended, and what that bills."""

import pytest

from services.transactions.domain.register import Rank, Register, RegisterReading, add_readings

BEGIN, END = Rank.CONTEXT_BEGIN, Rank.CONTEXT_END
OWN_BEGIN, OWN_END = Rank.MESSAGE_BEGIN, Rank.MESSAGE_END
PLAIN = Rank.BETWEEN


def register(*readings: tuple[int, float, float]) -> Register:
    """Of (rank, order, Wh)."""
    made = add_readings(None, [RegisterReading(rank, order, 0, wh) for rank, order, wh in readings])
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("readings", "ended", "energy", "jumped"),
    [
        ([(OWN_BEGIN, 0, 1000), (OWN_END, 2, 8500)], True, 7500, False),
        ([(OWN_BEGIN, 0, 1000)], False, 0, False),
        ([(OWN_BEGIN, 0, 1000)], True, None, False),
        ([(OWN_BEGIN, 0, 1000), (PLAIN, 1, 4000)], False, 3000, False),
        ([(OWN_BEGIN, 0, 1000), (BEGIN, 1, 900), (END, 1, 9999), (OWN_END, 2, 8500)], True, 7500, True),
        ([(PLAIN, 3, 1200), (PLAIN, 1, 1100), (PLAIN, 7, 2000)], True, 900, False),
        ([(BEGIN, 5, 1000), (PLAIN, 1, 1100), (END, 2, 2000), (PLAIN, 9, 1900)], True, 1000, False),
        ([(OWN_BEGIN, 0, 5000), (OWN_END, 2, 100)], True, None, True),
        ([(OWN_BEGIN, 0, 1000), (PLAIN, 1, 9000), (OWN_END, 2, 2000)], True, 1000, True),
        ([(OWN_BEGIN, 0, 1000), (PLAIN, 1, 5), (PLAIN, 1, 1500)], False, 500, True),
        ([(OWN_BEGIN, 0, 1000), (PLAIN, 1, 999.5), (PLAIN, 1, 2004), (OWN_END, 2, 2000)], True, 1000, False),
        ([(OWN_BEGIN, 0, 0), (OWN_END, 2, 0)], True, 0, False),
        ([(PLAIN, 1, 0.1), (PLAIN, 2, 0.3)], True, 0.2, False),
    ],
)
def test_energy(readings: list[tuple[int, float, float]], ended: bool, energy: float | None, jumped: bool) -> None:
    """1.6 §7.31, J02.FR.16: a register that jumps back is flagged, and never bills a negative amount."""
    made = register(*readings)
    assert made.energy_wh(ended) == energy
    assert made.jumped_back(ended) is jumped


def test_the_end_is_not_told_before_it() -> None:
    made = register((OWN_BEGIN, 0, 1000), (PLAIN, 1, 2000))
    assert (made.begin_wh, made.end_wh(False), made.end_wh(True)) == (1000, None, 2000)


def test_what_says_nothing_new_changes_nothing() -> None:
    made = register((OWN_BEGIN, 0, 1000), (PLAIN, 1, 2000))
    assert add_readings(made, [RegisterReading(PLAIN, 1, 0, 2000), RegisterReading(PLAIN, 1, 0, 1500)]) is made
    assert add_readings(None, []) is None
