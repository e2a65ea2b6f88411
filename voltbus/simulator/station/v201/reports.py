"""Variables and monitors of a 2.0.1 station: read, set, reported (B05–B08, N02–N06)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import Answer, Call, Payload, send, stamp
from voltbus.simulator.station.v201 import model
from voltbus.simulator.station.v201.model import Name
from voltbus.simulator.station.variables import INTEGER, READ_ONLY, WRITE_ONLY

Request = Mapping[str, Any]
ITEMS = 20


def get_variables(charger: Charger, payload: Request) -> Answer:
    return Answer({"getVariableResult": [_got(charger, item) for item in payload["getVariableData"]]})


def set_variables(charger: Charger, payload: Request) -> Answer:
    return Answer({"setVariableResult": [_set(charger, item) for item in payload["setVariableData"]]})


def base_report(charger: Charger, payload: Request) -> Answer:
    """B07; a configuration inventory is what can be set, a summary how everything is."""
    chosen = {
        "FullInventory": lambda _: True,
        "ConfigurationInventory": lambda name: charger.variables.known[name].access != READ_ONLY,
        "SummaryInventory": lambda name: name.variable in ("AvailabilityState", "Problem"),
    }[payload["reportBase"]]
    return _report(charger, payload["requestId"], chosen)


def report(charger: Charger, payload: Request) -> Answer:
    """B08; only EVSEs can have a problem, everything else is available, enabled and active."""
    wanted = [model.read(item) for item in payload.get("componentVariable", [])]
    troubled = payload.get("componentCriteria") == ["Problem"]

    def chosen(name: Name) -> bool:
        outlet = charger.outlet(name.evse or 0)
        if troubled and not (outlet and outlet.fault):
            return False
        return not wanted or any(_covers(one, name) for one in wanted)

    return _report(charger, payload["requestId"], chosen)


def set_monitors(charger: Charger, payload: Request) -> Answer:
    return Answer({"setMonitoringResult": [_monitor(charger, item) for item in payload["setMonitoringData"]]})


def clear_monitors(charger: Charger, payload: Request) -> Answer:
    """N06."""
    results = []
    for number in payload["id"]:
        known = charger.monitors.pop(number, None)
        results.append({"id": number, "status": "NotFound" if known is None else "Accepted"})
    return Answer({"clearMonitoringResult": results})


def monitoring_base(charger: Charger, payload: Request) -> Answer:
    """N03.FR.04, N03.FR.05: there are no preconfigured monitors, so but for All nothing is left."""
    if payload["monitoringBase"] != "All":
        charger.monitors.clear()
    charger.variables.set(model.MONITORING_BASE, payload["monitoringBase"])
    return Answer({"status": "Accepted"})


def monitoring_level(charger: Charger, payload: Request) -> Answer:
    """N05."""
    return Answer({"status": charger.variables.set(model.MONITORING_LEVEL, str(payload["severity"]))})


def monitoring_report(charger: Charger, payload: Request) -> Answer:
    """N02."""
    wanted = [model.read(item) for item in payload.get("componentVariable", [])]
    kinds = {kind for one in payload.get("monitoringCriteria", _CRITERIA) for kind in _CRITERIA[one]}
    found = [
        {key: item[key] for key in ("component", "variable")} | {"variableMonitoring": [_told(number, item)]}
        for number, item in charger.monitors.items()
        if item["type"] in kinds and (not wanted or any(_covers(one, model.read(item)) for one in wanted))
    ]
    return _parts(charger, "NotifyMonitoringReport", "monitor", payload["requestId"], found)


_CRITERIA = {
    "ThresholdMonitoring": ("UpperThreshold", "LowerThreshold"),
    "DeltaMonitoring": ("Delta",),
    "PeriodicMonitoring": ("Periodic", "PeriodicClockAligned"),
}


def _got(charger: Charger, item: Payload) -> Payload:
    result = _named(item)
    if item.get("attributeType", "Actual") != "Actual":
        return {"attributeStatus": "NotSupportedAttributeType", **result}
    name, unknown = model.find(charger, model.read(item))
    if name is None:
        return {"attributeStatus": unknown, **result}
    if charger.variables.known[name].access == WRITE_ONLY:
        return {"attributeStatus": "Rejected", **result}  # B06.FR.09
    return {"attributeStatus": "Accepted", "attributeValue": charger.variables.get(name), **result}


def _set(charger: Charger, item: Payload) -> Payload:
    result = _named(item)
    if item.get("attributeType", "Actual") != "Actual":
        return {"attributeStatus": "NotSupportedAttributeType", **result}
    name, unknown = model.find(charger, model.read(item))
    if name is None:
        return {"attributeStatus": unknown, **result}
    status = charger.variables.set(name, item["attributeValue"])
    if name == model.PASSWORD and status == "Accepted":
        charger.password = item["attributeValue"]  # A01.FR.02
    return {"attributeStatus": status, **result}


def _named(item: Payload) -> Payload:
    kept = ("attributeType", "component", "variable")
    return {key: item[key] for key in kept if key in item}


def _monitor(charger: Charger, item: Payload) -> Payload:
    """N04: its id is given back where it is kept; one with an id takes the place of that."""
    status, number = _monitored(charger, item)
    kept = ("type", "severity", "component", "variable")
    result = {key: item[key] for key in kept} | {"status": status}
    if status == "Accepted":
        charger.monitors[number] = item
        result["id"] = number
    return result


def _monitored(charger: Charger, item: Payload) -> tuple[str, int]:
    """N04.FR.10: one of a type and a severity is enough for a variable."""
    name, unknown = model.find(charger, model.read(item))
    number = item.get("id", max(charger.monitors, default=0) + 1)
    if name is None:
        return unknown, number
    if item["type"] in ("UpperThreshold", "LowerThreshold") and charger.variables.known[name].kind != INTEGER:
        return "UnsupportedMonitorType", number
    if "id" in item and number not in charger.monitors:
        return "Rejected", number
    alike = [
        known
        for known, other in charger.monitors.items()
        if known != number and all(other[key] == item[key] for key in ("component", "variable", "type", "severity"))
    ]
    return ("Duplicate" if alike else "Accepted"), number


def _told(number: int, item: Payload) -> Payload:
    kept = {key: item[key] for key in ("value", "type", "severity")}
    return {"id": number, "transaction": item.get("transaction", False), **kept}


def _covers(wanted: Name, name: Name) -> bool:
    """Whether a request for a component, an EVSE or a variable of it means this one."""
    return (
        wanted.component.lower() == name.component.lower()
        and wanted.evse in (None, name.evse)
        and wanted.connector in (None, name.connector)
        and (not wanted.variable or wanted.variable.lower() == name.variable.lower())
        and wanted.instance in (None, name.instance)
    )


def _report(charger: Charger, request: int, chosen: Callable[[Name], bool]) -> Answer:
    names = [name for name in charger.variables.known if isinstance(name, Name) and chosen(name)]
    return _parts(charger, "NotifyReport", "reportData", request, [_reported(charger, name) for name in names])


def _reported(charger: Charger, name: Name) -> Payload:
    variable = charger.variables.known[name]
    value = {} if variable.access == WRITE_ONLY else {"value": charger.variables.get(name)}
    characteristics: Payload = {"dataType": variable.kind, "supportsMonitoring": variable.kind == INTEGER}
    characteristics |= {"unit": variable.unit} if variable.unit else {}
    characteristics |= {"valuesList": ",".join(variable.options)} if variable.options else {}
    characteristics |= {"minLimit": variable.least} if variable.least is not None else {}
    characteristics |= {"maxLimit": variable.most} if variable.most is not None else {}
    attribute = {"type": "Actual", "mutability": variable.access, "persistent": True, **value}
    return {**name.written(), "variableAttribute": [attribute], "variableCharacteristics": characteristics}


def _parts(charger: Charger, action: str, field: str, request: int, items: Sequence[Payload]) -> Answer:
    """Accepted, and the items in messages of a few; EmptyResultSet where there are none (B08.FR.15, N02.FR.10)."""
    if not items:
        return Answer({"status": "EmptyResultSet"})
    return Answer({"status": "Accepted"}, send(*_messages(charger, action, field, request, items)))


def _messages(charger: Charger, action: str, field: str, request: int, items: Sequence[Payload]) -> Iterator[Call]:
    at = stamp(charger.clock())
    for number, first in enumerate(range(0, len(items), ITEMS)):
        head = {"requestId": request, "generatedAt": at, "seqNo": number}
        yield action, {**head, "tbc": first + ITEMS < len(items), field: list(items[first : first + ITEMS])}
