"""What sampled values say of their unit, wherever and however they say it. Pure."""

import re
from typing import NamedTuple

from services.ocpp.schema_nodes import compared

# No comma: some write decimals with it, some thousands.
_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?) *([A-Za-z%]+)")


class Quantity(NamedTuple):
    """A number, and the unit behind it."""

    number: float
    unit: str

    def unit_with(self, other: str | None) -> str:
        """Its unit, which is said twice; one that is none where the two differ."""
        return self.unit if other is None or compared(other) == compared(self.unit) else f"{self.unit} {other}"


def quantity(text: str) -> Quantity | None:
    """What a text says such as "12.5 kWh"; None where it says something else."""
    found = _QUANTITY.fullmatch(text.strip())
    return Quantity(float(found[1]), found[2]) if found else None
