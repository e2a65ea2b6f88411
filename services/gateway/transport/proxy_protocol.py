"""The PROXY protocol, versions 1 and 2: what a proxy says of a connection before its first byte. Pure.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from services.gateway.transport import spoken_tls
from services.gateway.transport.spoken_tls import SpokenTls

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V1 = b"PROXY "
# The shortest header of all is "PROXY UNKNOWN\r\n"; that of version 2 begins with so many bytes.
SHORTEST, FIXED = 15, 16
# Of version 1, with its end of line; of version 2, its addresses and what else it says.
LONGEST_V1, LONGEST_V2 = 107, 4096
PROXIED, LOCAL = 0x21, 0x20
# Family and transport, by the byte of both: how many bytes an address has.
SIZES = {0x11: 4, 0x21: 16}
# What may be said beside the addresses: of TLS, whose first bit is that the client spoke it; after five bytes, in which
# version and with which cipher.
TLS, SPOKEN, TLS_FIXED = 0x20, 0x01, 5
TLS_VERSION, TLS_CIPHER = 0x21, 0x23


class NotProxied(ValueError):
    """The bytes are no header of the PROXY protocol."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """What a proxy says. address: of the client; empty: the connection is the proxy's own. secured: by TLS to it."""

    address: str = ""
    secured: bool = False
    tls: SpokenTls = spoken_tls.NONE


DIRECT = Proxied()


def missing(head: bytes) -> int:
    """How many bytes are certainly still of the header; 0: it is whole. Raises NotProxied."""
    if len(head) < SHORTEST:
        return SHORTEST - len(head)
    if head.startswith(V1):
        return _missing_v1(head)
    if not head.startswith(SIGNATURE):
        raise NotProxied
    if len(head) < FIXED:
        return FIXED - len(head)
    size = int.from_bytes(head[14:FIXED])
    if size > LONGEST_V2:
        raise NotProxied
    return FIXED + size - len(head)


def read(head: bytes) -> Proxied:
    """What a whole header says. Raises NotProxied."""
    return _read_v1(head) if head.startswith(V1) else _read_v2(head)


def _missing_v1(head: bytes) -> int:
    if head.endswith(b"\r\n"):
        return 0
    if len(head) >= LONGEST_V1:
        raise NotProxied
    return 1


def _read_v1(head: bytes) -> Proxied:
    try:
        words = head.removesuffix(b"\r\n").decode("ascii").split(" ")
        if words[1] == "UNKNOWN":
            return DIRECT
        _, family, source, target, *ports = words
        addresses = {ipaddress.ip_address(source).version, ipaddress.ip_address(target).version}
    except ValueError:
        raise NotProxied from None
    if addresses != {4 if family == "TCP4" else 6} or family not in ("TCP4", "TCP6") or len(ports) != 2:
        raise NotProxied
    return Proxied(_unmapped(source))


def _read_v2(head: bytes) -> Proxied:
    command, family = head[12], head[13]
    if command == LOCAL:
        return DIRECT
    if command != PROXIED:
        raise NotProxied
    if (size := SIZES.get(family)) is None:
        # Another protocol, or none that is said: then it counts as the proxy's own.
        return DIRECT
    rest = FIXED + 2 * size + 4
    if len(head) < rest:
        raise NotProxied
    address = _unmapped(head[FIXED : FIXED + size])
    tls = next((value for kind, value in _said(head[rest:]) if kind == TLS), b"")
    return Proxied(address, True, _tls(tls[TLS_FIXED:])) if tls and tls[0] & SPOKEN else Proxied(address)


def _unmapped(address: str | bytes) -> str:
    """Also of one of IPv4 that a proxy of both writes as one of IPv6."""
    found = ipaddress.ip_address(address)
    return str((isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped) or found)


def _tls(said: bytes) -> SpokenTls:
    words = {kind: value.decode("ascii", "replace") for kind, value in _said(said)}
    return spoken_tls.told(words.get(TLS_VERSION, ""), words.get(TLS_CIPHER, ""))


def _said(said: bytes) -> Iterator[tuple[int, bytes]]:
    """What is said beside something else: kind, length, value. Raises NotProxied."""
    while said:
        if len(said) < 3:
            raise NotProxied
        kind, size = struct.unpack_from("!BH", said)
        value, said = said[3 : 3 + size], said[3 + size :]
        if len(value) < size:
            raise NotProxied
        yield kind, value
