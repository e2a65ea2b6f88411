"""Stations played by the Python package ocpp over websockets, for both versions."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as result201
from websockets.typing import Subprotocol

TIMEOUT = 20


class Station16(ChargePoint16):  # type: ignore[misc]
    """Accepts remote starts and stops, and tells of them in `asked`: (action, payload in snake_case)."""

    protocol = "ocpp1.6"

    def __init__(self, station_id: str, connection: Any) -> None:
        super().__init__(station_id, connection, response_timeout=TIMEOUT)
        self.asked: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    @on("RemoteStartTransaction")  # type: ignore[untyped-decorator]
    async def remote_start(self, **payload: Any) -> Any:
        self.asked.put_nowait(("RemoteStartTransaction", payload))
        return result16.RemoteStartTransaction(status="Accepted")

    @on("RemoteStopTransaction")  # type: ignore[untyped-decorator]
    async def remote_stop(self, **payload: Any) -> Any:
        self.asked.put_nowait(("RemoteStopTransaction", payload))
        return result16.RemoteStopTransaction(status="Accepted")


class Station201(ChargePoint201):  # type: ignore[misc]
    """Accepts remote starts and stops, and tells of them in `asked`: (action, payload in snake_case)."""

    protocol = "ocpp2.0.1"

    def __init__(self, station_id: str, connection: Any) -> None:
        super().__init__(station_id, connection, response_timeout=TIMEOUT)
        self.asked: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    @on("RequestStartTransaction")  # type: ignore[untyped-decorator]
    async def remote_start(self, **payload: Any) -> Any:
        self.asked.put_nowait(("RequestStartTransaction", payload))
        return result201.RequestStartTransaction(status="Accepted")

    @on("RequestStopTransaction")  # type: ignore[untyped-decorator]
    async def remote_stop(self, **payload: Any) -> Any:
        self.asked.put_nowait(("RequestStopTransaction", payload))
        return result201.RequestStopTransaction(status="Accepted")


def basic(identity: str, password: str | bytes) -> dict[str, str]:
    """The header of HTTP Basic authentication."""
    secret = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + base64.b64encode(identity.encode() + b":" + secret).decode()}


def dial(
    endpoint: str, identity: str, *protocols: str, password: str | bytes | None = None, **more: Any
) -> websockets.connect:
    """A WebSocket as a station opens it, to be entered or awaited."""
    headers = {} if password is None else basic(identity, password)
    address = f"{endpoint}/{quote(identity, safe='')}"
    return websockets.connect(
        address, subprotocols=[Subprotocol(name) for name in protocols] or None, additional_headers=headers, **more
    )


@asynccontextmanager
async def station(kind: Any, endpoint: str, identity: str, password: str) -> AsyncIterator[Any]:
    """A connected Station16 or Station201."""
    async with dial(endpoint, identity, kind.protocol, password=password) as connection:
        playing = kind(identity, connection)
        listening = asyncio.create_task(playing.start())
        try:
            yield playing
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError, websockets.ConnectionClosed):
                await listening
