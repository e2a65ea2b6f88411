"""What a station asks by SOAP: from the body of a request to that of its answer."""

import asyncio
import base64
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

import structlog

from services.gateway.transport import spoken_tls
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.handshake import Admitted, Refused, Request
from services.gateway.transport.soap import faults
from services.gateway.transport.soap.bodies import BadBody
from services.gateway.transport.soap.station import Gone, Options, Refusal, SoapStation, Terms, TooFast
from services.gateway.transport.spoken_tls import SpokenTls
from services.gateway.transport.transport import CallingReceiver, CloseCode
from services.ocpp.deviations import Deviation, Told
from services.ocpp.soap import envelope
from services.ocpp.soap.envelope import Envelope, Fault, FaultCode, NoEnvelope, SubCode, protocol_error
from services.ocpp.soap.shapes import Payload
from services.ocpp.soap.spellings import SPELLINGS, Spelling, spelling_of
from services.ocpp.versions import VERSIONS, Version

BOOT = "BootNotification"
# Bytes of a message, after which others have their turn before it is read.
LONG = 16 * 1024
RETRY = {"Retry-After": "5"}
UNAVAILABLE = Fault(FaultCode.RECEIVER, SubCode.INTERNAL_ERROR, "try again")
LATE = Fault(FaultCode.RECEIVER, SubCode.INTERNAL_ERROR, "no answer in time: try again")
TOO_FAST = Fault(FaultCode.SENDER, SubCode.SECURITY_ERROR, "too many messages: one after the other, and slower")
FAILED = Fault(FaultCode.RECEIVER, SubCode.INTERNAL_ERROR, "internal error")

log = structlog.get_logger()


class Admitter(Protocol):
    """Decides who comes in."""

    def verify(self, request: Request, unnamed: Version | None) -> Refused | Admitted:
        """Whether who asks may come in."""

    def held_off(self, admitted: Admitted, request: Request) -> Refused | None:
        """Why it has to wait with another connection."""

    def connect(self, admitted: Admitted, version: Version, request: Request) -> CallingReceiver:
        """The connection of a station that was let in, to be opened."""

    def registered(self, admitted: Admitted) -> bytes | None:
        """The password hash under which it is let in."""

    def fault_of_host(self, station_id: str, certificate: ClientCertificate, host: str) -> str | None:
        """Why what a host shows that is called does not say that it is the station."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of HTTP. version: that its path names; empty: none. url: that it was sent to.

    secured: it came by TLS. certificate: that its station has shown. tls: what it speaks, as far as that is known.
    """

    document: bytes
    charset: str | None
    authorization: str | None
    remote_address: str
    url: str
    version: str = ""
    secured: bool = False
    certificate: ClientCertificate | None = None
    tls: SpokenTls = spoken_tls.NONE


@dataclass(frozen=True, slots=True)
class Answered:
    """And its answer."""

    status: int
    document: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Faulted(Exception):
    """Why there is no answer. status: of HTTP, where it is not that of the fault."""

    def __init__(self, fault: Fault, status: int = 0, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(fault.reason)
        self.fault, self.headers = fault, headers or {}
        self.status = status or faults.status_of(fault)


@dataclass(slots=True)
class Head:
    """What is known of a request before its body is read: what it is, by whom it is said, and that they are let in.

    What it is not known to be is answered as 1.6.
    """

    said: Envelope | None = None
    spelling: Spelling = SPELLINGS["1.6"]
    action: str = ""
    request: Request | None = None
    admitted: Admitted | None = None


class CentralSystem:
    """The stations that speak SOAP, each with the connection that stands for it between its requests."""

    def __init__(self, admitter: Admitter, options: Options) -> None:
        self._admitter, self._options = admitter, options
        self._stations: dict[str, SoapStation] = {}

    async def answer(self, asked: Asked) -> Answered:
        """Whatever comes is answered."""
        head = Head()
        try:
            said = envelope.read(asked.document, asked.charset, partial(self._judge, asked, head))
            payload = await self._payload(asked, said, head)
            body = head.spelling.write_response(head.action, payload)
        except NoEnvelope as error:
            return self._unread(asked, head.said, error.fault)
        except Faulted as error:
            return _faulted(error, head.said, head.spelling.central_system)
        except Exception:
            # A mistake of ours: the station sends it again.
            log.exception("a request could not be handled")
            return _faulted(Faulted(FAILED), head.said, head.spelling.central_system)
        namespace, new_id = head.spelling.central_system, _new_id()
        document = envelope.response(body, namespace, action=head.action, message_id=new_id, relates_to=said.message_id)
        return Answered(200, document)

    def _judge(self, asked: Asked, head: Head, said: Envelope) -> None:
        """Before the rest of it is parsed. Raises NoEnvelope, Faulted."""
        head.said = said
        head.spelling, head.action = _meaning(said, asked.version)
        if not said.identity:
            raise Faulted(Fault(FaultCode.SENDER, SubCode.IDENTITY_MISMATCH, "chargeBoxIdentity is missing"))
        head.request = _as_handshake(asked, said.identity)
        verdict = self._admitter.verify(head.request, VERSIONS[head.spelling.version])
        if isinstance(verdict, Refused):
            raise _refusal(verdict)
        head.admitted = verdict

    async def _payload(self, asked: Asked, said: Envelope, head: Head) -> Payload:
        """The answer of OCPP. Raises Faulted."""
        assert said.body is not None
        assert head.request is not None
        assert head.admitted is not None
        station = self._station(head.request, head.admitted, VERSIONS[head.spelling.version])
        station.heard(said, asked.url, asked.remote_address)
        if len(asked.document) > LONG:
            # Of ten thousand elements, parsing takes some 15 ms, and reading as many.
            await asyncio.sleep(0)
        try:
            foreign = Counter[str]()
            asked_for = head.spelling.read_request(head.action, said.body, foreign)
            deviations = tuple(Told(Deviation.SPELLING, name, times) for name, times in foreign.items())
            answer = await station.call(head.action, asked_for, said.message_id, len(asked.document), deviations)
        except TimeoutError:
            raise Faulted(LATE) from None
        except Gone:
            raise Faulted(UNAVAILABLE, 503, RETRY) from None
        except TooFast:
            raise Faulted(TOO_FAST, 429, RETRY) from None
        if isinstance(answer, Refusal):
            raise Faulted(faults.of_error(answer.code, answer.description))
        payload: dict[str, Any] = answer
        return _heard_in_time(payload, self._options.silence) if head.action == BOOT else payload

    def _station(self, request: Request, admitted: Admitted, version: Version) -> SoapStation:
        """The one that asks, on the connection that it has, if it may go on with that. Raises Faulted."""
        station_id, security = admitted.station_id, admitted.security
        terms = Terms(
            version=version.name,
            registered=self._admitter.registered(admitted),
            quarantined=admitted.quarantined,
            profile=security.profile,
            certificate=security.certificate.revocable_by[0] if security.certificate else "",
        )
        here = self._stations.get(station_id)
        if here and not here.over and here.terms == terms:
            return here
        if held_off := self._admitter.held_off(admitted, request):
            raise _refusal(held_off)
        if here:
            here.close(CloseCode.REPLACED, "replaced by a newer connection")
        connection = self._admitter.connect(admitted, version, request)
        ended = partial(self._ended, station_id)
        owner = partial(self._admitter.fault_of_host, station_id)
        station = SoapStation(connection, terms, self._options, request.remote_address, ended, owner)
        self._stations[station_id] = station
        station.open()
        return station

    def _unread(self, asked: Asked, said: Envelope | None, fault: Fault) -> Answered:
        """The log of a station that is here has what it sent, if it may send: others write nothing into it."""
        if name := (said.identity if said else "") or _user(asked.authorization):
            verdict = self._admitter.verify(_as_handshake(asked, name), VERSIONS["1.6"])
            here = None if isinstance(verdict, Refused) else self._stations.get(verdict.station_id)
            if here is not None:
                here.unread(asked.document, fault.reason)
        return _faulted(Faulted(fault), said, SPELLINGS["1.6"].central_system)

    def _ended(self, station_id: str, station: SoapStation) -> None:
        """Its place may be another's by now."""
        if self._stations.get(station_id) is station:
            del self._stations[station_id]


def _heard_in_time(boot: Payload, silence: float) -> Payload:
    """The answer to a boot, by which the station must not count as gone before its next heartbeat."""
    interval = boot.get("interval")
    if not isinstance(interval, int) or interval < silence:
        return boot
    return {**boot, "interval": max(1, int(silence / 2))}


def _as_handshake(asked: Asked, identity: str) -> Request:
    """What a station of that name would ask to come in by WebSocket."""
    path = f"/ocpp/{quote(identity, safe='')}"
    return Request(
        path, asked.authorization, (), asked.remote_address, asked.secured, asked.certificate, asked.tls, soap=True
    )


def _user(authorization: str | None) -> str:
    """Of Basic credentials; empty: there are none."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def _meaning(said: Envelope, version: str) -> tuple[Spelling, str]:
    """Version and action of a message, by its body. version: that the path names. Raises NoEnvelope."""
    if said.body is None:
        raise NoEnvelope(protocol_error("the Body is empty"))
    spelling = spelling_of(said.body.namespace)
    if spelling is None:
        reason = f"no OCPP that is spoken here has the namespace {said.body.namespace[:100]!r}"
        raise NoEnvelope(Fault(FaultCode.RECEIVER, SubCode.NOT_SUPPORTED, reason))
    if version and version != spelling.version:
        raise NoEnvelope(protocol_error(f"a message of OCPP {spelling.version} at the address of {version[:10]}"))
    action = envelope.action_of(said.body, "Request")
    if action is None:
        raise NoEnvelope(protocol_error("the Body has no request"))
    return spelling, action


def bad_body(error: BadBody) -> Answered:
    """The answer to a body that is not read."""
    return faulted(protocol_error(error.reason), error.status, {"Connection": "close"} if error.closes else None)


def faulted(fault: Fault, status: int, headers: Mapping[str, str] | None = None) -> Answered:
    """The answer to what was not read."""
    return _faulted(Faulted(fault, status, headers), None, SPELLINGS["1.6"].central_system)


def _refusal(refused: Refused) -> Faulted:
    """404 would say that there is no such address."""
    status = 400 if refused.status == 404 else refused.status
    return Faulted(faults.of_refusal(refused), status, refused.headers)


def _faulted(error: Faulted, said: Envelope | None, namespace: str) -> Answered:
    relates_to = said.message_id if said else ""
    document = envelope.fault(error.fault, namespace, message_id=_new_id(), relates_to=relates_to)
    return Answered(error.status, document, error.headers)


def _new_id() -> str:
    return f"urn:uuid:{uuid.uuid4()}"
