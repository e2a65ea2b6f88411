"""Calls to stations at the addresses that they gave: what may be called, and what became of it."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from services.common.web.outbound.addresses import wrong_url
from services.common.web.outbound.client import Answer, NotAllowed, Outbound
from services.common.web.outbound.guard import Network
from services.gateway.settings import PortRange
from services.ocpp.soap.envelope import CONTENT_TYPE

SETTING = "VOLTBUS_SOAP_ALLOW"
DEFAULT_PORTS = {"http": 80, "https": 443}
# Seconds: who has a network connection answers sooner.
CONNECT_TIMEOUT = 5.0


class Callback:
    """networks: of stations, beside the internet. ports: that may be called. timeout: seconds. limit: of an answer."""

    def __init__(self, networks: Sequence[Network], ports: Sequence[PortRange], timeout: float, limit: int) -> None:
        self._networks, self._ports, self._limit = networks, ports, limit
        self._outbound = Outbound(
            networks, timeout, setting=SETTING, connect_timeout=min(CONNECT_TIMEOUT, timeout), reuse=False
        )

    def fault(self, address: str) -> str | None:
        """Why it may not be called, as far as that can be said without a look at where its name leads."""
        if problem := wrong_url(address, self._networks):
            return f"its address {problem.replace('VOLTBUS_OUTBOUND_ALLOW', SETTING)}"
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        if any(first <= port <= last for first, last in self._ports):
            return None
        return f"the port {port} of its address is not allowed (VOLTBUS_SOAP_CALL_PORTS)"

    async def post(self, address: str, action: str, document: bytes) -> Answer:
        """Raises NoAnswer; NotConnected where nothing was sent, NotAllowed where nothing ever will be."""
        if problem := self.fault(address):
            raise NotAllowed(problem)
        headers = {
            "Content-Type": f'{CONTENT_TYPE}; action="/{action}"',
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
        return await self._outbound.post(address, headers, document, self._limit)

    async def close(self) -> None:
        await self._outbound.close()
