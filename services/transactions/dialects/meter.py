"""Sampled values of all versions: defaults filled in, converted to base units, other than numbers kept as they are."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from math import copysign, isfinite
from sys import float_info
from typing import Any

from services.transactions.dialects.words import timestamp
from services.transactions.domain.energy_readings import REGISTER, energy_readings
from services.transactions.domain.messages import MeterValue, Reading

CONTEXT = "Sample.Periodic"
LOCATION = "Outlet"

# The unit that is stored for a unit, and the factor to it.
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
# What else there is (1.6 §7.45, 2.0.1 appendix 2), to be known in other capitals.
PLAIN = ("Wh", "varh", "VAh", "W", "var", "VA", "A", "V", "Hz", "K", "Celsius", "Fahrenheit", "Percent", "RPM")
SPELLED = {unit.casefold(): unit for unit in (*UNITS, *PLAIN)}
# No meter counts in more than thousands: who says thousand twice means it once, or a factor for a power of ten.
LARGEST_FACTOR, LEAST_MULTIPLIER, LARGEST_MULTIPLIER = 1000, -30, 3
LARGEST = float_info.max
# The unit if none is given: Wh for energy (1.6 §7.43, 2.0.1 UnitOfMeasureType), the base unit for the rest.
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

SampledValue = dict[str, Any]


def default_unit(measurand: str) -> str:
    """The unit of a value without one."""
    return DEFAULTS.get(measurand, DEFAULTS.get(measurand.partition(".")[0], ""))


def reading(sample: SampledValue, number: float | None, unit: str | None, factor: float = 1) -> Reading:
    """One value in its base unit. number None: it is no number, and the caller keeps the text."""
    get = sample.get
    template, unit_factor = _template(get("measurand"), unit, get("context"), get("location"), get("phase"))
    made = template.copy()
    if number is not None:
        factor *= unit_factor
        made["value"] = number if factor == 1 else _times(number, factor)
    return made


def _times(number: float, factor: float) -> float:
    """Rounded, for 4.35 kWh times 1000 must not become 4350.000000000001 Wh; and a number, which JSON can say."""
    product = round(number * factor, 6)
    return product if isfinite(product) else copysign(LARGEST, number)


@lru_cache(maxsize=4096)
def _template(
    measurand: str | None, unit: str | None, context: str | None, location: str | None, phase: str | None
) -> tuple[Reading, float]:
    """A reading without its value, and the factor of its unit. Cached, for stations repeat themselves."""
    measurand = measurand or REGISTER
    stored_unit, factor = _stored_unit(unit) if unit else (default_unit(measurand), 1)
    template: Reading = {"measurand": measurand, "unit": stored_unit}
    if context and context != CONTEXT:
        template["context"] = context
    if location and location != LOCATION:
        template["location"] = location
    if phase:
        template["phase"] = phase
    return template, factor


def _stored_unit(unit: str) -> tuple[str, float]:
    """The unit that is stored for one, and the factor to it; one that OCPP does not have is kept as it is."""
    known = SPELLED.get(unit.strip().casefold(), unit)
    return UNITS.get(known, (known, 1))


def power_of_ten(multiplier: float, unit: str | None) -> float | None:
    """The factor that a multiplier of 2.x is; None where no meter means it."""
    if not LEAST_MULTIPLIER <= multiplier <= LARGEST_MULTIPLIER:
        return None
    factor, unit_factor = 10.0 ** int(multiplier), _stored_unit(unit)[1] if unit else 1
    return factor if factor * unit_factor <= LARGEST_FACTOR else None


def decimal(text: str) -> float | None:
    """A decimal number; None for everything else, also for what Python accepts and no meter means."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and "_" not in text else None


def meter_values(
    items: list[dict[str, Any]] | None,
    read: Callable[[SampledValue], Reading],
    default_time: datetime,
    billed: bool = True,
) -> tuple[MeterValue, ...]:
    """Meter values as they are stored.

    default_time: for values whose own time cannot be read. billed: whether they tell the energy of the transaction.
    """
    return tuple([_meter_value(item, read, default_time, billed) for item in items or ()])


def _meter_value(
    item: dict[str, Any], read: Callable[[SampledValue], Reading], default_time: datetime, billed: bool
) -> MeterValue:
    readings = [read(sample) for sample in item["sampledValue"]]
    energies = energy_readings(readings) if billed else ()
    said = item.get("timestamp") or ""
    taken_at = timestamp(said)
    return MeterValue(taken_at or default_time, readings, energies, said if taken_at is None else None)
