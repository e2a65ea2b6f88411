"""Hands requests on to a process on this machine, and its answers back, as they come: neither is held as a whole."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence

import httpcore
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from services.common.web.problem_types import ProblemType
from services.common.web.problems import Problem, response

Headers = list[tuple[bytes, bytes]]
Address = tuple[str, int]

# RFC 9110 §7.6.1: of one connection, and not of what is handed on; beside those that `Connection` names.
HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
# Answered here: whoever waits for a 100 is told to go on when the process asks for the body.
OF_REQUESTS = HOP_BY_HOP | {b"expect"}
# The server that this runs in says them itself.
OF_ANSWERS = HOP_BY_HOP | {b"date", b"server"}
CHUNKED = (b"transfer-encoding", b"chunked")
# Seconds. After that an answer may take as long as it likes: some go on for ever.
TIMEOUTS = {"connect": 5.0, "pool": 5.0}
# Nothing was asked yet.
UNREACHABLE = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)
BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


def connections() -> httpcore.AsyncConnectionPool:
    """For all proxies of a process. An idle one is closed before the other side does so (uvicorn: 5 s)."""
    return httpcore.AsyncConnectionPool(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=2)


class ReverseProxy:
    """One service, in ASGI.

    name: for people. addresses: of its processes, host and port; where one takes no connection, the next is asked.
    """

    def __init__(self, name: str, addresses: Sequence[Address], pool: httpcore.AsyncConnectionPool) -> None:
        self._name, self._addresses, self._pool = name, addresses, pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(scope, receive)
        answering = asyncio.create_task(self._answer(scope, body, send))
        gone = asyncio.create_task(body.gone())
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Of a client that is gone; what it asked for ends with the connection to the process.
            answering.cancel()
            gone.cancel()
            await asyncio.wait({answering, gone})
        if not answering.cancelled():
            answering.result()

    async def _answer(self, scope: Scope, body: "_Body", send: Send) -> None:
        try:
            for address in self._addresses:
                try:
                    return await self._ask(address, scope, body, send)
                except UNREACHABLE:
                    continue
            raise Problem(503, f"{self._name} does not answer: try again", headers={"Retry-After": "1"})
        except Problem as problem:
            await response(problem)(scope, _nothing, send)
        except ClientDisconnect:
            pass

    async def _ask(self, address: Address, scope: Scope, body: "_Body", send: Send) -> None:
        """Without an end of the answer, where it broke off: the client must not take a part for the whole."""
        host, port = address
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        url = httpcore.URL(scheme=b"http", host=host.encode(), port=port, target=target)
        headers = _kept(scope["headers"], OF_REQUESTS) + ([CHUNKED] if body.chunked else [])
        content, began = body.parts() if body.expected else None, False
        try:
            async with self._pool.stream(
                scope["method"], url, headers=headers, content=content, extensions={"timeout": TIMEOUTS}
            ) as answer:
                began = True
                kept = _kept(answer.headers, OF_ANSWERS)
                await send({"type": "http.response.start", "status": answer.status, "headers": kept})
                async for part in answer.aiter_stream():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except UNREACHABLE:
            raise
        except BROKEN:
            if not began:
                detail = f"{self._name} broke off before it answered: see whether it has done what was asked"
                raise Problem(502, detail, kind=ProblemType.BROKEN_OFF) from None


class _Body:
    """What comes of a client. chunked: without a length. expected: whether there is a body."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        named = dict(scope["headers"])
        self.chunked = b"transfer-encoding" in named
        self.expected = self.chunked or named.get(b"content-length", b"0") != b"0"
        self._receive, self._read = receive, asyncio.Event()
        if not self.expected:
            self._read.set()

    async def parts(self) -> AsyncIterator[bytes]:
        """The body, once. Raises ClientDisconnect."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            if part := message.get("body"):
                yield part
        self._read.set()

    async def gone(self) -> None:
        """Returns when the client is gone; that is not known while its body is read."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _kept(headers: Iterable[tuple[bytes, bytes]], dropped: Collection[bytes]) -> Headers:
    """Without those that are of one connection."""
    lowered = [(name.lower(), value) for name, value in headers]
    named = {one.strip().lower() for name, value in lowered if name == b"connection" for one in value.split(b",")}
    return [(name, value) for name, value in lowered if name not in dropped and name not in named]


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
