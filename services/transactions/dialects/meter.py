"""Sampled values of all versions: defaults filled in, kilo and multipliers taken out, what is no number kept."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import Any

from services.ocpp.errors import OcppError
from services.transactions.dialects.words import moment
from services.transactions.domain.messages import MeterValue, Reading
from services.transactions.domain.register import Standing

REGISTER = "Energy.Active.Import.Register"
CONTEXT = "Sample.Periodic"
LOCATION = "Outlet"
STANDINGS = {"Transaction.Begin": Standing.CONTEXT_BEGIN, "Transaction.End": Standing.CONTEXT_END}

# What a unit is in the unit that is stored, and how many of that it is.
UNITS: dict[str, tuple[str, float]] = {
    "kWh": ("Wh", 1000),
    "kvarh": ("varh", 1000),
    "kVAh": ("VAh", 1000),
    "kW": ("W", 1000),
    "kvar": ("var", 1000),
    "kVA": ("VA", 1000),
    "Celcius": ("Celsius", 1),
    "Hertz": ("Hz", 1),
}
# The unit where none is given: Wh for energy (1.6 §7.43, 2.0.1 UnitOfMeasureType), the base unit for the rest.
DEFAULTS = {
    "Energy": "Wh",
    "Power.Active.Export": "W",
    "Power.Active.Import": "W",
    "Power.Offered": "W",
    "Power.Reactive.Export": "var",
    "Power.Reactive.Import": "var",
    "Power.Factor": "",
    "Current": "A",
    "Voltage": "V",
    "Frequency": "Hz",
    "Temperature": "Celsius",
    "SoC": "Percent",
    "RPM": "RPM",
}

Sample = dict[str, Any]


def default_unit(measurand: str) -> str:
    """The unit that a value without one is in."""
    return DEFAULTS.get(measurand, DEFAULTS.get(measurand.partition(".")[0], ""))


def reading(sample: Sample, number: float | None, unit: str | None, factor: float = 1) -> Reading:
    """One value in its base unit. number None: it is no number, and the caller keeps what it is."""
    get = sample.get
    shape, kilo = _shape(get("measurand"), unit, get("context"), get("location"), get("phase"))
    made = shape.copy()
    if number is not None:
        factor *= kilo
        # Rounded, for 4.35 kWh times 1000 must not become 4350.000000000001 Wh.
        made["value"] = number if factor == 1 else round(number * factor, 6)
    return made


@lru_cache(maxsize=4096)
def _shape(
    measurand: str | None, unit: str | None, context: str | None, location: str | None, phase: str | None
) -> tuple[Reading, float]:
    """A reading without its value, and how much of its unit one of the station's is: stations repeat themselves."""
    measurand = measurand or REGISTER
    name, kilo = UNITS.get(unit, (unit, 1)) if unit else (default_unit(measurand), 1)
    shape: Reading = {"measurand": measurand, "unit": name}
    if context and context != CONTEXT:
        shape["context"] = context
    if location and location != LOCATION:
        shape["location"] = location
    if phase:
        shape["phase"] = phase
    return shape, kilo


def number(text: str) -> float | None:
    """A decimal number; None for everything else, also for what Python would take and a meter would not mean."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and "_" not in text else None


def meter_values(
    items: list[dict[str, Any]],
    read: Callable[[Sample], Reading],
    otherwise: datetime | None = None,
    billed: bool = True,
) -> tuple[MeterValue, ...]:
    """Meter values as they are stored.

    otherwise: the moment for values whose own cannot be read; without it they raise OcppError. billed: whether their
    energy register is that of the transaction.
    """
    return tuple([_meter_value(item, read, otherwise, billed) for item in items])


def _meter_value(
    item: dict[str, Any], read: Callable[[Sample], Reading], otherwise: datetime | None, billed: bool
) -> MeterValue:
    readings = [read(sample) for sample in item["sampledValue"]]
    found = _register(readings) if billed else None
    standing, wh = (STANDINGS.get(found.get("context", CONTEXT), 0), found["value"]) if found else (0, None)
    try:
        return MeterValue(moment(item["timestamp"]), readings, standing, wh)
    except OcppError:
        if otherwise is None:
            raise
        return MeterValue(otherwise, readings, standing, wh, str(item["timestamp"]))


def _register(readings: list[Reading]) -> Reading | None:
    """The reading that bills: active energy import over all phases, at the outlet, or else wherever but in the EV."""
    elsewhere = None
    for made in readings:
        if made["measurand"] == REGISTER and "phase" not in made and made["unit"] == "Wh" and "value" in made:
            if "location" not in made:
                return made
            if elsewhere is None and made["location"] != "EV":
                elsewhere = made
    return elsewhere
