"""Stations played by clients of npm: ocpp-rpc, or em-ocpp-chargepoint-simulator for 1.6; one Node process for each."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from tests.clients.faults import CallRefused, Disconnected
from tests.patience import GIVE_UP

ROOT = Path(__file__).parents[2]
NODE = ROOT / ".venv" / "bin" / "node"
# The versions of which ocpp-rpc has the schemas.
KNOWN = ("1.6", "2.0.1")
OCPP_RPC, SIMULATOR = "station.mjs", "em.mjs"

Happening: TypeAlias = dict[str, Any]


class Station:
    """One station; `happened` holds everything it told, oldest first; `asked` the CALLs to it: (action, payload)."""

    def __init__(self, node: "Node", name: str) -> None:
        self._node, self.name = node, name
        self.happened: list[Happening] = []
        self.asked: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._news = asyncio.Event()

    async def call(self, action: str, payload: Any, timeout: float = GIVE_UP) -> Any:
        """The payload of the answer. Raises CallRefused for a CALLERROR, Disconnected when the connection ends."""
        return await self._node.order("call", station=self.name, action=action, payload=payload, timeout=timeout * 1000)

    async def raw(self, frame: str) -> None:
        await self._node.order("raw", station=self.name, frame=frame)

    async def prepare(self, action: str, answer: Any) -> None:
        """From now on it answers an action so; see Node.connect()."""
        await self._node.order("prepare", station=self.name, action=action, answer=answer)

    async def answer_now(self, action: str, payload: Any) -> None:
        """The answer that it was to give later."""
        await self._node.order("answer", station=self.name, action=action, answer=payload)

    async def close(self) -> None:
        await self._node.order("close", station=self.name)

    async def until(self, event: str, wanted: Callable[[Happening], bool] = lambda _: True) -> Happening:
        """The first happening of that kind that is wanted, past or to come."""
        async with asyncio.timeout(GIVE_UP):
            while True:
                self._news.clear()
                for happening in self.happened:
                    if happening["event"] == event and wanted(happening):
                        return happening
                await self._news.wait()

    async def answer(self, message_id: str) -> list[Any]:
        """The frame that answers a CALL which was sent raw."""

        def answers(happening: Happening) -> bool:
            frame = json.loads(happening["frame"])
            return bool(frame[0] in (3, 4) and frame[1] == message_id)

        frame: list[Any] = json.loads((await self.until("message", answers))["frame"])
        return frame

    def tell(self, happening: Happening) -> None:
        self.happened.append(happening)
        if happening["event"] == "call":
            self.asked.put_nowait((happening["action"], happening["payload"]))
        self._news.set()


class Node:
    """The process; `orders` go in, results and what stations tell come out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._stations: dict[str, Station] = {}

    async def connect(
        self,
        endpoint: str,
        identity: str,
        protocol: str,
        password: str | None = None,
        answers: dict[str, Any] | None = None,
        **options: Any,
    ) -> Station:
        """A connected station in strict mode: what breaks a schema, in either direction, fails.

        endpoint: without the station's id. answers: by action, a payload, {"error": code}, {"silence": true}, or
        {"later": true} for an answer that answer_now() gives. The simulator knows payloads only, and is never strict.
        Raises CallRefused with the HTTP status as its code where the handshake is refused.
        """
        name = f"{identity}#{next(self._ids)}"
        station = self._stations[name] = Station(self, name)
        settings = {"protocols": [protocol], "strictMode": True, "reconnect": False, "password": password}
        settings |= {"endpoint": endpoint, "identity": identity, "station": name, "answers": answers} | options
        await self.order("connect", options=settings)
        return station

    async def order(self, order: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": number, "order": order, **arguments}).encode() + b"\n")
        async with asyncio.timeout(GIVE_UP):
            return await answer

    async def read(self) -> None:
        """Until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "event" in told:
                self._stations[told["station"]].tell(told)
            elif not (answer := self._waiting.pop(told["id"])).done():
                _settle(answer, told)


def _settle(answer: "asyncio.Future[Any]", told: dict[str, Any]) -> None:
    if error := told.get("error"):
        kind = Disconnected if error["code"] in ("AbortError", "TimeoutError", "Error") else CallRefused
        answer.set_exception(kind(error["code"], error["message"]))
    else:
        answer.set_result(told["result"])


@asynccontextmanager
async def node(script: str = OCPP_RPC) -> AsyncIterator[Node]:
    """The process that plays with OCPP_RPC or SIMULATOR, until the block ends."""
    path, pipe = Path(__file__).with_name(script), asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(NODE, path, stdin=pipe, stdout=pipe, limit=2**24)
    running = Node(process)
    reader = asyncio.create_task(running.read())
    try:
        yield running
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await reader
