"""The TCP listener of stations: from an upgrade request to a connection, or to the HTTP answer that refuses it."""

import asyncio
import logging
from typing import Any, Protocol

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from services.common.process.errors import Misconfigured
from services.gateway import metrics
from services.gateway.settings import Settings
from services.gateway.transport.deflate import Deflate, negotiate
from services.gateway.transport.handshake import Refused, Request
from services.gateway.transport.websocket import WebSocket

BACKLOG = 4096


class Quiet(logging.LoggerAdapter[logging.Logger]):
    """picows tells every mistake of a client as an error; to us they are everyday."""

    def error(self, msg: object, *args: object, **_: Any) -> None:
        self.debug(msg, *args)


class Door(Protocol):
    """Decides who comes in."""

    def knock(self, request: Request, deflate: Deflate | None) -> Refused | tuple[WebSocket, str] | None:
        """A refusal; or the connection and its subprotocol; None: closed at once, for no version is shared."""


class Stranger(WSListener):
    """A connection without a common subprotocol: it is closed as soon as it is open (1.6-J §3.2)."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send_close(WSCloseCode.PROTOCOL_ERROR, "no common subprotocol")
        asyncio.get_running_loop().call_later(1, transport.disconnect, False)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()


class Listener:
    """Open from `open` to `close`; connections outlive it."""

    def __init__(self, settings: Settings, door: Door) -> None:
        self._settings, self._door = settings, door
        self._server: asyncio.Server | None = None

    @property
    def listening(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Raises Misconfigured where the port is not to be had."""
        host, port = self._settings.host, self._settings.gateway_port
        try:
            self._server = await ws_create_server(
                self.accept,
                host,
                port,
                read_buffer_init_size=1024,
                max_frame_size=self._settings.message_size,
                websocket_handshake_timeout=10,
                enable_auto_pong=False,
                logger_name=Quiet(logging.getLogger("picows")),
                backlog=BACKLOG,
            )
        except OSError as error:
            what = f"cannot listen on {host}:{port} ({error.strerror})"
            raise Misconfigured(f"{what}: stop what uses it, or set VOLTBUS_GATEWAY_PORT") from None

    async def close(self) -> None:
        """Takes no new connections."""
        if self._server:
            self._server.close()
            self._server = None

    def accept(self, upgrade: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        """picows's question about every request."""
        _tolerate(upgrade)
        if upgrade.headers.get("Sec-WebSocket-Version", "13") != "13":
            return _refused(Refused(426, "WebSocket version 13 is spoken", {"Sec-WebSocket-Version": "13"}))
        offered = ",".join(upgrade.headers.getall("Sec-WebSocket-Protocol", []))
        request = Request(
            upgrade.path.decode("ascii", "replace"),
            upgrade.headers.get("Authorization"),
            [name.strip() for name in offered.split(",")],
        )
        extensions = upgrade.headers.getall("Sec-WebSocket-Extensions", []) if self._settings.deflate else []
        answer, deflate = negotiate(extensions) or ("", None)
        entered = self._door.knock(request, deflate)
        if isinstance(entered, Refused):
            return _refused(entered)
        metrics.HANDSHAKES.labels(101).inc()
        headers = {"Sec-WebSocket-Extensions": answer} if answer else {}
        if entered is None:
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(), Stranger())
        connection, headers["Sec-WebSocket-Protocol"] = entered
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), connection)


def _tolerate(upgrade: WSUpgradeRequest) -> None:
    """picows takes `Connection: upgrade` alone; proxies and browsers write `keep-alive, Upgrade` (RFC 6455 §4.2.1)."""
    tokens = ",".join(upgrade.headers.getall("Connection", [])).lower().split(",")
    if "upgrade" in [token.strip() for token in tokens]:
        upgrade.headers["Connection"] = "Upgrade"


def _refused(refused: Refused) -> WSUpgradeResponseWithListener:
    metrics.HANDSHAKES.labels(refused.status).inc()
    response = WSUpgradeResponse.create_error_response(refused.status, refused.text.encode(), refused.headers)
    return WSUpgradeResponseWithListener(response, None)
