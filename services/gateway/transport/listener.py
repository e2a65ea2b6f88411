"""The TCP listeners of stations: from an upgrade request to a connection, or to the HTTP answer that refuses it."""

import asyncio
import logging
import ssl
from functools import partial
from typing import Any, Protocol

import structlog
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)

from services.common.process.errors import Misconfigured
from services.gateway import metrics
from services.gateway.pressure.memory import Memory
from services.gateway.pressure.pace import Rates
from services.gateway.pressure.turns import Turns
from services.gateway.settings import Settings
from services.gateway.timing import Clocks, Timing
from services.gateway.transport.answers import UNREADABLE_CERTIFICATE, answer, fault_of_upgrade
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.deflate import negotiate
from services.gateway.transport.handshake import Refused, Request
from services.gateway.transport.intake import StationProtocol
from services.gateway.transport.ports import Above, Ports
from services.gateway.transport.proxies import Origin
from services.gateway.transport.proxy_protocol import Proxied
from services.gateway.transport.transport import Receiver
from services.gateway.transport.unanswered import Unanswered
from services.gateway.transport.websocket import Options, WebSocket

BACKLOG = 4096

log = structlog.get_logger()


class DebugLogger(logging.LoggerAdapter[logging.Logger]):
    """picows logs every mistake of a client as an error, and two lines of every socket; here they are everyday."""

    def error(self, msg: object, *args: object, **_: Any) -> None:
        self.debug(msg, *args)

    def info(self, msg: object, *args: object, **_: Any) -> None:
        self.debug(msg, *args)


class Admitter(Protocol):
    """Decides who comes in."""

    def admit(self, request: Request) -> Refused | tuple[Receiver, str] | None:
        """A refusal; or the connection and its subprotocol, if any; None: closed at once: no version is shared."""


class NoSubprotocol(WSListener):
    """A connection without a common subprotocol: it is closed as soon as it is open (1.6-J §3.2)."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send_close(WSCloseCode.PROTOCOL_ERROR, "no common subprotocol")
        asyncio.get_running_loop().call_later(self._timeout, transport.disconnect, False)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()


class WebSocketListener:
    """Open from `open` to `close`; connections outlive it."""

    def __init__(
        self,
        settings: Settings,
        admitter: Admitter,
        *,
        clocks: Clocks,
        timing: Timing,
        memory: Memory,
        turns: Turns,
    ) -> None:
        self._settings, self._admitter, self._timing = settings, admitter, timing
        self._options = Options(
            monotonic=clocks.monotonic,
            max_size=settings.message_size,
            close_timeout=timing.close_timeout,
            memory=memory,
            turns=turns,
            probe_timeout=timing.probe_timeout,
            send_timeout=settings.send_timeout,
            rates=Rates.of(settings),
        )
        self._unanswered = Unanswered(settings.handshakes)
        self.ports = Ports(settings, clocks, timing)
        self._servers: list[asyncio.Server] = []

    @property
    def listening(self) -> bool:
        return bool(self._servers)

    async def open(self) -> None:
        """Raises Misconfigured if a port is taken, or there is none, or a certificate cannot be used."""
        settings, timing = self._settings, self._timing
        logger = DebugLogger(logging.getLogger("picows"))
        station = partial(StationProtocol, self.accept, logger, timing.handshake_timeout, self._unanswered)
        self.ports.open()
        if self.ports.secured:
            await self._listen(station, settings.gateway_tls_port, "VOLTBUS_GATEWAY_TLS_PORT", secured=True)
        if settings.gateway_plain:
            await self._listen(station, settings.gateway_port, "VOLTBUS_GATEWAY_PORT")
        if not self._servers:
            raise Misconfigured("VOLTBUS_GATEWAY_PLAIN: without a certificate there is no other port: set one")

    async def close(self) -> None:
        """Takes no new connections."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()

    async def _listen(self, station: Above, port: int, variable: str, *, secured: bool = False) -> None:
        self._servers.append(await self.ports.listen(station, port, variable, secured=secured, backlog=BACKLOG))

    def accept(
        self, upgrade: WSUpgradeRequest, said: Proxied, tls: ssl.SSLObject | None = None
    ) -> WSUpgradeResponseWithListener:
        """Called for every request. said: from where it came, and whether by TLS to there. tls: by which it came."""
        _normalize_connection_header(upgrade)
        if fault := fault_of_upgrade(upgrade):
            return WSUpgradeResponseWithListener(answer(fault), None)
        try:
            origin, certificate = self.ports.origin(said, tls, partial(_values, upgrade))
        except ValueError:
            return WSUpgradeResponseWithListener(answer(UNREADABLE_CERTIFICATE), None)
        admitted = self._admitter.admit(_request(upgrade, origin, certificate))
        if isinstance(admitted, Refused):
            return WSUpgradeResponseWithListener(answer(admitted), None)
        extensions = upgrade.headers.getall("Sec-WebSocket-Extensions", []) if self._settings.deflate else []
        agreed, deflate = negotiate(extensions) or ("", None)
        headers = {"Sec-WebSocket-Extensions": agreed} if agreed else {}
        metrics.HANDSHAKES.labels(101).inc()
        if admitted is None:
            closing = NoSubprotocol(self._timing.refusal_timeout)
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(), closing)
        connection, subprotocol = admitted
        if subprotocol:
            headers["Sec-WebSocket-Protocol"] = subprotocol
        socket = WebSocket(connection, self._options, deflate, connection.pace, origin.address)
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), socket)


def _values(upgrade: WSUpgradeRequest, name: str) -> list[str]:
    found: list[str] = upgrade.headers.getall(name, [])
    return found


def _request(upgrade: WSUpgradeRequest, origin: Origin, certificate: ClientCertificate | None) -> Request:
    offered = ",".join(upgrade.headers.getall("Sec-WebSocket-Protocol", []))
    return Request(
        upgrade.path.decode("ascii", "replace"),
        upgrade.headers.get("Authorization"),
        [name.strip() for name in offered.split(",") if name.strip()],
        origin.address,
        origin.secured,
        certificate,
        origin.tls,
    )


def _normalize_connection_header(upgrade: WSUpgradeRequest) -> None:
    """picows takes `Connection: upgrade` alone; proxies and browsers write `keep-alive, Upgrade` (RFC 6455 §4.2.1)."""
    tokens = ",".join(upgrade.headers.getall("Connection", [])).lower().split(",")
    if "upgrade" in [token.strip() for token in tokens]:
        upgrade.headers["Connection"] = "Upgrade"
