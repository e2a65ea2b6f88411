"""How settings of OCPP 2.x are called in one text: Component(instance)@evse.connector.Variable(instance)#Attribute.

    OCPPCommCtrlr.HeartbeatInterval           a variable of the station
    DeviceDataCtrlr.ItemsPerMessage(GetReport)  an instance of it
    Connector@1.2.AvailabilityState           of connector 2 of EVSE 1
    OCPPCommCtrlr.HeartbeatInterval#MaxSet    an attribute other than Actual

In names and instances the characters % ( ) . @ # are written as % and their two hexadecimal digits.
"""

import re
from dataclasses import dataclass
from typing import Any

LARGEST = 2**31 - 1
ATTRIBUTES = ("Actual", "Target", "MinSet", "MaxSet")
RESERVED = re.compile(r"[%().@#]")
ESCAPED = re.compile(r"%([0-9A-F]{2})")
PART = r"(?:[^%().@#]|%2[3589E]|%40)"
NAME = re.compile(
    rf"(?P<component>{PART}*)(?:\((?P<component_instance>{PART}+)\))?"
    r"(?:@(?P<evse>[0-9]{1,10})(?:\.(?P<connector>[0-9]{1,10}))?)?"
    rf"\.(?P<variable>{PART}*)(?:\((?P<variable_instance>{PART}+)\))?"
    rf"(?:#(?P<attribute>{'|'.join(ATTRIBUTES)}))?"
)


class BadName(ValueError):
    """A text that names no setting; the error says why."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An attribute of a variable of a component (2.0.1 part 1 §4)."""

    component: str
    variable: str
    component_instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    variable_instance: str | None = None
    attribute: str = "Actual"

    @classmethod
    def parse(cls, name: str) -> "Variable":
        """Raises BadName."""
        found = NAME.fullmatch(name)
        if found is None:
            raise BadName("must have the form Component(instance)@evse.connector.Variable(instance)#Attribute")
        evse, connector = _number(found["evse"]), _number(found["connector"])
        return cls(
            component=_unescaped(found["component"]),
            variable=_unescaped(found["variable"]),
            component_instance=_unescaped(found["component_instance"]) if found["component_instance"] else None,
            evse=evse,
            connector=connector,
            variable_instance=_unescaped(found["variable_instance"]) if found["variable_instance"] else None,
            attribute=found["attribute"] or "Actual",
        )

    @classmethod
    def of(cls, item: dict[str, Any], attribute: str | None) -> "Variable":
        """From `component` and `variable` of a payload; an empty instance is none (B06.FR.15). Raises BadName."""
        if attribute not in ATTRIBUTES and attribute is not None:
            raise BadName("must have an attribute of OCPP 2.x")
        component, variable = item["component"], item["variable"]
        evse = component.get("evse") or {}
        return cls(
            component=component["name"],
            variable=variable["name"],
            component_instance=component.get("instance") or None,
            evse=_in_range(evse.get("id")),
            connector=_in_range(evse.get("connectorId")),
            variable_instance=variable.get("instance") or None,
            attribute=attribute or "Actual",
        )

    def payload(self) -> dict[str, Any]:
        """`component`, `variable` and, where it is not Actual, `attributeType` of a payload."""
        component: dict[str, Any] = {"name": self.component}
        variable: dict[str, Any] = {"name": self.variable}
        if self.component_instance:
            component["instance"] = self.component_instance
        if self.evse is not None:
            component["evse"] = {"id": self.evse}
            if self.connector is not None:
                component["evse"]["connectorId"] = self.connector
        if self.variable_instance:
            variable["instance"] = self.variable_instance
        attribute = {} if self.attribute == "Actual" else {"attributeType": self.attribute}
        return {"component": component, "variable": variable} | attribute

    def __str__(self) -> str:
        component = _escaped(self.component) + _instance(self.component_instance)
        place = "" if self.evse is None else f"@{self.evse}"
        if self.evse is not None and self.connector is not None:
            place += f".{self.connector}"
        attribute = "" if self.attribute == "Actual" else f"#{self.attribute}"
        return f"{component}{place}.{_escaped(self.variable)}{_instance(self.variable_instance)}{attribute}"


def _instance(name: str | None) -> str:
    return f"({_escaped(name)})" if name else ""


def _escaped(text: str) -> str:
    return RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _number(digits: str | None) -> int | None:
    return _in_range(int(digits)) if digits else None


def _in_range(number: float | None) -> int | None:
    """JSON knows one kind of number: 1.0 is valid for a whole one."""
    if number is not None and not 0 <= number <= LARGEST:
        raise BadName("must have possible numbers of EVSE and connector")
    return None if number is None else int(number)
