"""HTTP to addresses that somebody else has chosen: guarded, without redirects, bounded in time and in bytes."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore

from services.common.web.outbound.guard import Network, allowed

BROKEN = (
    *(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol),
    *(ssl.SSLError, OSError, ValueError),
)
Check = Callable[[ssl.SSLObject], str | None]
"""What is wrong with the other end of a TLS connection; None: nothing is."""
# Of an answer that is read, so that its connection can be used again. Nothing is done with it.
MOST_READ = 64 * 1024
USER_AGENT = b"Voltbus"


@dataclass(frozen=True, slots=True)
class Answer:
    """retry_after: seconds, as its header says; None if it does not. content: as it came, where it is kept; else empty.

    named: headers by their name in small letters.
    """

    status: int
    retry_after: float | None
    content: bytes = b""
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


class NoAnswer(Exception):
    """Why there is none, in words."""


class NotConnected(NoAnswer):
    """Nothing was sent."""


class NotAllowed(NotConnected):
    """Nothing was sent, and never will be to this address."""


class _Forbidden(httpcore.ConnectError):
    """What a name leads to is not allowed."""


class Outbound:
    """networks: that are allowed beside the internet; HTTP without TLS leads to these alone. timeout: for all of it.

    setting: that names the networks. connect_timeout: of the connection alone (as long as all). reuse: whether a
    connection is used again (it is): one that the other end has just closed leaves open what became of a request.
    context: of TLS connections that begin now; None: as any client's. plain: HTTP without TLS may lead to the
    internet too, for what is signed itself, such as OCSP and CRLs.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        timeout: float,
        *,
        setting: str = "VOLTBUS_OUTBOUND_ALLOW",
        connect_timeout: float | None = None,
        reuse: bool = True,
        context: Callable[[], ssl.SSLContext | None] = lambda: None,
        plain: bool = False,
    ) -> None:
        self._context, self._plain = context, plain
        self._networks, self._timeout, self._setting, self._reuse = networks, timeout, setting, reuse
        self._extensions: Mapping[str, Any] = (
            {} if connect_timeout is None else {"timeout": {"connect": connect_timeout}}
        )
        self._pools: dict[bytes, tuple[ssl.SSLContext | None, httpcore.AsyncConnectionPool]] = {}

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, keep: int = 0, check: Check | None = None
    ) -> Answer:
        """keep: bytes of the answer, which has no more; 0: it says nothing. check: before anything is sent by a new
        TLS connection. Raises NoAnswer.
        """
        return await self._ask("POST", url, headers, content, keep, check)

    async def get(self, url: str, headers: Mapping[str, str], keep: int) -> Answer:
        """keep: bytes of the answer, which has no more. Raises NoAnswer."""
        return await self._ask("GET", url, headers, None, keep, None)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, keep: int, check: Check | None
    ) -> Answer:
        extensions = {**self._extensions, "trace": _Checking(check)} if check else self._extensions
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(method, httpcore.URL(url), headers, content, keep, extensions)
        except TimeoutError:
            raise NoAnswer(f"no answer within {self._timeout:g} s") from None
        except _Forbidden as error:
            raise NotAllowed(_words(error)) from None
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise NotConnected(_words(error)) from None
        except BROKEN as error:
            raise NoAnswer(_words(error)) from None

    async def close(self) -> None:
        pools, self._pools = self._pools, {}
        for _, pool in pools.values():
            await pool.aclose()

    async def _send(
        self,
        method: str,
        url: httpcore.URL,
        headers: Mapping[str, str],
        content: bytes | None,
        keep: int,
        extensions: Mapping[str, Any],
    ) -> Answer:
        given = [(b"user-agent", USER_AGENT), *((name.encode(), value.encode()) for name, value in headers.items())]
        asked = self._pool(url.scheme).stream(method, url, headers=given, content=content, extensions=dict(extensions))
        async with asked as response:
            read, kept = 0, bytearray()
            async for part in response.aiter_stream():
                if keep and read + len(part) > keep:
                    raise NoAnswer(f"its answer is longer than {keep} bytes")
                if (read := read + len(part)) > MOST_READ and not keep:
                    break
                if keep:
                    kept += part
            named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, _seconds(named.get("retry-after")), bytes(kept), named)

    def _pool(self, scheme: bytes) -> httpcore.AsyncConnectionPool:
        context = self._context()
        known = self._pools.get(scheme)
        if known is not None and known[0] is context:
            return known[1]
        # What the one before has under way goes on.
        pool = httpcore.AsyncConnectionPool(
            ssl_context=context or ssl.create_default_context(),
            # More than there are webhooks that may wait for an answer: none waits for another.
            max_connections=1000,
            max_keepalive_connections=100 if self._reuse else 0,
            keepalive_expiry=4,
            network_backend=_Guarded(self._networks, public=self._plain or scheme == b"https", setting=self._setting),
        )
        self._pools[scheme] = context, pool
        return pool


class _Checking:
    """Looks at a TLS connection before anything is sent by it, as httpcore tells of it."""

    def __init__(self, check: Check) -> None:
        self._check = check

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event != "connection.start_tls.complete":
            return
        stream = info["return_value"]
        if problem := self._check(stream.get_extra_info("ssl_object")):
            await stream.aclose()
            raise httpcore.ConnectError(problem)


class _Guarded(httpcore.AsyncNetworkBackend):
    """Resolves a name once, and connects to the address that was looked at: a second answer could be another."""

    def __init__(self, networks: Sequence[Network], public: bool, setting: str) -> None:
        self._networks, self._public, self._setting = networks, public, setting
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await self._resolve(host, port)
        for address in others:
            with contextlib.suppress(*BROKEN):
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._backend.connect_tcp(last, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _resolve(self, host: str, port: int) -> list[str]:
        """At least one."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("its name is not known") from None
        addresses = allowed(dict.fromkeys(str(one[4][0]) for one in found), self._networks, public=self._public)
        if not addresses:
            raise _Forbidden(f"its address is not allowed ({self._setting})")
        return addresses


def _words(error: Exception) -> str:
    if isinstance(error, httpcore.ConnectError):
        return f"cannot connect: {error}"
    return f"{type(error).__name__}: the connection broke"


def _seconds(retry_after: str | None) -> float | None:
    """RFC 9110 §10.2.3: seconds, or a date."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
