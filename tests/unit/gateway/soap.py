"""A station that speaks SOAP: asks over HTTP, and listens at an address of its own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.ocpp.soap import envelope
from services.ocpp.soap.envelope import Envelope
from services.ocpp.soap.spellings import SPELLINGS
from tests.patience import GIVE_UP

HEARTBEAT = "<o:heartbeatRequest/>"
HEAD = b"Content-Type: application/soap+xml; charset=utf-8\r\nConnection: close\r\n"


def asked(body: str = HEARTBEAT, *, version: str = "1.5", identity: str = "CP1", address: str = "") -> bytes:
    """The message that a station sends. body: with the prefix `o`."""
    action = body[3:].partition("Request")[0].capitalize()
    return envelope.request(
        body,
        SPELLINGS[version].central_system,
        action=action,
        identity=identity,
        message_id="urn:uuid:6f7cd6a0-0000-4000-8000-000000000001",
        to="http://central",
        address=address,
    )


async def post(url: str, document: bytes, *, verify: ssl.SSLContext | bool = True, **options: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=GIVE_UP, verify=verify) as client:
        return await client.post(url, content=document, **options)


def said(response: httpx.Response) -> Envelope:
    return envelope.read(response.content)


def payload(response: httpx.Response, action: str, version: str = "1.5") -> dict[str, Any]:
    """What the answer of an action says."""
    assert response.status_code == 200, response.text
    body = said(response).body
    assert body is not None
    assert envelope.action_of(body, "Response") == action
    return SPELLINGS[version].read_response(action, body)


Answer = Callable[[Envelope], tuple[int, bytes]]


@dataclass
class Listening:
    """Where a station listens. heard: what it was asked; answer: to each, status and body."""

    address: str
    answer: Answer
    heard: list[Envelope] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return writer.close()
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        self.heard.append(envelope.read(await reader.readexactly(length)))
        status, body = self.answer(self.heard[-1])
        if status:
            writer.write(b"HTTP/1.1 %d x\r\n%bContent-Length: %d\r\n\r\n%b" % (status, HEAD, len(body), body))
            await writer.drain()
            writer.close()
        return None


def answered(body: str, version: str = "1.5") -> Answer:
    """With that body, whatever is asked."""

    def answer(request: Envelope) -> tuple[int, bytes]:
        namespace = SPELLINGS[version].charge_point
        return 200, envelope.response(body, namespace, action="X", message_id="a", relates_to=request.message_id)

    return answer


@asynccontextmanager
async def listening(answer: Answer, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Listening]:
    """A station that can be called."""
    one = Listening("", answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", port, ssl=tls)
    one.address = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
    try:
        yield one
    finally:
        server.close()
