"""Tokens for SASL/OAUTHBEARER, by client credentials (RFC 6749, section 4.4)."""

import asyncio
import json
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from urllib.parse import quote_plus, urlencode

import httpcore
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

# Seconds for one request; of its answer, bytes that are read; and before its end, seconds in which a token is not used.
TIMEOUT, MOST_READ, MARGIN = 10.0, 1 << 20, 30.0
# Where an answer does not say how long its token counts.
DEFAULT_LIFETIME = 300.0
BROKEN = (
    *(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol),
    *(OSError, ValueError, TimeoutError),
)


class NoToken(KafkaError):  # type: ignore[misc]
    """Why there is none, for people. aiokafka takes it for a broker that cannot be reached now."""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a token is asked with. scope: may be left out."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """One token for all connections, until shortly before it expires.

    tls: for an address of tokens that has it. clock: seconds.
    """

    def __init__(
        self, credentials: ClientCredentials, tls: ssl.SSLContext, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._credentials, self._tls, self._clock = credentials, tls, clock
        self._token, self._until, self._lock = "", -inf, asyncio.Lock()

    async def token(self) -> str:
        """Raises NoToken."""
        async with self._lock:
            if self._clock() >= self._until:
                asked_at = self._clock()
                self._token, lifetime = await self._fetch()
                # Of a short life the half, so that it is not got for each connection.
                self._until = asked_at + max(lifetime - MARGIN, lifetime / 2)
        return self._token

    async def _fetch(self) -> tuple[str, float]:
        try:
            async with asyncio.timeout(TIMEOUT):
                status, content = await self._post()
        except BROKEN as error:
            raise NoToken(f"no token from {self._credentials.url}: {str(error) or type(error).__name__}") from None
        try:
            answer = json.loads(content)
            if status == 200 and isinstance(token := answer["access_token"], str) and token.isascii():
                return token, float(answer.get("expires_in") or DEFAULT_LIFETIME)
            said = str(answer.get("error", ""))[:100]
        except (ValueError, TypeError, KeyError, AttributeError):
            said = "what it says is no token"
        raise NoToken(f"no token from {self._credentials.url}: {status} {said}".rstrip())

    async def _post(self) -> tuple[int, bytes]:
        one = self._credentials
        form = {"grant_type": "client_credentials"} | ({"scope": one.scope} if one.scope else {})
        # RFC 6749, section 2.3.1: both are encoded as in a form.
        known_as = b64encode(f"{quote_plus(one.client_id)}:{quote_plus(one.client_secret)}".encode()).decode()
        headers = {
            "authorization": f"Basic {known_as}",
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }
        async with (
            httpcore.AsyncConnectionPool(ssl_context=self._tls) as pool,
            pool.stream("POST", one.url, headers=list(headers.items()), content=urlencode(form).encode()) as response,
        ):
            content = b""
            async for part in response.aiter_stream():
                content += part
                if len(content) > MOST_READ:
                    raise ValueError("it says too much")
            return response.status, content
