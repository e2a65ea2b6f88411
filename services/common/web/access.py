"""Who may call the REST API: bearer tokens (JWT) with scopes, closed by default."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from services.common.web.prefix import route_path
from services.common.web.problems import Problem, response

BEARER = HTTPBearer(auto_error=False, description="a JWT whose `scope` names what it allows")
LEEWAY = 30

Claims = dict[str, Any]


def subject(claims: Claims) -> str:
    """Who acts, for the record. Raises Problem where the token does not say."""
    name = claims.get("sub")
    if not isinstance(name, str) or not name.strip():
        raise Problem(403, "the bearer token has no `sub`: who does this is kept on record")
    return name


def scopes(claims: Claims) -> frozenset[str]:
    """What a token allows."""
    return frozenset(str(claims.get("scope", "")).split())


class Keys(Protocol):
    """Where the key that checks a token comes from."""

    algorithms: list[str]

    async def key(self, token: str, /) -> Any:
        """Raises PyJWTError where it has none for this token, and a Problem where it cannot tell."""


class SharedSecret(Keys):
    """One HS256 secret, for a stack of one's own."""

    algorithms = ["HS256"]  # noqa: RUF012

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def key(self, _: str, /) -> Any:
        return self._secret


class KeySet(Keys):
    """The key set of an OIDC issuer, fetched when a key is not known yet."""

    algorithms = ["RS256", "ES256", "PS256", "EdDSA"]  # noqa: RUF012

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, cache_keys=True, timeout=5)

    async def key(self, token: str, /) -> Any:
        return await asyncio.to_thread(self._find, jwt.get_unverified_header(token).get("kid") or "")

    def _find(self, kid: str) -> jwt.PyJWK:
        """With its algorithm, which the token cannot choose. Raises PyJWTError where no key has that name."""
        try:
            self._client.get_signing_keys()
        except (jwt.PyJWTError, ValueError) as error:
            raise Problem(503, "the keys of the token issuer cannot be read: try again") from error
        return self._client.get_signing_key(kid)


class Access:
    """Checks bearer tokens."""

    def __init__(self, settings: CommonSettings) -> None:
        self._audience, self._issuer = settings.jwt_audience, settings.jwt_issuer
        if settings.jwt_jwks_url:
            self._keys: Keys = KeySet(settings.jwt_jwks_url)
        elif settings.jwt_secret:
            self._keys = SharedSecret(settings.jwt_secret.get_secret_value())
        else:
            raise Misconfigured("set VOLTBUS_JWT_JWKS_URL (an OIDC issuer) or VOLTBUS_JWT_SECRET: REST is never open")

    def require(self, scope: str) -> Any:
        """A FastAPI dependency: the claims of a token that holds the scope; 401 or 403 otherwise."""
        return Depends(self._checker(scope))

    def require_one(self, *any_of: str) -> Any:
        """The same, of a token that holds one of the scopes at least."""
        return Depends(self._checker(*any_of))

    def _checker(self, *any_of: str) -> Callable[..., Awaitable[Claims]]:
        async def check(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> Claims:
            claims = await self.authenticate(credentials)
            if scopes(claims).isdisjoint(any_of):
                raise Problem(403, f"the bearer token lacks the scope {' or '.join(any_of)}")
            return claims

        return check

    async def authenticate(self, credentials: HTTPAuthorizationCredentials | None) -> Claims:
        """The claims of a valid token. Raises Problem where there is none."""
        if credentials is None:
            raise Problem(401, "this needs a bearer token", headers={"WWW-Authenticate": "Bearer"})
        token = credentials.credentials
        try:
            key = await self._keys.key(token)
            options: Any = {"require": ["exp"], "verify_aud": self._audience is not None}
            return jwt.decode(
                token,
                key,
                algorithms=self._keys.algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options=options,
            )
        except jwt.PyJWTError as error:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Problem(401, f"the bearer token is not valid: {error}", headers=headers) from None


class TokenFirst:
    """Looks at the token before anything reads a body: a stranger's megabytes are not parsed."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and route_path(scope).startswith("/v1"):
            try:
                await self._access.authenticate(await BEARER(Request(scope)))
            except Problem as problem:
                return await response(problem)(scope, receive, send)
        return await self._app(scope, receive, send)
