"""The official WSDLs, as lxml validates by their schemas and as zeep reads them: two programs that are not ours."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import zeep
from lxml import etree
from zeep.helpers import serialize_object

from services.ocpp.soap.spellings import SPELLINGS

CENTRAL_SYSTEM, CHARGE_POINT = "CentralSystem", "ChargePoint"
FILES = {
    ("1.5", CENTRAL_SYSTEM): "ocpp15/ocpp_centralsystemservice_1.5_final.wsdl",
    ("1.5", CHARGE_POINT): "ocpp15/ocpp_chargepointservice_1.5_final.wsdl",
    ("1.6", CENTRAL_SYSTEM): "ocpp16/schemas/soap/OCPP_CentralSystemService_1.6.wsdl",
    ("1.6", CHARGE_POINT): "ocpp16/schemas/soap/OCPP_ChargePointService_1.6.wsdl",
}
# Written out, so that an operation that nobody has thought of is missed by no test.
OPERATIONS = {
    ("1.5", CENTRAL_SYSTEM): 10,
    ("1.5", CHARGE_POINT): 15,
    ("1.6", CENTRAL_SYSTEM): 10,
    ("1.6", CHARGE_POINT): 19,
}
XS = {"xs": "http://www.w3.org/2001/XMLSchema"}


@dataclass(frozen=True)
class Wsdl:
    """One service of one version. namespace: of its messages."""

    version: str
    service: str
    namespace: str
    client: Any
    source: Any
    schema: Any

    @property
    def actions(self) -> list[str]:
        binding = next(iter(self.client.wsdl.bindings.values()))
        return sorted(binding.all())

    def words(self, message: str) -> dict[str, list[str]]:
        """The words that each enumeration of a message may have, by the name of the element."""
        (kind,) = self.source.xpath("xs:complexType[@name=$name]", name=message, namespaces=XS)
        found: dict[str, list[str]] = {}
        for element in kind.iterfind("xs:sequence/xs:element", XS):
            name = element.get("type", "").rpartition(":")[2]
            path = "xs:simpleType[@name=$name]//xs:enumeration/@value"
            if listed := self.source.xpath(path, name=name, namespaces=XS):
                found[element.get("name")] = [str(word) for word in listed]
        return found

    def parsed(self, name: str, written: str) -> Any:
        """What zeep reads in an element that we have written. Raises where it is not valid."""
        element = etree.fromstring(f'<x xmlns:o="{self.namespace}">{written}</x>')[0]
        self.schema.assertValid(etree.ElementTree(element).getroot())
        found = self.client.get_element(f"{{{self.namespace}}}{name}").parse(element, self.client.wsdl.types)
        return serialize_object(found, dict)

    def rendered(self, name: str, values: dict[str, Any]) -> bytes:
        """The element as zeep writes it."""
        element = self.client.get_element(f"{{{self.namespace}}}{name}")
        parent = etree.Element("x")
        element.render(parent, element(**values))
        return bytes(etree.tostring(parent[0]))


@cache
def load(folder: Path, version: str, service: str) -> Wsdl:
    """folder: with the specifications."""
    file = folder / "spec" / FILES[version, service]
    spelling = SPELLINGS[version]
    namespace = spelling.central_system if service == CENTRAL_SYSTEM else spelling.charge_point
    (source,) = etree.parse(file).iterfind(".//xs:schema", XS)
    # Written anew, so that it stands alone: with the prefixes that the document around it declares.
    whole = etree.fromstring(etree.tostring(source))
    return Wsdl(version, service, namespace, zeep.Client(str(file)), source, etree.XMLSchema(whole))
