"""Which addresses may be connected to: those of the internet, and of networks that are named. Pure.

An address that somebody writes into a request must not lead into our own network (server-side request forgery,
CWE-918): not to services beside us, nor to what a cloud tells its machines at 169.254.169.254.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IPv6 that leads to an IPv4 address which stands at its end (RFC 6052), or after the prefix (6to4).
NAT64 = IPv6Network("64:ff9b::/96")
# What counts as global, and leads into networks of one's own: site-local (RFC 3879), IPv4-compatible (RFC 4291), NAT64
# of one's own (RFC 8215), segment routing (RFC 9602), and what Azure tells its machines.
OWN: Sequence[Network] = (
    *(IPv6Network(one) for one in ("fec0::/10", "::/96", "64:ff9b:1::/48", "5f00::/16")),
    IPv4Network("168.63.129.16/32"),
)


def allowed(addresses: Iterable[str], networks: Sequence[Network], *, public: bool = True) -> list[str]:
    """Those that may be connected to, in their order. public: those of the internet may be."""
    return [written for written in addresses if _is_allowed(written, networks, public)]


# A network so large is named to reach the internet, and does not mean what is within it of one's own.
WIDE = {4: 8, 6: 7}


def _is_allowed(written: str, networks: Sequence[Network], public: bool) -> bool:
    address = _meant(ip_address(written.partition("%")[0]))
    named = any(
        address.version == network.version
        and address in network
        and (address.is_global or network.prefixlen >= WIDE[network.version])
        for network in networks
    )
    own = any(address.version == network.version and address in network for network in OWN)
    return named or (public and address.is_global and not address.is_multicast and not own)


def _meant(address: Address) -> Address:
    """Where it really leads."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
