"""What a service can ask of stations: OCPP actions as they are, and commands of no version, which dialects render."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from services.common.commands.command import Command, Unrenderable
from services.ocpp.commands import Form, forms, owners
from services.ocpp.errors import OcppError
from services.ocpp.versions import VERSIONS

# A command in the station's version: its action and payload, valid against the schema. Raises Unrenderable.
Render = Callable[[Command, str], tuple[str, Mapping[str, Any]]]
NOT_SUPPORTED = "NotSupported"


def checked(version: str, action: str, payload: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What a dialect wrote, valid against its schema. Raises Unrenderable."""
    try:
        VERSIONS[version].schemas.check_request(action, payload)
    except OcppError as error:
        raise Unrenderable(error.code, error.description) from None
    return action, payload


@dataclass(frozen=True, slots=True)
class Catalogue:
    """forms: of OCPP actions, by action and version. renders: of commands of no version. owners: of every action."""

    forms: Mapping[str, Mapping[str, Form]]
    renders: Mapping[str, Render] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, service: str, renders: Mapping[str, Render]) -> Self:
        """Of a service by its name."""
        return cls(forms(service), renders, owners())

    def render(self, command: Command, version: str) -> tuple[str, Mapping[str, Any]]:
        """The CALL that says it in a version. Raises Unrenderable."""
        if render := self.renders.get(command.action):
            return render(command, version)
        form = self.forms.get(command.action, {}).get(version)
        if form is None:
            raise Unrenderable(NOT_SUPPORTED, f"OCPP {version} has no {command.action}")
        if fault := form.fault(command.payload):
            raise Unrenderable(fault.code, fault.description, fault.field)
        return command.action, command.payload

    def check(self, action: str, payload: object) -> None:
        """Raises Unrenderable where no version at all could say it."""
        faults = {version: form.fault(payload) for version, form in self.forms.get(action, {}).items()}
        broken = {version: fault for version, fault in faults.items() if fault}
        if faults and len(broken) == len(faults):
            first = next(iter(broken.values()))
            said = "; ".join(f"OCPP {version}: {fault.description}" for version, fault in broken.items())
            raise Unrenderable(first.code, said, first.field)
