"""The ports of stations: from a socket, past what a proxy says of it and past TLS, to the protocol of a station."""

import asyncio
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from services.common.process.errors import Misconfigured
from services.gateway import metrics, strangers
from services.gateway.settings import CertificateHeader, Settings
from services.gateway.timing import Clocks, Timing
from services.gateway.transport import client_certificate, spoken_tls
from services.gateway.transport.certificate_headers import Headers
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.proxied import ProxiedProtocol
from services.gateway.transport.proxies import Origin, Proxies
from services.gateway.transport.proxy_protocol import DIRECT, Proxied
from services.gateway.transport.tls import HandshakeOutcome, TlsProtocol
from services.gateway.transport.tls_context import CLIENT_CA, Certificates
from services.gateway.transport.tls_handshakes import Handshakes

Above = Callable[[Proxied], Any]
"""Makes the protocol of a station, which has a buffer, of what a proxy said."""


class Ports:
    """What all of them share: certificates, whose turn it is to shake hands, and the proxies in front."""

    def __init__(self, settings: Settings, clocks: Clocks, timing: Timing) -> None:
        self._settings, self._timing = settings, timing
        self.proxies = Proxies.of(settings)
        self.certificates = Certificates(settings, timing.certificates_interval, clocks.wall)
        self._handshakes: Handshakes | None = None

    def open(self) -> None:
        """Before the first of them. Raises Misconfigured."""
        settings = self._settings
        self.proxies.check(proxy_protocol=settings.gateway_proxy_protocol)
        self.certificates.open()
        shown = self.certificates.has(CLIENT_CA)
        if self.proxies.certificate is not CertificateHeader.NONE and not shown:
            raise Misconfigured("VOLTBUS_GATEWAY_TLS_CLIENT_CA: set the CAs that certificates of stations lead to")
        if shown and not settings.cpo_names:
            raise Misconfigured("VOLTBUS_CPO_NAMES: set the organizations that certificates of stations have")
        if self.secured:
            self._handshakes = Handshakes()

    @property
    def secured(self) -> bool:
        """Whether there is a certificate to open a port for TLS with."""
        return self.certificates.serving

    def origin(
        self, said: Proxied, tls: ssl.SSLObject | None, headers: Headers
    ) -> tuple[Origin, ClientCertificate | None]:
        """Where a request is from, and which certificate its station has shown. Raises ValueError for one that cannot
        be read. said: from where it came, and whether by TLS to there. tls: by which it came.
        """
        origin = self.proxies.origin(said.address, headers)
        if origin is None:
            secured = said.secured or tls is not None
            spoken = spoken_tls.of(tls) if tls else said.tls
            return Origin(said.address, secured, tls=spoken), client_certificate.of(tls) if tls else None
        # Of the socket it is the proxy's.
        return origin, client_certificate.read_chain(origin.certificates, self.certificates.trusted)

    async def listen(
        self, above: Above, port: int, variable: str, *, secured: bool = False, backlog: int
    ) -> asyncio.Server:
        """secured: by TLS. variable: that says the port. Raises Misconfigured."""
        host, protocol = self._settings.host, partial(self._secured, above) if secured else above
        make: Callable[[], asyncio.BaseProtocol] = partial(protocol, DIRECT)
        if self._settings.gateway_proxy_protocol:
            make = partial(ProxiedProtocol, self.proxies.trusts, protocol, self._timing.handshake_timeout)
        try:
            return await asyncio.get_running_loop().create_server(make, host, port, backlog=backlog)
        except OSError as error:
            problem = f"cannot listen on {host}:{port} ({error.strerror})"
            raise Misconfigured(f"{problem}: stop what uses it, or set {variable}") from None

    def _secured(self, above: Above, said: Proxied) -> TlsProtocol:
        assert self._handshakes is not None
        return TlsProtocol(
            lambda: self.certificates.context,
            partial(above, said),
            self._handshakes,
            self._timing.tls_timeout,
            partial(_count_handshake, said),
        )


def _count_handshake(said: Proxied, outcome: HandshakeOutcome, remote_address: str, reason: str) -> None:
    metrics.TLS_HANDSHAKES.labels(outcome).inc()
    if outcome is not HandshakeOutcome.DONE:
        # A client that leaves before it has begun is mostly somebody who asks whether the port is open.
        tell = strangers.log.debug if outcome is HandshakeOutcome.GONE else strangers.log.info
        tell("no TLS", outcome=outcome, reason=reason, remote=said.address or remote_address)
