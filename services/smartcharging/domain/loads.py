"""Sums of current against a limit. Whole numbers: tenths of an ampere, the finest OCPP 1.6 and 2.0.1 can say.

A limit in amperes holds for each phase; a limit in watts holds for all phases together, and is counted as the
current of one phase at the site's voltage. The site says how often a current counts on which of them.
"""

from collections.abc import Iterable, Mapping
from math import floor

# By phase ("L1"), or ALL for a limit in watts: tenths of an ampere, or how often a current counts.
Loads = Mapping[str, int]

ALL = "W"
# Stations tell of currents that there are not, up to more than a float holds: none is counted as more.
LARGEST_A = 1e6
NONE: Loads = {}


def tenths(amperes: float) -> int:
    """Down to a tenth: a limit is never rounded up. What is a tenth already stays, however a float writes it."""
    return floor(round(min(amperes, LARGEST_A) * 10, 6))


def amperes(tenths: int) -> float:
    return tenths / 10


def scaled(weights: Loads, current: int) -> Loads:
    """What a current loads."""
    return {name: weight * current for name, weight in weights.items()}


def total(loads: Iterable[Loads]) -> dict[str, int]:
    added: dict[str, int] = {}
    for load in loads:
        for name, current in load.items():
            added[name] = added.get(name, 0) + current
    return added


def within(loads: Loads, capacity: Loads) -> bool:
    return all(current <= capacity.get(name, 0) for name, current in loads.items() if current > 0)


def remaining(capacity: Loads, loads: Loads) -> dict[str, int]:
    """What is left; below zero where the loads are more."""
    return {name: current - loads.get(name, 0) for name, current in capacity.items()}
