"""What trusted proxies in front of the gateway say of a station: its address, its TLS, its certificate. Pure."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from services.common.process.errors import Misconfigured
from services.gateway.settings import CertificateHeader, ForwardedHeader, Settings
from services.gateway.transport import spoken_tls
from services.gateway.transport.certificate_headers import READERS, Chain, Headers
from services.gateway.transport.spoken_tls import SpokenTls

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECURE = ("https", "wss")
# One pair of Forwarded (RFC 7239 §4), and what may stand between two, or between two elements.
PAIR = re.compile(r"""([!#$%&'*+.^_`|~\w-]+)=("(?:[^"\\]|\\.)*"|[!#$%&'*+.^_`|~\w:\[\]-]*)""", re.ASCII)
COMMA = re.compile(r",\s*")
SEPARATOR = re.compile(r"\s*([;,][\s;,]*)")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request is from. address: of the station. secured: it speaks TLS. certificates: that it has shown to a
    proxy, its own first. tls: what it speaks, as far as that is known.
    """

    address: str
    secured: bool
    certificates: Chain = ()
    tls: SpokenTls = spoken_tls.NONE


@dataclass(frozen=True, slots=True)
class Proxies:
    """Those that are trusted. forwarded, certificate: the headers in which they say of whom a request is.

    proto: they also set by what it came to them; where they do not, what is there is the station's own word.
    tls: the headers that they set to its version and cipher; empty: they set none.
    """

    networks: tuple[Network, ...] = ()
    forwarded: ForwardedHeader = ForwardedHeader.NONE
    proto: bool = False
    certificate: CertificateHeader = CertificateHeader.NONE
    tls: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "Proxies":
        return cls(
            tuple(settings.gateway_trusted_proxies),
            settings.gateway_forwarded_header,
            settings.gateway_forwarded_proto,
            settings.gateway_client_certificate_header,
            tuple(settings.gateway_forwarded_tls),
        )

    def check(self, *, proxy_protocol: bool) -> None:
        """Raises Misconfigured where nobody is trusted with what is to be trusted."""
        if not self.networks and (proxy_protocol or self.proto or self.certificate is not CertificateHeader.NONE):
            raise Misconfigured("VOLTBUS_GATEWAY_TRUSTED_PROXIES: set the networks of the proxies, such as 10.0.0.0/8")

    def trusts(self, address: str) -> bool:
        """Whether what comes from there counts."""
        known = _address(address)
        return known is not None and any(known in network for network in self.networks)

    def origin(self, address: str, headers: Headers) -> Origin | None:
        """By what a trusted proxy says; None: it is none, or says nothing of whom a request is, so the socket counts.

        address: from where the request came. Raises ValueError for a certificate that cannot be read.
        """
        if not self.networks or not self.trusts(address):
            return None
        hops = _HOPS[self.forwarded](headers)
        certificates = READERS[self.certificate](headers)
        if not hops and self.certificate is CertificateHeader.NONE:
            return None
        # By TLS came the proxy.
        secured = False
        # From the nearest: who is trusted says who came to it.
        for hop in reversed(hops):
            if (known := _address(hop.address)) is None:
                break
            address, secured = str(known), hop.secured and self.proto
            if not self.trusts(address):
                break
        secured = secured or bool(certificates)
        return Origin(address, secured, certificates, self._tls(headers) if secured else spoken_tls.NONE)

    def _tls(self, headers: Headers) -> SpokenTls:
        """Of a header that is there twice, one may be the station's word."""
        found = map(headers, self.tls)
        return spoken_tls.told(*(one[0] if len(one) == 1 else "" for one in found))


@dataclass(frozen=True, slots=True)
class _Hop:
    """Who came to a proxy, and whether by TLS."""

    address: str
    secured: bool


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """As a proxy writes it: with a port, in brackets. None: it is no address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped) or found


def _no_hops(_: Headers) -> list[_Hop]:
    return []


def _x_forwarded_for(headers: Headers) -> list[_Hop]:
    """X-Forwarded-Proto is of all: proxies set it, or add to it, so every word of it must be good."""
    protocols = [one.strip().lower() for one in ",".join(headers("X-Forwarded-Proto")).split(",")]
    secured = all(one in SECURE for one in protocols)
    found = ",".join(headers("X-Forwarded-For")).split(",")
    return [_Hop(one.strip(), secured) for one in found if one.strip()]


def _forwarded(headers: Headers) -> list[_Hop]:
    """RFC 7239. Of what cannot be read, nothing before it counts, for a station may have written it."""
    hops: list[dict[str, str]] = [{}]
    text, position = ",".join(headers("Forwarded")).strip(), 0
    while position < len(text):
        pair = PAIR.match(text, position)
        if pair is None:
            # Its proxy is known by what comes after, of which the beginning is not.
            hops, position = [{"for": "unknown"}], _next(text, position)
            continue
        hops[-1][pair[1].lower()] = _unquoted(pair[2])
        position = pair.end()
        if position < len(text):
            separator = SEPARATOR.match(text, position)
            if separator is None:
                hops, position = [{"for": "unknown"}], _next(text, position)
            else:
                position = separator.end()
                if "," in separator[1]:
                    hops.append({})
    return [_Hop(one.get("for", "unknown"), one.get("proto", "").lower() in SECURE) for one in hops if one]


def _next(text: str, position: int) -> int:
    """Where the next element begins."""
    comma = COMMA.search(text, position)
    return comma.end() if comma else len(text)


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


_HOPS: dict[ForwardedHeader, Callable[[Headers], list[_Hop]]] = {
    ForwardedHeader.NONE: _no_hops,
    ForwardedHeader.X_FORWARDED_FOR: _x_forwarded_for,
    ForwardedHeader.FORWARDED: _forwarded,
}
