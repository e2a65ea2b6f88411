"""Whether a report shows that energy flows: what its readings say, or where they say nothing its charging state."""

from collections.abc import Iterator, Mapping

from services.transactions.domain.energy_readings import INTERVALS
from services.transactions.domain.messages import MeterValue, Report
from services.transactions.domain.transaction import Transaction

# Below this a meter shows what electronics take, and no vehicle charges (IEC 61851 has 6 A).
LEAST = {"Current.Import": 1.0, "Power.Active.Import": 100.0}
# Where the station's cable begins and ends; readings have no location where it is the outlet.
OUTSIDE = frozenset({None, "Cable"})


def flows(one: Transaction, report: Report) -> bool | None:
    """None: the report says nothing of it. A register that has risen since the last reading shows it as well."""
    registers = {name: register.last.wh for name, register in one.meters.items()}
    shown = [each for value in report.meter_values for each in flow_of(value, registers)]
    if shown:
        return any(shown)
    return None if report.charging_state is None else report.charging_state == "Charging"


def flow_of(value: MeterValue, registers: Mapping[str, float]) -> Iterator[bool]:
    """Whether energy flows, by each reading that tells. registers: what meters have shown before."""
    for reading in value.readings:
        least, number = LEAST.get(reading["measurand"]), reading.get("value")
        if least is not None and number is not None and reading.get("location") in OUTSIDE:
            yield number >= least
    for name, _, wh in value.energies:
        if INTERVALS in name:
            yield wh > 0
        elif name in registers:
            yield wh > registers[name]
