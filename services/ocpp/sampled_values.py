"""What sampled values say of their unit, wherever and however they say it. Pure."""

import re
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any, NamedTuple

import orjson

from services.ocpp.schema_nodes import compared

# What 1.6 and 2.x call the unit and its power of ten.
_SAID = frozenset({"unit", "unitofmeasure", "multiplier"})
# Parts that say of what the value is; each has a default, which is wrong where one is told and cannot be used.
QUALIFIERS = frozenset({"measurand", "context", "location", "phase", "format"})
# No comma: some write decimals with it, some thousands.
_QUANTITY = re.compile(r"([+-]?[0-9]{1,30}(?:\.[0-9]*)?) *([A-Za-z%]+)")


# What stations write where they have no reading of energy: the highest of 31 and of 32 bits, besides what is below 0;
# and the Wh that no meter counts to.
_NO_READING, _LARGEST_WH = frozenset({float(2**31 - 1), float(2**32 - 1)}), 1e12


def is_usable(wh: float) -> bool:
    """Whether it can be what a meter of energy shows."""
    return 0 <= wh <= _LARGEST_WH and wh not in _NO_READING


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


def with_own_unit(sample: Mapping[str, Any], unit_name: str) -> Mapping[str, Any]:
    """With its unit where its version has it, under unit_name; the same object if it is there already, or nowhere.

    What contradicts itself, or cannot be read, becomes the name of a unit: one that there is not.
    """
    names = [name for name in sample if compared(name) in _SAID]
    inside = quantity(sample["value"]) if unit_name != "unit" and type(sample.get("value")) is str else None
    if not inside and (not names or (names == [unit_name] and _is_own(sample[unit_name], unit_name))):
        return sample
    said = [(name, part) for name, part in _said(sample) if part not in (None, "")]
    if not inside and not said:
        return sample
    rest = {name: part for name, part in sample.items() if name not in names}
    if inside:
        rest["value"] = inside.number
        said.append(("unit", inside.unit))
    return rest | {unit_name: _unit_16(said) if unit_name == "unit" else _unit_2x(said)}


def _said(part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, inner in part.items():
        if compared(name) in _SAID:
            yield from _said(inner) if type(inner) is dict else [(compared(name), inner)]


def _is_own(own: Any, unit_name: str) -> bool:
    """Whether it is where the version has it, and can be read."""
    if unit_name == "unit":
        return type(own) not in (dict, list)
    parts = {name for name in own if compared(name) in _SAID} if type(own) is dict else {""}
    readable = parts <= {"unit", "multiplier"} and type(own.get("unit")) not in (dict, list)
    return readable and _power(own.get("multiplier") or 0) is not None


def _unit_2x(said: list[tuple[str, Any]]) -> dict[str, Any]:
    units = {compared(_text(part)): _text(part) for name, part in said if name != "multiplier"}
    powers = {_power(part) for name, part in said if name == "multiplier"}
    if len(units) > 1 or len(powers) > 1 or None in powers:
        return {"unit": _text([part for _, part in said])}
    return dict([("unit", unit) for unit in units.values()] + [("multiplier", power) for power in powers])


def _unit_16(said: list[tuple[str, Any]]) -> str:
    """1.6 has no power of ten."""
    measure = _unit_2x(said)
    return _text(measure) if measure.get("multiplier") else measure.get("unit", "")


def _power(part: Any) -> int | None:
    try:
        number = float(part) if type(part) in (int, float, str) else inf
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _text(part: Any) -> str:
    return part if type(part) is str else orjson.dumps(part).decode()
