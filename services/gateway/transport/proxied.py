"""A connection that begins with a header of the PROXY protocol: that is read, and no byte more; the station is next."""

import asyncio
from collections.abc import Callable
from typing import Any

from services.gateway import metrics, strangers
from services.gateway.transport.answers import UNANSWERED
from services.gateway.transport.proxy_protocol import DIRECT, NotProxied, Proxied, missing, read


class ProxiedProtocol(asyncio.BufferedProtocol):
    """trusts: whether an address is that of a proxy, which begins so; others do not.

    above: makes the protocol of what follows, of what the proxy said. timeout: seconds that the header may take.
    """

    def __init__(self, trusts: Callable[[str], bool], above: Callable[[Proxied], Any], timeout: float) -> None:
        self._trusts, self._make_above, self._timeout = trusts, above, timeout
        self._head, self._part = bytearray(), bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._peer = peername(transport)
        if self._trusts(self._peer):
            self._timer = asyncio.get_running_loop().call_later(self._timeout, self._give_up, "nothing in time")
        else:
            self._hand_over(DIRECT)

    def get_buffer(self, _: int) -> memoryview:
        self._part = bytearray(missing(bytes(self._head)))
        return memoryview(self._part)

    def buffer_updated(self, nbytes: int) -> None:
        self._head += self._part[:nbytes]
        try:
            if missing(bytes(self._head)) == 0:
                said = read(bytes(self._head))
                self._stop_timer()
                self._hand_over(said)
        except NotProxied:
            self._give_up("no header of the PROXY protocol")

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _: Exception | None) -> None:
        self._stop_timer()
        if self._head:
            metrics.HANDSHAKES.labels(UNANSWERED).inc()

    def _hand_over(self, said: Proxied) -> None:
        above = self._make_above(said)
        self._transport.set_protocol(above)
        above.connection_made(self._transport)

    def _give_up(self, reason: str) -> None:
        strangers.log.warning("a trusted proxy does not say whom it serves", reason=reason, proxy=self._peer)
        self._transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def peername(transport: Any) -> str:
    """The address at the other end of a socket; empty: it is not known."""
    address = transport.get_extra_info("peername")
    return str(address[0]) if address else ""
