"""The versions that are spoken over SOAP: their namespaces, and their operations."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.ocpp.soap import v15, v16
from services.ocpp.soap.shapes import Operation, Payload, read_record, write_record
from services.ocpp.soap.xml import Element, element


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one version is written in XML.

    version: as the specifications spell it ("1.5"). central_system, charge_point: the namespace of what is said to
    either, and of its answers. operations: by action.
    """

    version: str
    central_system: str
    charge_point: str
    operations: Mapping[str, Operation]

    def read_request(self, action: str, written: Element, foreign: Counter[str] | None = None) -> dict[str, Any]:
        """The payload as in JSON; of an action that the version does not have, nothing. foreign: see read_record."""
        operation = self.operations.get(action)
        return {} if operation is None else read_record(operation.request, written, foreign)

    def read_response(self, action: str, written: Element) -> dict[str, Any]:
        """Raises KeyError for an action that the version does not have."""
        return read_record(self.operations[action].response, written)

    def write_request(self, action: str, payload: Payload) -> str:
        """The element of the body, its prefix `o`. Raises KeyError for an action that the version does not have."""
        return _element(action, "Request", write_record(self.operations[action].request, payload, "o:"))

    def write_response(self, action: str, payload: Payload) -> str:
        """The same of an answer."""
        return _element(action, "Response", write_record(self.operations[action].response, payload, "o:"))


def _element(action: str, suffix: str, content: str) -> str:
    return element(f"o:{action[:1].lower()}{action[1:]}{suffix}", content)


SPELLINGS: Mapping[str, Spelling] = {
    "1.5": Spelling("1.5", v15.CENTRAL_SYSTEM, v15.CHARGE_POINT, v15.OPERATIONS),
    "1.6": Spelling("1.6", v16.CENTRAL_SYSTEM, v16.CHARGE_POINT, v16.OPERATIONS),
}
"""By the name of the version."""


def _compared(namespace: str) -> str:
    """OCPP-S 1.6 §8 writes them without the slash at the end, its WSDLs with it."""
    return namespace.strip().rstrip("/").casefold()


_BY_NAMESPACE = {
    _compared(namespace): spelling
    for spelling in SPELLINGS.values()
    for namespace in (spelling.central_system, spelling.charge_point)
}


def spelling_of(namespace: str) -> Spelling | None:
    """The version whose namespace it is."""
    return _BY_NAMESPACE.get(_compared(namespace))
