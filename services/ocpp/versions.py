"""The OCPP versions that are spoken: one table from a version's name to its facts and its schemas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.ocpp import v15, v16, v21, v201
from services.ocpp.actions import Action
from services.ocpp.errors import ErrorCode
from services.ocpp.guards import Guards
from services.ocpp.readings import Readings
from services.ocpp.schemas import Fault, Schemas

CODES = frozenset(code.value for code in ErrorCode)


@dataclass(frozen=True, slots=True)
class Version:
    """One OCPP version.

    name: as the specifications spell it ("1.6"). subprotocol: of the WebSocket handshake; empty:
    it is not spoken there.
    from_station, to_station: the service that owns an action, of those that a station may call, and of those that it
    may be called with. schemas: of every request and response. readings: what stations mean that break them.
    actions: all of them, by name. guards: what may not be sent to a station although the schemas allow it.
    examples: by action, what one needs beside what its schema requires.
    """

    name: str
    subprotocol: str
    from_station: Mapping[str, str]
    to_station: Mapping[str, str]
    spelling: Mapping[ErrorCode, str]
    schemas: Schemas
    readings: Readings
    actions: Mapping[str, Action]
    guards: Guards
    examples: Mapping[str, Mapping[str, Any]]

    def request_fault(self, action: str, payload: Any) -> Fault | None:
        """Why a payload may not be sent to a station; None where it may."""
        if fault := self.schemas.request_fault(action, payload):
            return fault
        return next((fault for guard in self.guards.get(action, ()) if (fault := guard(payload))), None)

    def spell(self, code: ErrorCode) -> str:
        """The error code as this version writes it on the wire."""
        return self.spelling.get(code, code.value)

    def read_code(self, written: str) -> str:
        """The common name of an error code that a station wrote; unknown ones stay as they are."""
        if written in CODES:
            return written
        return next((code.value for code, spelled in self.spelling.items() if spelled == written), written)


def version(facts: Any) -> Version:
    """The version that a module of facts tells of.

    It has NAME, SUBPROTOCOL, SCHEMAS, REQUEST_SUFFIX, SPELLING, ACTIONS, GUARDS, EXAMPLES; and AMENDMENTS if its
    schemas are those of another version, but for these and for the actions that it has not.
    """
    actions: Mapping[str, Action] = facts.ACTIONS
    amendments = getattr(facts, "AMENDMENTS", None)
    shared = () if amendments is None else (amendments, actions)
    schemas = Schemas(facts.SCHEMAS, facts.REQUEST_SUFFIX, *shared)
    return Version(
        name=facts.NAME,
        subprotocol=facts.SUBPROTOCOL,
        from_station={name: action.owner for name, action in actions.items() if action.from_station},
        to_station={name: action.owner for name, action in actions.items() if action.to_station},
        spelling=facts.SPELLING,
        schemas=schemas,
        readings=Readings(schemas, actions),
        actions=actions,
        guards=facts.GUARDS,
        examples=facts.EXAMPLES,
    )


VERSIONS: Mapping[str, Version] = {facts.NAME: version(facts) for facts in (v15, v16, v201, v21)}
BY_SUBPROTOCOL: Mapping[str, Version] = {
    version.subprotocol: version for version in VERSIONS.values() if version.subprotocol
}
