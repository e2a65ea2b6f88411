"""What the readings of one moment say of the energy: the register at the outlet, those of phases, and intervals."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.transactions.domain.register import Rank

REGISTER, INTERVAL = "Energy.Active.Import.Register", "Energy.Active.Import.Interval"
MEASURANDS = frozenset({REGISTER, INTERVAL})
RANKS = {"Transaction.Begin": Rank.CONTEXT_BEGIN, "Transaction.End": Rank.CONTEXT_END}
BETWEEN = Rank.BETWEEN
PHASES = {"L1": "L1", "L2": "L2", "L3": "L3", "L1-N": "L1", "L2-N": "L2", "L3-N": "L3"}
# The meter that counts all phases, and what its intervals are called beside it: those of its clock are told apart.
TOTAL, INTERVALS, CLOCK_INTERVALS = "", "interval", "clock interval"
CLOCK = "Sample.Clock"


# The meter: TOTAL, a phase, or intervals of either; the rank, see Rank: all intervals are alike; Wh of the meter.
EnergyReading = tuple[str, int, float]


def energy_readings(readings: Iterable[dict[str, Any]]) -> tuple[EnergyReading, ...]:
    """Of all readings of one moment, in base units: of each meter one a rank, at the outlet or else not in the EV."""
    energies = [one for one in readings if one["measurand"] in MEASURANDS]
    if len(energies) == 1:
        return tuple([(*place, one["value"]) for one in energies if (place := _place(one))])
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for one in energies:
        place = _place(one)
        if place and (place not in found or ("location" in found[place] and "location" not in one)):
            found[place] = one
    return tuple([(*place, one["value"]) for place, one in found.items()])


def _place(one: dict[str, Any]) -> tuple[str, int] | None:
    """Its meter and rank; None where it says nothing of the transaction's energy."""
    if "value" not in one or one["unit"] != "Wh" or one.get("location") == "EV":
        return None
    phase, context = one.get("phase"), one.get("context", "")
    meter = TOTAL if phase is None else PHASES.get(phase)
    if meter is None:
        return None
    if one["measurand"] == REGISTER:
        return meter, RANKS.get(context, BETWEEN)
    kind = CLOCK_INTERVALS if context == CLOCK else INTERVALS
    return f"{kind} {meter}".rstrip(), BETWEEN


def intervals_of(meters: Iterable[str]) -> Sequence[str]:
    """Which meters of intervals count: not those of the clock beside others, and no phases beside all of them."""
    kinds = sorted(meter for meter in meters if meter.startswith((INTERVALS, CLOCK_INTERVALS)))
    chosen = [meter for meter in kinds if meter.startswith(INTERVALS)] or kinds
    return [meter for meter in chosen if meter in (INTERVALS, CLOCK_INTERVALS)] or chosen
