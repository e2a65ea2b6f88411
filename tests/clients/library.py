"""Stations played by the Python package ocpp over websockets, for both versions."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any
from urllib.parse import quote

import websockets
from ocpp.charge_point import camel_to_snake_case
from ocpp.messages import MessageType
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as result16
from ocpp.v21 import ChargePoint as ChargePoint21
from ocpp.v21 import call_result as result21
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as result201
from websockets.typing import Subprotocol

from services.ocpp.versions import VERSIONS, Version
from tests.contract import examples
from tests.patience import GIVE_UP


class _Station:
    """Answers every action that a CSMS may call, and tells of each CALL in `asked`: (action, payload).

    answers: by action, what it answers: a payload in camelCase, or an OCPPError; the least that is valid where nothing
    else was prepared. The package checks both payloads against its schemas, and answers with a CALLERROR where one of
    them is wrong.
    """

    version: Version
    results: ModuleType

    def __init__(self, station_id: str, connection: Any) -> None:
        super().__init__(station_id, connection, response_timeout=GIVE_UP)  # type: ignore[call-arg]
        self.asked: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.answers: dict[str, Any] = {}

    async def prepare(self, action: str, answer: Any) -> None:
        """From now on it answers an action so."""
        self.answers[action] = answer

    async def route_message(self, frame: str) -> None:
        kind, _, *rest = json.loads(frame)
        if kind == MessageType.Call:
            self.asked.put_nowait((rest[0], rest[1]))
        await super().route_message(frame)  # type: ignore[misc]

    def answer(self, action: str) -> Any:
        least = examples.minimal(self.version.schemas.document(f"{action}Response"))
        answer = self.answers.get(action, least)
        if isinstance(answer, Exception):
            raise answer
        return getattr(self.results, action)(**camel_to_snake_case(answer))


def _handler(action: str) -> Any:
    async def handler(station: _Station, **_: Any) -> Any:
        return station.answer(action)

    # By its name the package finds it among the attributes of the class.
    handler.__name__ = f"on_{action}"
    return on(action)(handler)


def _station(name: str, base: type, results: ModuleType) -> type:
    """A station class of the package that answers every action of a version."""
    version = VERSIONS[name]
    facts = {"version": version, "results": results, "protocol": version.subprotocol}
    handlers = {f"on_{action}": _handler(action) for action in VERSIONS[name].to_station}
    return type(f"Station_{name}", (_Station, base), facts | handlers)


Station16: Any = _station("1.6", ChargePoint16, result16)
Station201: Any = _station("2.0.1", ChargePoint201, result201)
Station21: Any = _station("2.1", ChargePoint21, result21)
STATIONS: Mapping[str, Any] = {"1.6": Station16, "2.0.1": Station201, "2.1": Station21}
"""By version."""


def basic(identity: str, password: str | bytes) -> dict[str, str]:
    """The header of HTTP Basic authentication."""
    secret = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + base64.b64encode(identity.encode() + b":" + secret).decode()}


def dial(
    endpoint: str,
    identity: str,
    *protocols: str,
    password: str | bytes | None = None,
    username: str | None = None,
    **more: Any,
) -> websockets.connect:
    """A WebSocket as a station opens it, to be entered or awaited. username: where it is not the identity."""
    headers = {} if password is None else basic(identity if username is None else username, password)
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
