"""What a service can ask of stations: OCPP actions as they are, and commands of no version, which dialects render."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from services.common.commands.command import Command, Route, Unrenderable
from services.ocpp.commands import Form, forms, owners
from services.ocpp.schemas import Fault
from services.ocpp.soap.spellings import SPELLINGS
from services.ocpp.versions import VERSIONS

# A command in the station's version: its action and payload, valid against the schema. Raises Unrenderable.
Render = Callable[[Command, str], tuple[str, Mapping[str, Any]]]
NOT_SUPPORTED = "NotSupported"


def checked(version: str, action: str, payload: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What a dialect wrote, if it may be sent in this version. Raises Unrenderable."""
    if fault := VERSIONS[version].request_fault(action, payload):
        raise Unrenderable(fault.code, f"{fault.description} {_source(action, [version])}")
    return action, payload


def renders(
    commands: Mapping[str, Callable[[Command], Any]],
    requests: Mapping[str, Mapping[type, Callable[[Any], tuple[str, Mapping[str, Any]]]]],
) -> Mapping[str, Render]:
    """Of commands of no version. commands: by action, what one means. requests: by version and the class of that."""

    def render(command: Command, version: str) -> tuple[str, Mapping[str, Any]]:
        meant = commands[command.action](command)
        request = requests.get(version, {}).get(type(meant))
        if request is None:
            raise Unrenderable(NOT_SUPPORTED, f"OCPP {version} has nothing for {command.action}")
        return checked(version, *request(meant))

    return dict.fromkeys(commands, render)


def _source(action: str, versions: Sequence[str]) -> str:
    """Where it is written what is asked for."""
    *others, last = versions
    return f"({action} of OCPP {', '.join(others)} and {last})" if others else f"({action} of OCPP {last})"


def _unrenderable(action: str, faults: Mapping[str, Fault]) -> Unrenderable:
    """faults: by version, at least one."""
    versions: dict[tuple[str, str], list[str]] = {}
    for version, fault in faults.items():
        versions.setdefault((fault.field, fault.message), []).append(version)
    fields: dict[str, str] = {}
    for (field_, message), named in versions.items():
        said = f"{message} {_source(action, named)}"
        fields[field_] = f"{fields[field_]}; {said}" if field_ in fields else said
    description = "; ".join(f"{field_ or 'payload'}: {said}" for field_, said in fields.items())
    return Unrenderable(next(iter(faults.values())).code, description, fields)


def _fit(form: Form, payload: object) -> int:
    """How much a payload looks like one of this form, from the names that it has."""
    names = payload.keys() if isinstance(payload, Mapping) else set[str]()
    known = names & form.schema["properties"].keys()
    return 2 * len(known) - len(names)


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
            raise _unrenderable(command.action, {version: fault})
        return command.action, command.payload

    def render_for(self, command: Command, route: Route) -> tuple[str, Mapping[str, Any]]:
        """The CALL that says it on a connection. Raises Unrenderable."""
        action, payload = self.render(command, route.version)
        if route.silence and action not in SPELLINGS[route.version].operations:
            raise Unrenderable(NOT_SUPPORTED, f"OCPP {route.version} over SOAP has no {action}")
        return action, payload

    def check(self, action: str, payload: object) -> None:
        """Raises Unrenderable where no version at all could say it, of the versions that the payload looks like."""
        forms = self.forms.get(action, {})
        faults = {version: fault for version, form in forms.items() if (fault := form.fault(payload))}
        if forms and len(faults) == len(forms):
            fits = {version: _fit(form, payload) for version, form in forms.items()}
            meant = {version: faults[version] for version, fit in fits.items() if fit == max(fits.values())}
            raise _unrenderable(action, meant)
