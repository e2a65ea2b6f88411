"""SOAP 1.2 envelopes with WS-Addressing, as OCPP-S 1.6 §3 has them: tolerant in, complete out; and faults."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from services.ocpp.soap.xml import BadXml, Element, NotWellFormed, element, escaped, parse_parts, trimmed

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
# Where nobody listens: of WS-Addressing 1.0 §2.1, and of what came before it.
BEFORE = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
NOWHERE = frozenset({ANONYMOUS, f"{ADDRESSING}/none", BEFORE})
CONTENT_TYPE = "application/soap+xml; charset=utf-8"

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
UNDERSTOOD = frozenset({"chargeboxidentity", "action", "messageid", "relatesto", "from", "replyto", "faultto", "to"})
# Of a header without one it is the last (SOAP 1.2 part 1 §2.2).
OUR_ROLES = frozenset({"", f"{SOAP}/role/next", f"{SOAP}/role/ultimateReceiver"})
# A text of a header that is longer is no id and no address.
LONGEST_HEADER = 2048
LONGEST_REASON = 255
# A name or an address of IPv4, and a port.
_HOST = re.compile(r"[0-9a-z.-]+:[0-9]{1,5}(/|\Z)", re.IGNORECASE)
# Elements and bytes that are read before it is known who has sent them: a Header has ten, in one or two thousand bytes;
# and some send the Body first.
MOST_UNKNOWN, LONGEST_UNKNOWN = 250, 16 * 1024


class FaultCode(StrEnum):
    """Whose fault it is (SOAP 1.2 part 1 §5.4.6)."""

    SENDER = "Sender"
    RECEIVER = "Receiver"
    VERSION_MISMATCH = "VersionMismatch"
    MUST_UNDERSTAND = "MustUnderstand"


class SubCode(StrEnum):
    """What it is (OCPP-S 1.6 §4)."""

    SECURITY_ERROR = "SecurityError"
    IDENTITY_MISMATCH = "IdentityMismatch"
    PROTOCOL_ERROR = "ProtocolError"
    INTERNAL_ERROR = "InternalError"
    NOT_SUPPORTED = "NotSupported"


@dataclass(frozen=True, slots=True)
class Fault:
    """code, sub_code: as they were written; either may be anything where another has written it.

    not_understood: namespace and name of the headers that are not, where that is the fault.
    """

    code: str
    sub_code: str
    reason: str
    not_understood: Sequence[tuple[str, str]] = ()


class NoEnvelope(Exception):
    """What is wrong with a message, as the fault that answers it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a message says about itself; empty where it does not. body: the first element in it; None: there is none.

    address: of From, or else of ReplyTo, where the sender listens; one where nobody does is none.
    """

    identity: str
    message_id: str
    address: str
    relates_to: str
    body: Element | None

    @property
    def fault(self) -> Fault | None:
        """What its body says, if it is a fault."""
        return _fault(self.body) if self.body is not None and self.body.name == "Fault" else None


def protocol_error(reason: str) -> Fault:
    return Fault(FaultCode.SENDER, SubCode.PROTOCOL_ERROR, reason)


Judge = Callable[[Envelope], None]
"""Raises what it has against a message by its Header and the name of what is in its Body."""


def read(document: bytes, charset: str | None = None, judge: Judge | None = None) -> Envelope:
    """charset: see xml.parse_parts; where the document cannot be read so, what it says itself counts: some have one
    charset for all that they send. judge: called before what the Body holds is read, if the Header stands before it;
    and again, where the document is read again.

    Raises NoEnvelope, and what `judge` raises.
    """
    if not (document := trimmed(document)):
        raise NoEnvelope(protocol_error("XML: there is none"))
    if charset is not None:
        with suppress(NotWellFormed):
            return _read(document, charset, judge)
    try:
        return _read(document, None, judge)
    except NotWellFormed as error:
        raise NoEnvelope(protocol_error(f"XML: {error}")) from None


def _read(document: bytes, charset: str | None, judge: Judge | None) -> Envelope:
    """Raises NoEnvelope, NotWellFormed, and what `judge` raises."""
    head = _Head(judge)
    try:
        root = parse_parts(head.parts(document), charset, head.begins)
    except NotWellFormed:
        raise
    except BadXml as error:
        raise NoEnvelope(protocol_error(f"XML: {error}")) from None
    _check(root)
    if root.first("Body") is None:
        raise NoEnvelope(protocol_error("there is no Body"))
    found = _said(root)
    head.judge(found)
    return found


class _Head:
    """Watches a message as far as it is known who has sent it, and what it is."""

    def __init__(self, judge: Judge | None) -> None:
        self._judge, self._count = judge, 0

    def parts(self, document: bytes) -> Iterator[bytes]:
        """What is parsed at a time. Raises NoEnvelope: more is not."""
        yield document[:LONGEST_UNKNOWN]
        if rest := document[LONGEST_UNKNOWN:]:
            self._give_up()
            yield rest

    def begins(self, path: Sequence[Element]) -> bool:
        self._count += 1
        if self._count > MOST_UNKNOWN:
            self._give_up()
        root = path[0]
        if len(path) == 2:
            # Of one that is cut off, libxml2 tells before it finds that.
            _check(root)
        if len(path) != 3 or path[1].name.casefold() != "body" or root.first("Header") is None:
            return False
        self.judge(_said(root))
        return True

    def _give_up(self) -> None:
        """Unless it is judged already."""
        if self._judge is not None:
            raise NoEnvelope(protocol_error("too much before it is known who says it"))

    def judge(self, found: Envelope) -> None:
        """Once."""
        judge, self._judge = self._judge, None
        if judge is not None:
            judge(found)


def _check(root: Element) -> None:
    """Raises NoEnvelope."""
    if root.name != "Envelope" or root.namespace != SOAP:
        if root.namespace == SOAP_11:
            raise NoEnvelope(Fault(FaultCode.VERSION_MISMATCH, "", "SOAP 1.2 is spoken"))
        raise NoEnvelope(protocol_error("not an envelope of SOAP 1.2"))


def _said(root: Element) -> Envelope:
    """What is known of it. Raises NoEnvelope."""
    header, body = root.first("Header") or Element("Header"), root.first("Body") or Element("Body")
    if unknown := [(one.namespace, one.name) for one in header.children if _is_beyond_us(one)]:
        reason = f"not understood of the header: {', '.join(name for _, name in unknown)}"
        raise NoEnvelope(Fault(FaultCode.MUST_UNDERSTAND, "", reason, unknown))
    if len({_text(one).casefold() for one in header.named("chargeBoxIdentity")}) > 1:
        reason = "chargeBoxIdentity is there more than once, and is not the same"
        raise NoEnvelope(Fault(FaultCode.SENDER, SubCode.IDENTITY_MISMATCH, reason))
    return Envelope(
        identity=_text(header.first("chargeBoxIdentity")),
        message_id=_text(header.first("MessageID")),
        address=_address(header.first("From")) or _address(header.first("ReplyTo")),
        relates_to=_text(header.first("RelatesTo")),
        body=next(iter(body.children), None),
    )


def _is_beyond_us(header: Element) -> bool:
    """Whether it is for us, must be understood, and is not (SOAP 1.2 part 1 §2.2 to §2.4)."""
    said = header.attributes
    must = said.get("mustUnderstand") in ("true", "1") and said.get("role", "") in OUR_ROLES
    return must and header.name.casefold() not in UNDERSTOOD


def action_of(body: Element, suffix: str) -> str | None:
    """The action that a body is of: bootNotificationRequest is BootNotification. None where it ends otherwise."""
    name = body.name.removesuffix(suffix)
    return f"{name[:1].upper()}{name[1:]}" if name and name != body.name else None


def request(body: str, namespace: str, *, action: str, identity: str, message_id: str, to: str, address: str) -> bytes:
    """A message that asks. address: of the sender."""
    header = (
        element("o:chargeBoxIdentity", escaped(identity), [("s:mustUnderstand", "true")])
        + element("a:Action", escaped(f"/{action}"), [("s:mustUnderstand", "true")])
        + element("a:MessageID", escaped(message_id))
        + element("a:From", element("a:Address", escaped(address)))
        + element("a:ReplyTo", element("a:Address", ANONYMOUS))
        + element("a:To", escaped(to), [("s:mustUnderstand", "true")])
    )
    return _envelope(header, body, namespace)


def response(body: str, namespace: str, *, action: str, message_id: str, relates_to: str) -> bytes:
    """The answer to it."""
    return _envelope(_answer_header(f"/{action}Response", message_id, relates_to), body, namespace)


def fault(said: Fault, namespace: str, *, message_id: str, relates_to: str = "") -> bytes:
    """That it cannot be answered, and why. SOAP 1.2 part 1 §5.4."""
    subcode = element("s:Subcode", element("s:Value", f"o:{said.sub_code}")) if said.sub_code else ""
    body = element(
        "s:Fault",
        element("s:Code", element("s:Value", f"s:{said.code}") + subcode)
        + element("s:Reason", element("s:Text", escaped(said.reason[:LONGEST_REASON]), [("xml:lang", "en")])),
    )
    # SOAP 1.2 part 1 §5.4.8.
    names = "".join(
        element("s:NotUnderstood", "", [("qname", f"n:{name}" if of else name), *([("xmlns:n", of)] if of else [])])
        for of, name in said.not_understood
    )
    return _envelope(names + _answer_header(f"{ADDRESSING}/fault", message_id, relates_to), body, namespace)


def _answer_header(action: str, message_id: str, relates_to: str) -> str:
    return (
        element("a:Action", escaped(action), [("s:mustUnderstand", "true")])
        + element("a:MessageID", escaped(message_id))
        + (element("a:RelatesTo", escaped(relates_to)) if relates_to else "")
        + element("a:To", ANONYMOUS)
    )


def _envelope(header: str, body: str, namespace: str) -> bytes:
    names = [("xmlns:s", SOAP), ("xmlns:a", ADDRESSING), ("xmlns:o", namespace)]
    content = element("s:Header", header) + element("s:Body", body)
    return (DECLARATION + element("s:Envelope", content, names)).encode()


def _text(found: Element | None) -> str:
    text = found.text.strip() if found else ""
    return text if len(text) <= LONGEST_HEADER else ""


def _address(reference: Element | None) -> str:
    """Of an endpoint; empty: it says none. Some leave out the element `Address`, or `http`."""
    if reference is None:
        return ""
    said = _text(reference.first("Address") or reference)
    if "://" not in said and _HOST.match(said):
        said = f"http://{said}"
    return "" if said in NOWHERE else said


def _fault(body: Element) -> Fault:
    code = body.first("Code")
    subcode = code.first("Subcode") if code else None
    reason = body.first("Reason")
    said = _text(reason.first("Text")) if reason else ""
    return Fault(_local(_value(code)), _local(_value(subcode)), said)


def _value(found: Element | None) -> str:
    return _text(found.first("Value")) if found else ""


def _local(name: str) -> str:
    return name.rpartition(":")[2]
