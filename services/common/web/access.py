"""Who may call the REST API: bearer tokens (JWT) with roles or scopes, closed by default."""

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, Any

import jwt
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from services.common.web.callers import Caller, Reading
from services.common.web.issuer import discovered, fetching, is_of_several, key_set
from services.common.web.keys import IssuerKeys, Keys, SharedSecret
from services.common.web.prefix import route_path
from services.common.web.problem_types import ProblemType
from services.common.web.problems import Problem, field_problem, response
from services.common.web.roles import Right, Role

BEARER = HTTPBearer(auto_error=False, description="a JWT whose scopes or roles name what it allows")
LEEWAY = 30
# RFC 7518 §3.2: a key of the size of the hash output, in bytes.
LEAST_SECRET = 32
INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
OUT_OF_REACH = "the bearer token is limited to groups of stations, and this call is not: it is for other tokens"
NOT_THERE = "no such station is in the groups of the bearer token"
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]


# The groups that a station is in. It raises Unavailable where that cannot be known now.
GroupsOf = Callable[[str], Awaitable[Collection[str]]]


async def _in_none(_: str) -> Collection[str]:
    return ()


class Access:
    """Checks bearer tokens. groups_of: see GroupsOf; none. Raises Misconfigured where it could not."""

    def __init__(self, settings: CommonSettings, groups_of: GroupsOf = _in_none) -> None:
        self.groups_of = groups_of
        self._audience, self._reading, self._keys = settings.jwt_audience, Reading.of(settings), _keys(settings)

    def require(self, right: Right, *scopes: str, filtered: bool = False) -> Any:
        """A dependency: the caller, who has the right, or one of the scopes; 401 or 403 otherwise.

        OpenAPI says the role that is needed. filtered: the route itself shows no more than what is of Groups.
        """
        return Security(Requirement(self, right, scopes, filtered=filtered), scopes=[right.role.value])

    async def reaches(self, groups: Collection[str] | None, station_id: str) -> bool:
        """Whether a station is in one of these groups now; None: whatever it is in. Raises Unavailable."""
        return groups is None or not set(groups).isdisjoint(await self.groups_of(station_id))

    async def authenticate(self, credentials: HTTPAuthorizationCredentials | None) -> Caller:
        """Whose token it is. Raises Problem where it is not valid."""
        if credentials is None:
            raise Problem(401, "this needs a bearer token", headers={"WWW-Authenticate": "Bearer"})
        try:
            return self._reading.caller(await self._claims(credentials.credentials))
        except jwt.PyJWTError as error:
            raise Problem(401, f"the bearer token is not valid: {error}", headers=INVALID) from None

    async def _claims(self, token: str) -> dict[str, Any]:
        """Raises PyJWTError, and Problem where no key can be had."""
        signer = await self._keys.signer(token)
        options: Any = {"require": ["exp"], "verify_aud": self._audience is not None}
        claims: dict[str, Any] = jwt.decode(
            token, signer.key, algorithms=signer.algorithms, audience=self._audience, leeway=LEEWAY, options=options
        )
        issuer = claims.get("iss")
        if signer.issuers is not None and not (isinstance(issuer, str) and issuer in signer.issuers):
            raise jwt.InvalidIssuerError("it is of another issuer")
        # Of Keycloak: what an application learns of who has logged in, which is no leave to call anything.
        if claims.get("typ") == "ID":
            raise jwt.InvalidTokenError("it is an ID token, not an access token")
        return claims


class Requirement:
    """What a route needs of its caller; a dependency."""

    def __init__(self, access: Access, right: Right, scopes: tuple[str, ...], *, filtered: bool) -> None:
        self._access, self.right, self._scopes, self.filtered = access, right, scopes, filtered

    async def __call__(self, request: Request, credentials: Credentials) -> Caller:
        caller = await self._access.authenticate(credentials)
        if not caller.may(self.right) and caller.scopes.isdisjoint(self._scopes):
            raise Problem(403, f"the bearer token lacks {' or '.join([str(self.right), *self._scopes])}")
        if caller.groups is not None:
            await self._require_within(caller.groups, request)
        request.state.caller = caller
        return caller

    async def _require_within(self, groups: Collection[str], request: Request) -> None:
        """A token that is limited to groups gets what is of stations of them, and decides nothing for others.

        A station outside is answered as one that there is not, without a word of those that there are.
        """
        station_id = request.path_params.get("station_id")
        if station_id is None and self.filtered:
            return
        if station_id is None or self.right.role == Role.ADMIN:
            raise Problem(403, OUT_OF_REACH)
        if not await self._access.reaches(groups, station_id):
            raise outside("path.station_id")


def outside(field: str) -> Problem:
    """Of a station that is in none of the caller's groups. field: of the request, which names it."""
    return field_problem(field, NOT_THERE, 404, ProblemType.UNKNOWN_STATION)


async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


# Whose token it is, where the route has its requirement.
Calling = Annotated[Caller, Depends(_caller)]


async def _author(caller: Calling) -> str | None:
    return caller.subject


# Who acts, for the record, where the route has its requirement; None where the token does not say.
Author = Annotated[str | None, Depends(_author)]


async def _groups(request: Request) -> frozenset[str] | None:
    caller: Caller = request.state.caller
    return caller.groups


# The groups that the caller is limited to, for a route whose requirement is `filtered`; None: it is limited to none.
Groups = Annotated[frozenset[str] | None, Depends(_groups)]


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


def _keys(settings: CommonSettings) -> Keys:
    secret, url, issuer = settings.jwt_secret, settings.jwt_jwks_url, settings.jwt_issuer
    is_address = bool(issuer and issuer.startswith(("https://", "http://")))
    if secret and (url or is_address):
        other = "VOLTBUS_JWT_JWKS_URL" if url else "VOLTBUS_JWT_ISSUER, which is an address"
        raise Misconfigured(f"VOLTBUS_JWT_SECRET and {other}: tokens are signed by one of them; set it")
    if secret:
        if len(secret.get_secret_value().encode()) < LEAST_SECRET:
            raise Misconfigured(f"VOLTBUS_JWT_SECRET: must have {LEAST_SECRET} bytes at least, best of chance")
        return SharedSecret(secret.get_secret_value(), issuer)
    if not (url or issuer):
        raise Misconfigured("set VOLTBUS_JWT_ISSUER (an OIDC issuer) or VOLTBUS_JWT_SECRET: REST is never open")
    if not settings.jwt_audience:
        raise Misconfigured("VOLTBUS_JWT_AUDIENCE: set it; tokens of the issuer for others would be let in")
    try:
        fetch = fetching(settings.jwt_ca)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"VOLTBUS_JWT_CA: {error}") from None
    if url:
        return IssuerKeys(key_set(url, issuer, fetch))
    assert issuer
    if not is_address:
        raise Misconfigured(f"VOLTBUS_JWT_ISSUER: {issuer!r} is no address: set VOLTBUS_JWT_JWKS_URL, too")
    if is_of_several(issuer) and not settings.jwt_tenants:
        raise Misconfigured("VOLTBUS_JWT_TENANTS: name the tenants; anybody has one at this issuer")
    return IssuerKeys(discovered(issuer, settings.jwt_tenants, fetch))
