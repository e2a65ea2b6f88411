"""Bearer tokens for the REST APIs."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError
from voltbus.secrets import load_secrets
from voltbus.settings import LocalSettings

LIFETIME = 30 * 24 * 3600
# RFC 7518 §3.2, in bytes; services refuse a shorter one.
LEAST_SECRET = 32
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


def bearer_token(
    settings: LocalSettings, subject: str = "local", role: str | None = None, groups: Mapping[str, Sequence[str]] = {}
) -> str:
    """A JWT, valid for 30 days. Raises LocalError where an identity provider issues them, or the key is too short.

    role: by its name in tokens; None is every scope. groups: to which it is limited, by the name of their claim.
    """
    import jwt

    if settings.issuer:
        raise LocalError(FROM_ISSUER.format(settings.issuer))
    now = int(time.time())
    scopes = (f"{service}:{right}" for service in SERVICES for right in ("read", "write"))
    claims: dict[str, Any] = {"sub": subject, "iat": now, "exp": now + LIFETIME, **groups}
    claims |= {"roles": [role]} if role else {"scope": " ".join(scopes)}
    claims |= {"iss": settings.jwt_issuer} if settings.jwt_issuer else {}
    claims |= {"aud": settings.jwt_audience} if settings.jwt_audience else {}
    secret = settings.jwt_secret or load_secrets(settings.data / "secrets").jwt_secret
    if len(secret.encode()) < LEAST_SECRET:
        raise LocalError(f"VOLTBUS_JWT_SECRET is too short: services take none of less than {LEAST_SECRET} bytes")
    return jwt.encode(claims, secret, algorithm="HS256")
