"""Commands to stations, as each version says them: the schema, an example, how a payload breaks it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.ocpp import examples
from services.ocpp.schemas import Fault
from services.ocpp.versions import VERSIONS, Version


@dataclass(frozen=True)
class Form:
    """How one version says an action."""

    version: Version
    action: str

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of the payload, its references within itself (#/definitions/…)."""
        return self.version.schemas.request_document(self.action)

    @cached_property
    def example(self) -> Any:
        """The least that is valid."""
        return examples.minimal(self.schema) | dict(self.version.examples.get(self.action, {}))

    def fault(self, payload: object) -> Fault | None:
        """Why a payload may not be sent: it breaks the schema, or a guard of its version. None where it may."""
        return self.version.request_fault(self.action, payload)


def forms(service: str) -> Mapping[str, Mapping[str, Form]]:
    """Every action that a service owns, with its form in each version that has it."""
    found: dict[str, dict[str, Form]] = {}
    for version in VERSIONS.values():
        for action, owner in version.to_station.items():
            if owner == service:
                found.setdefault(action, {})[version.name] = Form(version, action)
    return dict(sorted(found.items()))


def owners() -> Mapping[str, str]:
    """The service that owns an action, whatever the version."""
    return {action: owner for version in VERSIONS.values() for action, owner in version.to_station.items()}
