"""Calls to stations at the addresses that they gave: what may be called, and what became of it."""

import ssl
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from services.common.web.outbound.addresses import wrong_url
from services.common.web.outbound.client import Answer, NotAllowed, Outbound
from services.gateway.settings import Settings
from services.gateway.transport import client_certificate
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.tls_context import CALL_CA, Certificates
from services.ocpp.soap.envelope import CONTENT_TYPE

SETTING = "VOLTBUS_SOAP_ALLOW"
EXAMPLE = "https://cp001.example:8443/ocpp"
DEFAULT_PORTS = {"http": 80, "https": 443}
# Seconds: who has a network connection answers sooner.
CONNECT_TIMEOUT = 5.0
# Seconds that an answer may come late and still be told.
LATE = 30.0
Owner = Callable[[ClientCertificate, str], str | None]
"""Why a certificate does not say that the host of that name is the station; None: it does."""


class Callback:
    """certificates: whom stations have to show one of, and what they are shown."""

    def __init__(self, settings: Settings, certificates: Certificates) -> None:
        self._networks, self._ports, self._limit = settings.soap_allow, settings.soap_call_ports, settings.message_size
        timeout = settings.command_timeout + LATE
        self._outbound = Outbound(
            self._networks,
            timeout,
            setting=SETTING,
            connect_timeout=min(CONNECT_TIMEOUT, timeout),
            reuse=False,
            context=lambda: certificates.calls,
        )
        self._certificates = certificates

    def fault(self, address: str) -> str | None:
        """Why it may not be called, as far as that can be said without a look at where its name leads."""
        if problem := wrong_url(address, self._networks, EXAMPLE):
            return f"its address {problem.replace('VOLTBUS_OUTBOUND_ALLOW', SETTING)}"
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        if any(first <= port <= last for first, last in self._ports):
            return None
        return f"the port {port} of its address is not allowed (VOLTBUS_SOAP_CALL_PORTS)"

    async def post(self, address: str, action: str, document: bytes, owner: Owner) -> Answer:
        """owner: says why a certificate is not one of the station.

        Raises NoAnswer; NotConnected where nothing was sent, NotAllowed where nothing ever will be.
        """
        if problem := self.fault(address):
            raise NotAllowed(problem)
        headers = {
            "Content-Type": f'{CONTENT_TYPE}; action="/{action}"',
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
        check = partial(_wrong, urlsplit(address).hostname or "", owner) if self._certificates.has(CALL_CA) else None
        return await self._outbound.post(address, headers, document, self._limit, check)

    async def close(self) -> None:
        await self._outbound.close()


def _wrong(host: str, owner: Owner, ssl_object: ssl.SSLObject) -> str | None:
    certificate = client_certificate.of(ssl_object)
    return owner(certificate, host) if certificate else "it has shown no certificate"
