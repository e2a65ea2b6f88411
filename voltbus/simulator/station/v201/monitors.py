"""What the monitors of a 2.0.1 station see: a look at every variable that has one (N07, N08)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import Payload, stamp
from voltbus.simulator.station.v201 import model


@dataclass(slots=True)
class LastReport:
    """What was told last of one monitor; the item that set it, for one of the same id may take its place."""

    item: Payload
    value: str
    at: datetime
    raised: bool = False


@dataclass(slots=True)
class MonitorWatch:
    """The monitors that were set, and what was told of each."""

    _seen: dict[int, LastReport] = field(default_factory=dict)

    def look(self, charger: Charger) -> Iterator[Payload]:
        """Event data of what is to be told now, without ids; severities above the level are not (N07.FR.15)."""
        level = charger.variables.number(model.MONITORING_LEVEL)
        self._seen = {number: seen for number, seen in self._seen.items() if number in charger.monitors}
        for number, item in charger.monitors.items():
            name, _ = model.find(charger, model.read(item))
            if name is None or item["severity"] > level:
                continue
            value, now = charger.variables.get(name), charger.clock()
            seen = self._seen.get(number)
            if seen is None or seen.item is not item:
                seen = self._seen[number] = LastReport(item, value, now)
            if (told := _trigger(item, seen, value, now)) is not None:
                seen.value, seen.at = value, now
                yield _event(number, item, value, now) | told


def _trigger(item: Payload, seen: LastReport, value: str, now: datetime) -> Payload | None:
    """How an event is told; None where there is none."""
    match item["type"]:
        case "Periodic" | "PeriodicClockAligned":
            due = now - seen.at >= timedelta(seconds=item["value"])
            return {"trigger": "Periodic"} if due else None
        case "Delta":
            return {"trigger": "Delta"} if _differs(seen.value, value, item["value"]) else None
        case "UpperThreshold":
            beyond = float(value) > item["value"]
        case _:
            beyond = float(value) < item["value"]
    if beyond == seen.raised:
        return None
    seen.raised = beyond
    return {"trigger": "Alerting", "cleared": not beyond}


def _differs(before: str, after: str, least: float) -> bool:
    """Numbers by more than so much, other values at all (N07.FR.18, N07.FR.19)."""
    try:
        return abs(float(after) - float(before)) > least
    except ValueError:
        return before != after


def _event(number: int, item: Payload, value: str, now: datetime) -> Payload:
    return {
        "timestamp": stamp(now),
        "actualValue": value,
        "eventNotificationType": "CustomMonitor",
        "variableMonitoringId": number,
        "component": item["component"],
        "variable": item["variable"],
    }
