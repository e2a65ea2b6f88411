"""A station's way to its CSMS over SOAP: every CALL a request of HTTP, and those of the CSMS at an address of its own.

What is counted and shown are the frames that a WebSocket would have for the same.
"""

import asyncio
import socket
import ssl
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import httpx

from services.ocpp.errors import OcppError
from services.ocpp.soap import envelope
from services.ocpp.soap.envelope import CONTENT_TYPE, Envelope, Fault, FaultCode, NoEnvelope, SubCode, protocol_error
from services.ocpp.soap.spellings import SPELLINGS, Spelling
from voltbus.simulator.station.link import (
    CALL_TIMEOUT,
    AnswerCall,
    CallRefused,
    CallTimedOut,
    ConnectionLost,
    NotAdmitted,
    NotConnected,
    WireCounts,
)
from voltbus.simulator.station.soap.command_server import CommandServer
from voltbus.simulator.station.types import Payload

_CALL, _RESULT, _ERROR = 2, 3, 4
_CONNECT_SECONDS = 10.0
# Shorter than the gateway keeps a connection open that brings nothing: it is not closed under a request.
_KEPT_SECONDS = 15.0
_TURNED_AWAY = {"IdentityMismatch": 404}


class SoapLink:
    """From `open` until the CSMS cannot be reached, or it is closed. Made by `connect`."""

    def __init__(
        self,
        url: str,
        station_id: str,
        spelling: Spelling,
        http: httpx.AsyncClient,
        answer_call: AnswerCall,
        counts: WireCounts,
    ) -> None:
        self._url, self._station_id, self._spelling, self._http = url, station_id, spelling, http
        self._answer_call, self._counts = answer_call, counts
        self._one_at_a_time = asyncio.Lock()
        self._commands: CommandServer | None = None
        self._known = False
        self.lost: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()

    async def open(self, host: str) -> None:
        """Listens for commands there. Raises NotConnected."""
        self._commands = CommandServer(host, self._on_command)
        try:
            await self._commands.open()
        except OSError as error:
            raise NotConnected(f"cannot listen for commands on {host} ({error.strerror})") from None

    @property
    def address(self) -> str:
        """Where it listens for commands."""
        return self._commands.address if self._commands else ""

    async def call(self, action: str, payload: Payload) -> Payload:
        """Sends a request after the one before has been answered, and returns its response.

        Raises CallRefused for a fault, CallTimedOut, ConnectionLost; NotAdmitted where it is turned away before any was
        answered.
        """
        async with self._one_at_a_time:
            if self.lost.done():
                raise self.lost.result()
            message_id = str(uuid.uuid4())
            began = time.perf_counter()
            self._counts.sent += 1
            self._show([_CALL, message_id, action, payload], own=True)
            answer = await self._post(action, self._request(action, payload, message_id))
        return self._response(action, message_id, answer, began)

    async def close(self) -> None:
        """Nobody is told: to the CSMS it is gone once it has been silent for long."""
        self.drop()
        await self._http.aclose()

    def drop(self) -> None:
        """Hears and says nothing any more, as a station that loses its network."""
        if self._commands is not None:
            self._commands.close()
        self._lose(ConnectionLost())

    async def _post(self, action: str, document: bytes) -> httpx.Response:
        headers = {"Content-Type": f'{CONTENT_TYPE}; action="/{action}"', "Accept-Encoding": "gzip, deflate"}
        asking = asyncio.ensure_future(self._http.post(self._url, content=document, headers=headers))
        try:
            either: list[asyncio.Future[Any]] = [asking, self.lost]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise self.lost.result()
            return asking.result()
        except httpx.ReadTimeout:
            self._counts.unanswered += 1
            raise CallTimedOut(f"{action} was not answered in time: see the logs of the processes") from None
        except httpx.HTTPError:
            raise self._lose(ConnectionLost()) from None
        finally:
            asking.cancel()

    def _request(self, action: str, payload: Payload, message_id: str) -> bytes:
        return envelope.request(
            self._spelling.write_request(action, payload),
            self._spelling.central_system,
            action=action,
            identity=self._station_id,
            message_id=f"urn:uuid:{message_id}",
            to=self._url,
            address=self.address,
        )

    def _response(self, action: str, message_id: str, answer: httpx.Response, began: float) -> Payload:
        try:
            said = envelope.read(answer.content)
        except NoEnvelope as error:
            said = Envelope("", "", "", "", None)
            fault: Fault | None = Fault(FaultCode.RECEIVER, SubCode.INTERNAL_ERROR, f"{answer.status_code}: {error}")
        else:
            fault = said.fault
        if fault is None and said.body is not None and envelope.action_of(said.body, "Response") == action:
            response = self._spelling.read_response(action, said.body)
            self._known = True
            self._counts.answered += 1
            self._show([_RESULT, message_id, response], own=False)
            if self._counts.on_result is not None:
                self._counts.on_result(action, time.perf_counter() - began)
            return response
        fault = fault or Fault(FaultCode.RECEIVER, SubCode.INTERNAL_ERROR, "the answer is to something else")
        raise self._refused(action, message_id, answer.status_code, fault)

    def _refused(self, action: str, message_id: str, status: int, fault: Fault) -> Exception:
        """A gateway that leaves, and one that does not let in, are as over a WebSocket: there is no connection."""
        turned_away = _TURNED_AWAY.get(fault.sub_code, status if status in (401, 429) else 0)
        if turned_away or status == 503:
            lost = self._lose(ConnectionLost(turned_away or status, fault.reason))
            return NotAdmitted(self._station_id, turned_away) if turned_away and not self._known else lost
        self._known = True
        self._counts.refused += 1
        self._show([_ERROR, message_id, fault.sub_code, fault.reason, {}], own=False)
        return CallRefused(action, fault.sub_code, fault.reason)

    def _lose(self, why: ConnectionLost) -> ConnectionLost:
        if not self.lost.done():
            self.lost.set_result(why)
        return self.lost.result()

    # What the CSMS asks.

    def _on_command(self, document: bytes) -> tuple[int, bytes]:
        try:
            said = envelope.read(document)
        except NoEnvelope as error:
            return self._faulted(error.fault, "")
        action = envelope.action_of(said.body, "Request") if said.body is not None else None
        if said.body is None or action is None or said.body.namespace != self._spelling.charge_point:
            return self._faulted(protocol_error("there is no request"), said.message_id)
        if said.identity.casefold() != self._station_id.casefold():
            fault = Fault(FaultCode.SENDER, SubCode.IDENTITY_MISMATCH, "this is another station")
            return self._faulted(fault, said.message_id)
        return self._answer(action, self._spelling.read_request(action, said.body), said.message_id)

    def _answer(self, action: str, payload: Payload, message_id: str) -> tuple[int, bytes]:
        self._counts.received += 1
        self._show([_CALL, message_id, action, payload], own=False)
        try:
            response = self._answer_call(action, payload) if action in self._spelling.operations else None
        except OcppError as error:
            return self._rejected(Fault(FaultCode.SENDER, SubCode.PROTOCOL_ERROR, error.description), message_id)
        if response is None:
            fault = Fault(FaultCode.RECEIVER, SubCode.NOT_SUPPORTED, "not known to this station")
            return self._rejected(fault, message_id)
        self._show([_RESULT, message_id, response], own=True)
        body = self._spelling.write_response(action, response)
        ids = {"message_id": _new_id(), "relates_to": message_id}
        return 200, envelope.response(body, self._spelling.charge_point, action=action, **ids)

    def _rejected(self, fault: Fault, message_id: str) -> tuple[int, bytes]:
        self._counts.rejected += 1
        self._show([_ERROR, message_id, fault.sub_code, fault.reason, {}], own=True)
        return self._faulted(fault, message_id)

    def _faulted(self, fault: Fault, message_id: str) -> tuple[int, bytes]:
        document = envelope.fault(fault, self._spelling.charge_point, message_id=_new_id(), relates_to=message_id)
        return 400 if fault.code == FaultCode.SENDER else 500, document

    def _show(self, frame: list[Any], own: bool) -> None:
        if self._counts.on_frame is not None:
            self._counts.on_frame(frame, own)


async def connect(
    url: str,
    station_id: str,
    password: str | None,
    version: str,
    answer_call: AnswerCall,
    counts: WireCounts | None = None,
    call_timeout: float = CALL_TIMEOUT,
    tls: ssl.SSLContext | None = None,
) -> SoapLink:
    """url: of the central system. version: 1.5 or 1.6. call_timeout: seconds. tls: whom it trusts.

    Whether it is let in is said by the answer to its first request. Raises NotConnected where nothing answers there.
    """
    host = await _own_host(url)
    http = httpx.AsyncClient(
        auth=(station_id, password) if password else None,
        verify=tls or url.startswith("https:"),
        timeout=httpx.Timeout(call_timeout, connect=_CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=1, keepalive_expiry=_KEPT_SECONDS),
        trust_env=False,
    )
    link = SoapLink(url, station_id, SPELLINGS[version], http, answer_call, counts or WireCounts())
    try:
        await link.open(host)
    except NotConnected:
        await link.close()
        raise
    return link


async def _own_host(url: str) -> str:
    """The address of this machine on its way to the CSMS, which is where that finds it. Raises NotConnected."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, port, family=socket.AF_UNSPEC)
    except ValueError:
        raise NotConnected(f"{url} is no address: correct --url") from None
    except (OSError, TimeoutError):
        raise NotConnected(f"nothing answers at {url}: start it with `make run`, or correct --url") from None
    host = str(writer.get_extra_info("sockname")[0])
    writer.close()
    return host


def _new_id() -> str:
    return f"urn:uuid:{uuid.uuid4()}"
