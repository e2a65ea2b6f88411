"""What a register says that does not run as meters do: the parts that do, and what lies between them is passed over."""

from collections.abc import Callable, Collection, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.register import ALLOWANCE_WH, TOLERANCE_WH, Rank, RegisterReading, follows

# Readings that follow each other.
Run = list[RegisterReading]

# By its own order; by its clock, for messages repeat readings; by ours, for clocks are set.
ORDERS: Sequence[Callable[[RegisterReading], tuple[float, ...]]] = (
    lambda one: one[:4],
    lambda one: (one.rank, one.at, one.order, one.wh),
    lambda one: (one.rank, one.received, one.order, one.at, one.wh),
)
# Where a register of 31 or 32 bits begins anew.
MODULI = (2.0**31, 2.0**32)
# Between kWh and Wh. Two readings are of one register if they differ by no more than NEAR, and show no less than LEAST.
WH_PER_KWH = 1000.0
UNIT_FACTORS, NEAR, LEAST_WH = (WH_PER_KWH, 1 / WH_PER_KWH), 0.1, 10_000.0
# A register that was reset shows no more than this.
RESET_WH = 1000.0
# Of more parts than this nothing can be made.
MOST_RUNS = 100


class Steps(NamedTuple):
    """wh: None where no two readings follow each other. runs: how many parts there are; one is what there should be."""

    wh: float | None
    doubts: tuple[Doubt, ...]
    runs: int


def by_steps(readings: Collection[RegisterReading], power_w: float) -> Steps:
    """Of all readings of a register, one at least, each once. The order that leaves the fewest doubts is theirs."""
    readings = _in_unit_of_ends(readings, power_w)
    found = [_in_order(sorted(readings, key=order), power_w) for order in ORDERS]
    return min(found, key=lambda steps: (steps.runs, len(steps.doubts)))


def _in_unit_of_ends(readings: Collection[RegisterReading], power_w: float) -> Collection[RegisterReading]:
    """With samples in Wh that are in kWh and called Wh, where meterStart and meterStop (in Wh) agree with them."""
    ends = {one.rank: one for one in readings}
    begin, end = ends.get(Rank.MESSAGE_BEGIN), ends.get(Rank.MESSAGE_END)
    if begin is None or end is None or begin.wh < LEAST_WH or not follows(begin, end, power_w):
        return readings
    # Of whole kWh, some are below the begin, or rounded up beyond the end.
    least, beyond = begin.wh / WH_PER_KWH - 1, min(end.wh / WH_PER_KWH + 1, begin.wh)
    return [
        one._replace(wh=min(max(one.wh * WH_PER_KWH, begin.wh), end.wh)) if least <= one.wh < beyond else one
        for one in readings
    ]


def _in_order(readings: Sequence[RegisterReading], power_w: float) -> Steps:
    levels = [next(group) for _, group in groupby(readings, key=lambda one: one.wh)]
    runs, doubts = _runs(levels, power_w)
    while len(runs) <= MOST_RUNS and (joined := _joined(runs, power_w)):
        runs, doubt = joined
        doubts |= {doubt} if doubt else set()
    rises = [run[-1].wh - run[0].wh for run in runs if len(run) > 1]
    if not rises and len(readings) > len(levels):
        rises = [0.0]
    for before, after in pairwise(runs):
        doubts.add(Doubt.REGISTER_FELL if after[0].wh < before[-1].wh else Doubt.REGISTER_LEAPT)
    if not all(follows(run[0], run[-1], power_w) for run in runs if run[-1].wh > run[0].wh):
        doubts.add(Doubt.REGISTER_LEAPT)
    wh = round(max(sum(rises), 0.0), 6) if rises else None
    return Steps(wh, tuple(sorted(doubts)), len(runs))


def _runs(levels: Sequence[RegisterReading], power_w: float) -> tuple[list[Run], set[Doubt]]:
    """Parts that run as meters do, a single odd reading in the midst of one passed over. levels: no two alike."""
    runs: list[Run] = [[levels[0]]]
    doubts: set[Doubt] = set()
    for level, following in zip(levels[1:], [*levels[2:], None], strict=False):
        run = runs[-1]
        fell = level.wh < run[-1].wh
        if follows(run[-1], level, power_w):
            run.append(level)
        elif following and follows(run[-1], following, power_w) and (fell or not follows(level, following, power_w)):
            doubts.add(Doubt.ODD_READING)
        elif fell and len(run) > 1 and follows(run[-2], level, power_w) and level.wh > RESET_WH:
            run[-1] = level
            doubts.add(Doubt.ODD_READING)
        else:
            runs.append([level])
    return runs, doubts


def _joined(runs: list[Run], power_w: float) -> tuple[list[Run], Doubt | None] | None:
    """With two parts made one, which are of one register for all that can be known, and what is doubtful about that."""
    for n, (before, after) in enumerate(pairwise(runs)):
        rest = runs[n + 2 :]
        for modulus in MODULI:
            if follows(before[-1], _scaled(after[0], 1, modulus), power_w) and after[0].wh < before[-1].wh:
                whole = before + [_scaled(one, 1, modulus) for one in after]
                return [*runs[:n], whole, *rest], Doubt.REGISTER_WRAPPED
        if in_one_unit := _in_one_unit(before, after, power_w):
            return [*runs[:n], in_one_unit, *rest], Doubt.UNIT_MISLABELLED
        if rest and follows(before[-1], rest[0][0], power_w):
            aside, across = after[-1].wh - after[0].wh, rest[0][0].wh - before[-1].wh
            if across <= 2 * aside + ALLOWANCE_WH:
                # Some stations count what they sample from 0, and tell begin and end by another register.
                agrees = len(after) > 1 and across >= aside - TOLERANCE_WH
                return [*runs[:n], before + rest[0], *rest[1:]], None if agrees else Doubt.ODD_READING
    return None


def _in_one_unit(before: Run, after: Run, power_w: float) -> Run | None:
    """Both as one, if one of them is in kWh and called Wh, or the other way round: the shorter, if it can be either."""
    for part in sorted((before, after), key=len):
        for factor in UNIT_FACTORS:
            scaled = [_scaled(one, factor) for one in part]
            whole = scaled + after if part is before else before + scaled
            one, other = (scaled[-1], after[0]) if part is before else (before[-1], scaled[0])
            near = abs(one.wh - other.wh) <= NEAR * other.wh and min(one.wh, other.wh) >= LEAST_WH
            if near and follows(one, other, power_w):
                return whole
    return None


def _scaled(one: RegisterReading, factor: float, shift: float = 0.0) -> RegisterReading:
    return one._replace(wh=round(one.wh * factor + shift, 6))
