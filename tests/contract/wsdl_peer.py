"""Both ends of SOAP as the official WSDLs alone describe them: a client made by zeep, and a station that lxml checks.

Nothing here knows our codec: elements, their order, headers and actions are those of the bindings.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import zeep
from lxml import etree
from zeep import Plugin, xsd
from zeep.transports import Transport

from tests.contract.wsdl import XS, Wsdl
from tests.patience import GIVE_UP

SOAP, WSA = "http://www.w3.org/2003/05/soap-envelope", "http://www.w3.org/2005/08/addressing"
NAMES = {"s": SOAP, "a": WSA, "wsdl": "http://schemas.xmlsoap.org/wsdl/", **XS}
ACTION = "{http://www.w3.org/2006/05/addressing/wsdl}Action"


def action_header(service: Wsdl, operation: str, way: str) -> str:
    """wsaw:Action of an operation. way: input or output."""
    path = f"//wsdl:portType/wsdl:operation[@name=$name]/wsdl:{way}"
    (found,) = service.source.getroottree().getroot().xpath(path, name=operation, namespaces=NAMES)
    return str(found.get(ACTION))


def example(kind: Any, service: Wsdl) -> Any:
    """A value of a type of the WSDL, with everything that it may have."""
    if isinstance(kind, xsd.ComplexType):
        made = {name: _many(one, service) for name, one in kind.elements}
        made |= {name: example(one.type, service) for name, one in kind.attributes}
        if (content := made.pop("_value_1", None)) is not None:
            made["_value_1"] = content
        return made
    if words := _words(kind, service):
        return words[0]
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    values = {xsd.Integer: 7, xsd.Decimal: Decimal("16.5"), xsd.DateTime: at, xsd.Boolean: True}
    return next((value for one, value in values.items() if isinstance(kind, one)), "12")


def _many(element: Any, service: Wsdl) -> Any:
    value = example(element.type, service)
    return [value, value] if element.max_occurs != 1 else value


def _words(kind: Any, service: Wsdl) -> list[str]:
    name = kind.qname.localname if kind.qname is not None else ""
    path = "xs:simpleType[@name=$name]//xs:enumeration/@value"
    return [str(word) for word in service.source.xpath(path, name=name, namespaces=XS)]


class Addressing(Plugin):  # type: ignore[misc]
    """What OCPP-S 1.6 §3 wants of headers, beside chargeBoxIdentity; and what it wants of those of an answer."""

    def __init__(self, service: Wsdl, address: str) -> None:
        self._service, self._address = service, address
        self._asked = ""

    def egress(self, document: Any, headers: Any, operation: Any, options: Any) -> Any:  # noqa: ARG002
        header = document.find(f"{{{SOAP}}}Header")
        # zeep has written Action, MessageID and To, for the WSDL says that addressing is used.
        self._asked = header.findtext(f"{{{WSA}}}MessageID")
        for name, text in {"From": self._address, "ReplyTo": f"{WSA}/anonymous"}.items():
            etree.SubElement(etree.SubElement(header, f"{{{WSA}}}{name}"), f"{{{WSA}}}Address").text = text
        return document, headers

    def ingress(self, document: Any, headers: Any, operation: Any) -> Any:
        (body,) = document.find(f"{{{SOAP}}}Body")
        if etree.QName(body).localname == "Fault":
            return document, headers
        self._service.schema.assertValid(etree.fromstring(etree.tostring(body)))
        header = document.find(f"{{{SOAP}}}Header")
        assert header.findtext(f"{{{WSA}}}RelatesTo") == self._asked
        assert header.findtext(f"{{{WSA}}}Action") == action_header(self._service, operation.name, "output")
        return document, headers


class Client:
    """A station that asks, by zeep. address: where it says that it listens. tls: files of the CA that it trusts, of
    its own certificate and of the key.
    """

    def __init__(
        self,
        service: Wsdl,
        url: str,
        identity: str,
        address: str = "http://10.0.0.1/ocpp",
        tls: tuple[str, str, str] | None = None,
    ) -> None:
        transport = Transport(operation_timeout=GIVE_UP)
        if tls:
            # What the environment says of authorities would go before it.
            transport.session.trust_env = False
            transport.session.verify, transport.session.cert = tls[0], tls[1:]
        client = zeep.Client(service.client.wsdl.location, plugins=[Addressing(service, address)], transport=transport)
        (binding,) = client.wsdl.bindings
        self._service, self._identity = service, identity
        self._port = client.create_service(binding, url)

    def ask(self, operation: str) -> Any:
        """The answer to the fullest request. Raises where it is not as the WSDL has it; zeep.exceptions.Fault."""
        name = f"{operation[:1].lower()}{operation[1:]}Request"
        kind = self._service.client.get_element(f"{{{self._service.namespace}}}{name}").type
        return self._port[operation](**example(kind, self._service), _soapheaders={"ChargeBoxIdentity": self._identity})


@dataclass
class Station:
    """Where a station listens. heard: the operations that it was asked for; wrong: what was not as the WSDL has it."""

    service: Wsdl
    identity: str
    address: str = ""
    heard: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def answer(self, head: bytes, document: bytes) -> bytes:
        """The fullest answer. What is wrong with the request is told by `wrong`."""
        envelope = etree.fromstring(document)
        (body,) = envelope.find(f"{{{SOAP}}}Body")
        name = etree.QName(body)
        operation = next(one for one in self.service.actions if f"{one.lower()}request" == name.localname.lower())
        self.heard.append(operation)
        self._check(operation, head, envelope, body)
        namespace = self.service.namespace
        said = self.service.client.get_element(f"{{{namespace}}}{name.localname.removesuffix('Request')}Response")
        answer = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
        header = etree.SubElement(answer, f"{{{SOAP}}}Header")
        texts = {
            "Action": action_header(self.service, operation, "output"),
            "MessageID": f"urn:x:{next(self._numbers)}",
            "RelatesTo": envelope.findtext(f"{{{SOAP}}}Header/{{{WSA}}}MessageID"),
        }
        for name_, text in texts.items():
            etree.SubElement(header, f"{{{WSA}}}{name_}").text = text
        into = etree.SubElement(answer, f"{{{SOAP}}}Body")
        said.render(into, said(**example(said.type, self.service)))
        return bytes(etree.tostring(answer, xml_declaration=True, encoding="UTF-8"))

    def _check(self, operation: str, head: bytes, envelope: Any, body: Any) -> None:
        if not self.service.schema.validate(etree.fromstring(etree.tostring(body))):
            self.wrong.append(f"{operation}: {self.service.schema.error_log}")
        header, action = envelope.find(f"{{{SOAP}}}Header"), action_header(self.service, operation, "input")
        expected = {
            f"{{{self.service.namespace}}}chargeBoxIdentity": self.identity,
            f"{{{WSA}}}Action": action,
            f"{{{WSA}}}To": self.address,
        }
        found = {name: header.findtext(name) for name in expected}
        if found != expected:
            self.wrong.append(f"{operation}: {found}")
        for name in ("MessageID", "From/{WSA}Address", "ReplyTo/{WSA}Address"):
            if not header.findtext(f"{{{WSA}}}{name.replace('{WSA}', f'{{{WSA}}}')}"):
                self.wrong.append(f"{operation}: no {name}")
        if f'action="{action}"'.encode() not in head or b"application/soap+xml" not in head:
            self.wrong.append(f"{operation}: {head!r}")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = self.answer(head, await reader.readexactly(length))
        kind = b"Content-Type: application/soap+xml; charset=utf-8\r\nConnection: close\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (kind, len(answer), answer))
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(service: Wsdl, identity: str) -> AsyncIterator[Station]:
    """A station that can be called."""
    station = Station(service, identity)
    server = await asyncio.start_server(station.serve, "127.0.0.1", 0)
    station.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
    try:
        yield station
    finally:
        server.close()
