"""Bearer tokens for the REST APIs."""

import re
import time

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError
from voltbus.secrets import load_secrets
from voltbus.settings import LocalSettings

LIFETIME = 30 * 24 * 3600
# Whatever could be signed here would be refused.
FROM_ISSUER = (
    "bearer tokens come from {}, none is made here: get one there, as docs/access.md says, and set VOLTBUS_TOKEN"
)


def access_token(settings: LocalSettings) -> str:
    """The token to call REST with: that of VOLTBUS_TOKEN, or one of a stack that there is. Raises LocalError."""
    told = _given(settings) or settings.jwt_secret or settings.issuer
    if not (told or (settings.data / "secrets").exists()):
        raise LocalError("no bearer token: start a stack with `make run`, or set VOLTBUS_TOKEN or VOLTBUS_JWT_SECRET")
    return given_or_made(settings)


def given_or_made(settings: LocalSettings) -> str:
    """The token of VOLTBUS_TOKEN, or one made here. Raises LocalError."""
    if not (token := _given(settings)):
        return bearer_token(settings)
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise LocalError("VOLTBUS_TOKEN has a character that no bearer token has, such as a line break")
    return token


def _given(settings: LocalSettings) -> str:
    return settings.token.strip() if settings.token else ""


def bearer_token(settings: LocalSettings) -> str:
    """A JWT with every scope, valid for 30 days. Raises LocalError where an identity provider issues them."""
    import jwt

    if settings.issuer:
        raise LocalError(FROM_ISSUER.format(settings.issuer))
    now = int(time.time())
    scopes = (f"{service}:{right}" for service in SERVICES for right in ("read", "write"))
    claims = {"sub": "local", "iat": now, "exp": now + LIFETIME, "scope": " ".join(scopes)}
    claims |= {"iss": settings.jwt_issuer} if settings.jwt_issuer else {}
    claims |= {"aud": settings.jwt_audience} if settings.jwt_audience else {}
    secret = settings.jwt_secret or load_secrets(settings.data / "secrets").jwt_secret
    return jwt.encode(claims, secret, algorithm="HS256")
