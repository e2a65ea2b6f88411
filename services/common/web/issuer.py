"""What an OIDC issuer publishes: where its keys are (OpenID Connect Discovery 1.0), and the keys."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore

# Seconds for one request, and bytes of its answer.
TIMEOUT, MOST_READ = 5.0, 1 << 20
BROKEN = (
    *(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol),
    *(httpcore.ProxyError, ssl.SSLError, OSError, ValueError, TimeoutError, RecursionError),
)
# Of Entra ID: what stands for a tenant in the name of an issuer, and the addresses of several tenants.
TENANT = "{tenantid}"
OF_SEVERAL = ("common", "organizations", TENANT)

# The keys as they are written, and the issuers whose tokens they sign; None: whichever.
Published = Callable[[], Awaitable[tuple[Any, frozenset[str] | None]]]
Fetch = Callable[[str], Awaitable[Any]]


class IssuerUnavailable(Exception):
    """Why the keys of an issuer cannot be read, for people."""


def fetching(ca: str | None) -> Fetch:
    """The JSON at an address, by a proxy of the environment if there is one; it raises IssuerUnavailable.

    ca: PEM of what its certificate is signed by, beside the CAs of the system.
    """
    tls = ssl.create_default_context()
    if ca:
        tls.load_verify_locations(cadata=ca)

    async def fetch(url: str) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT):
                return json.loads(await _get(url, tls))
        except BROKEN as error:
            raise IssuerUnavailable(f"{url}: {str(error) or type(error).__name__}") from None

    return fetch


async def _get(url: str, tls: ssl.SSLContext) -> bytes:
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    async with (
        httpcore.AsyncConnectionPool(ssl_context=tls, proxy=httpcore.Proxy(proxy) if proxy else None) as pool,
        pool.stream("GET", url, headers=[("accept", "application/json")]) as response,
    ):
        if response.status != 200:
            raise ValueError(f"answers with {response.status}")
        content = b""
        async for part in response.aiter_stream():
            content += part
            if len(content) > MOST_READ:
                raise ValueError("it says too much")
        return content


def key_set(url: str, issuer: str | None, fetch: Fetch) -> Published:
    """Of a key set whose address is known. issuer: whose tokens it signs; None: anybody's."""

    async def published() -> tuple[Any, frozenset[str] | None]:
        return _field(await fetch(url), "keys", url), frozenset({issuer}) if issuer else None

    return published


def discovered(issuer: str, tenants: Sequence[str], fetch: Fetch) -> Published:
    """Of an issuer by its name. tenants: of Entra ID, where the issuer is that of several."""
    url = f"{issuer.rstrip('/').replace(TENANT, OF_SEVERAL[1])}/.well-known/openid-configuration"

    async def published() -> tuple[Any, frozenset[str] | None]:
        document = await fetch(url)
        name, keys = _field(document, "issuer", url), _field(document, "jwks_uri", url)
        if TENANT not in name and name.rstrip("/") != issuer.rstrip("/"):
            raise IssuerUnavailable(f"{url}: it is that of {name}, not of {issuer}")
        issuers = frozenset(name.replace(TENANT, one) for one in tenants) if TENANT in name else frozenset({name})
        if not keys.startswith("https://") and url.startswith("https://"):
            raise IssuerUnavailable(f"{url}: its keys are at {keys}, without TLS")
        return _field(await fetch(keys), "keys", keys), issuers

    return published


def is_of_several(issuer: str) -> bool:
    """Whether an issuer of Entra ID is that of several tenants."""
    return not set(urlsplit(issuer).path.split("/")).isdisjoint(OF_SEVERAL) and _is_entra(issuer)


def _is_entra(issuer: str) -> bool:
    return TENANT in issuer or (urlsplit(issuer).hostname or "").startswith("login.microsoftonline.")


def _field(document: Any, name: str, url: str) -> Any:
    found = document.get(name) if isinstance(document, dict) else None
    if not found or (name != "keys" and not isinstance(found, str)):
        raise IssuerUnavailable(f"{url}: it has no {name}")
    return found
