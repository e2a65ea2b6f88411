"""Addresses that somebody writes into a request, as far as they can be judged before they are called."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from services.common.web.outbound.guard import Network, allowed

HOOK = "https://billing.example/hooks"


def wrong_url(url: str, networks: Sequence[Network], example: str = HOOK, *, plain: bool = False) -> str | None:
    """What is wrong with it; None if nothing is. networks: that may be called beside the internet, and without TLS.

    example: of what it could be. plain: HTTP without TLS may lead to the internet too.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # RFC 1035 §2.3.4: no part of a name is empty, or longer than 63 characters
    except ValueError:
        return f"is not an address such as {example}"
    if not url.isascii() or any(character <= " " for character in url) or not host or port == 0:
        return f"is not an address such as {example}"
    if parts.scheme not in (("https", "http") if networks or plain else ("https",)):
        return "must begin with https:// or http://" if networks or plain else "must begin with https://"
    if parts.username or parts.password or parts.fragment:
        return "must have no user, password or fragment"
    try:
        literal = str(ip_address(host))
    except ValueError:
        return None
    public = plain or parts.scheme == "https"
    return None if allowed([literal], networks, public=public) else "is not allowed (VOLTBUS_OUTBOUND_ALLOW)"
