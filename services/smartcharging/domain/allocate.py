"""Who gets how much of a limit. Pure arithmetic: it knows nothing of stations and commands.

Minima first, in the order of the claims; a claim that does not get that much gets nothing. Then what is left, by
priority: the highest share it max-min fairly up to what each can take, and so on down. Max-min fair: no claim can have
more without taking it from one that has no more than itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from services.smartcharging.domain.loads import Loads, remaining, scaled, total

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Claim:
    """key: station and EVSE. weights: how often its current counts on which load. Currents in tenths of an ampere.

    floor: what is set aside for it anyway, so that as much costs nothing.
    """

    key: Key
    weights: Loads
    minimum: int
    maximum: int
    priority: int = 0
    floor: int = 0

    @property
    def least(self) -> int:
        return max(self.minimum, min(self.floor, self.maximum))

    def cost(self, current: int) -> Loads:
        return scaled(self.weights, max(0, current - self.floor))


def allocate(capacity: Loads, claims: Sequence[Claim]) -> dict[Key, int]:
    """A current for each claim: 0, or between its minimum and its maximum.

    claims: by falling priority, and within one in the order in which minima are given.
    """
    room = dict(capacity)
    shares = {claim.key: _minimum(claim, room) for claim in claims}
    served = [claim for claim in claims if shares[claim.key]]
    for _, group in groupby(served, attrgetter("priority")):
        _fill(list(group), shares, room)
    return shares


def _minimum(claim: Claim, room: dict[str, int]) -> int:
    cost = claim.cost(claim.least)
    if claim.maximum < claim.minimum or any(current > max(0, room[name]) for name, current in cost.items()):
        return 0
    room |= remaining({name: room[name] for name in cost}, cost)
    return claim.least


def _fill(claims: list[Claim], shares: dict[Key, int], room: dict[str, int]) -> None:
    """Raises the lowest together, to the next lowest and so on, until each has its maximum or its load is full."""
    rising = [claim for claim in claims if shares[claim.key] < claim.maximum]
    while rising:
        level = min(shares[claim.key] for claim in rising)
        lowest = [claim for claim in rising if shares[claim.key] == level]
        weights = total(claim.weights for claim in lowest)
        stops = [shares[claim.key] for claim in rising if shares[claim.key] > level]
        stops += [claim.maximum for claim in lowest]
        step = min(min(stops) - level, *(max(0, room[name]) // weight for name, weight in weights.items()))
        for claim in lowest:
            shares[claim.key] += step
        for name, weight in weights.items():
            room[name] -= weight * step
        full = {name for name, weight in weights.items() if room[name] < weight}
        stuck = {claim.key for claim in lowest if shares[claim.key] == claim.maximum or full & claim.weights.keys()}
        rising = [claim for claim in rising if claim.key not in stuck]
