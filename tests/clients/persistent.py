"""A station that does not give up: it reconnects, and says again what nobody has answered, as OCPP asks."""

import asyncio
import json
from typing import Any

from tests.clients.faults import Disconnected
from tests.clients.rpc import Node, Station
from tests.clients.sessions import Message

# How long it waits for an answer before it says the same again.
PATIENCE = 8.0
BACKOFF = {"initialDelay": 100, "maxDelay": 1000, "factor": 2, "randomisationFactor": 0.2}
OBEYED = (
    "RemoteStartTransaction",
    "RequestStartTransaction",
    "ClearCache",
    "ClearChargingProfile",
    "SetChargingProfile",
    "TriggerMessage",
)
ANSWERS = {action: {"status": "Accepted"} for action in OBEYED}


class Persistent:
    """Plays on an ocpp-rpc client that reconnects by itself."""

    def __init__(self, station: Station) -> None:
        self._station = station

    @classmethod
    async def connect(
        cls, node: Node, endpoint: str, identity: str, protocol: str, password: str | None
    ) -> "Persistent":
        settings: dict[str, Any] = {"reconnect": True, "backoff": BACKOFF, "answers": ANSWERS}
        station = await node.connect(endpoint, identity, protocol, password, **settings)
        return cls(station)

    @property
    def commands(self) -> list[str]:
        """The ids of all commands that have reached it."""
        frames = (json.loads(told["frame"]) for told in self._station.happened if told["event"] == "message")
        return [frame[1] for frame in frames if frame[0] == 2]

    def saying(self, message: Message) -> "Saying":
        """Begins to say something; await it for the answer."""
        action, payload = message
        mark = len(self._station.happened)
        return Saying(asyncio.create_task(self._say(action, payload)), self._station, action, mark)

    async def close(self) -> None:
        await self._station.close()

    async def _say(self, action: str, payload: Any) -> Any:
        while True:
            try:
                return await self._station.call(action, payload, PATIENCE)
            except Disconnected:
                continue


class Saying:
    """A message that is being said. sent(): it has left the station for the first time. answer: what came back."""

    def __init__(self, answer: "asyncio.Task[Any]", station: Station, action: str, mark: int) -> None:
        self.answer = answer
        self._station, self._action, self._mark = station, action, mark

    async def sent(self) -> None:
        def left(happening: dict[str, Any]) -> bool:
            new = self._station.happened.index(happening) >= self._mark
            return new and json.loads(happening["frame"])[2:3] == [self._action]

        await self._station.until("sent", left)
