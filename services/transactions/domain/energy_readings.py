"""What the readings of one moment say of the energy: the register at the outlet, those of phases, and intervals."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

from services.transactions.domain.register import Rank

REGISTER, INTERVAL = "Energy.Active.Import.Register", "Energy.Active.Import.Interval"
MEASURANDS = frozenset({REGISTER, INTERVAL})
# In which a reading without a number says nothing; in another it is of a number that cannot be read.
UNITS = frozenset({"Wh", "kWh"})
RANKS = {"Transaction.Begin": Rank.CONTEXT_BEGIN, "Transaction.End": Rank.CONTEXT_END}
BETWEEN = Rank.BETWEEN
PHASES = {"L1": "L1", "L2": "L2", "L3": "L3", "L1-N": "L1", "L2-N": "L2", "L3-N": "L3"}
# The meter that counts all phases, and what its intervals are called beside it: those of its clock are told apart.
TOTAL, INTERVALS, CLOCK_INTERVALS = "", "interval", "clock interval"
CLOCK = "Sample.Clock"


# Of a reading whose unit is none of energy, or cannot be read: nothing may be taken for Wh.
UNREADABLE_WH = -inf

# The meter: TOTAL, a phase, or intervals of either; the rank, see Rank: all intervals are alike; Wh of the meter.
EnergyReading = tuple[str, int, float]


def energy_readings(readings: Iterable[dict[str, Any]]) -> tuple[EnergyReading, ...]:
    """Of all readings of one moment, in base units: of each meter one a rank, at the outlet or else not in the EV."""
    energies = [one for one in readings if one["measurand"] in MEASURANDS]
    if len(energies) == 1:
        return tuple([found for one in energies if (found := _energy(one))])
    chosen: dict[tuple[str, int], tuple[tuple[bool, bool], EnergyReading]] = {}
    for one in energies:
        if found := _energy(one):
            after = (found[2] == UNREADABLE_WH, "location" in one)
            place = found[:2]
            if place not in chosen or after < chosen[place][0]:
                chosen[place] = after, found
    return tuple([found for _, found in chosen.values()])


def _energy(one: dict[str, Any]) -> EnergyReading | None:
    """None where it says nothing of the transaction's energy."""
    if ("value" not in one and one["unit"] in UNITS) or one.get("location") == "EV":
        return None
    phase, context = one.get("phase"), one.get("context", "")
    meter = TOTAL if phase is None else PHASES.get(phase)
    if meter is None:
        return None
    wh = one["value"] if one["unit"] == "Wh" else UNREADABLE_WH
    if one["measurand"] == REGISTER:
        return meter, RANKS.get(context, BETWEEN), wh
    kind = CLOCK_INTERVALS if context == CLOCK else INTERVALS
    return f"{kind} {meter}".rstrip(), BETWEEN, wh


def intervals_of(meters: Iterable[str]) -> Sequence[str]:
    """Which meters of intervals count: not those of the clock beside others, and no phases beside all of them."""
    kinds = sorted(meter for meter in meters if meter.startswith((INTERVALS, CLOCK_INTERVALS)))
    chosen = [meter for meter in kinds if meter.startswith(INTERVALS)] or kinds
    return [meter for meter in chosen if meter in (INTERVALS, CLOCK_INTERVALS)] or chosen
