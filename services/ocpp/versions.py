"""The OCPP versions that are spoken: one table from a version's name to its facts and its schemas."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from services.ocpp import v16, v201
from services.ocpp.errors import ErrorCode
from services.ocpp.schemas import Schemas

CODES = frozenset(code.value for code in ErrorCode)


@dataclass(frozen=True, slots=True)
class Version:
    """One OCPP version.

    name: as the specifications spell it ("1.6"). subprotocol: of the WebSocket handshake.
    from_station: the actions a station may call. schemas: of every request and response.
    """

    name: str
    subprotocol: str
    from_station: frozenset[str]
    spelling: Mapping[ErrorCode, str]
    schemas: Schemas

    def spell(self, code: ErrorCode) -> str:
        """The error code as this version writes it on the wire."""
        return self.spelling.get(code, code.value)

    def read_code(self, written: str) -> str:
        """The common name of an error code that a station wrote; unknown ones stay as they are."""
        if written in CODES:
            return written
        return next((code.value for code, spelled in self.spelling.items() if spelled == written), written)


def _version(facts: ModuleType) -> Version:
    schemas = Schemas(facts.SCHEMAS, facts.REQUEST_SUFFIX)
    return Version(facts.NAME, facts.SUBPROTOCOL, facts.FROM_STATION, facts.SPELLING, schemas)


VERSIONS: Mapping[str, Version] = {facts.NAME: _version(facts) for facts in (v16, v201)}
BY_SUBPROTOCOL: Mapping[str, Version] = {version.subprotocol: version for version in VERSIONS.values()}
