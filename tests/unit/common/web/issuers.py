"""An OIDC issuer that answers as it is told, and tokens in the shapes of Keycloak and of Entra ID."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
REALM = "/realms/csms"
DISCOVERY, CERTS = f"{REALM}/.well-known/openid-configuration", f"{REALM}/protocol/openid-connect/certs"
TENANT = "5b6f1d3a-3b0e-4b8e-9d7e-0f6f3c1f2a11"


def rsa_jwk(kid: str, **more: Any) -> dict[str, Any]:
    """As Entra ID has it: without `alg`."""
    return RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True) | {"kid": kid, "use": "sig"} | more


def ec_jwk(kid: str, **more: Any) -> dict[str, Any]:
    return ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True) | {"kid": kid, "use": "sig"} | more


# As Keycloak has it: with a key that encrypts, which signs nothing.
KEYS = [rsa_jwk("rsa", alg="RS256"), ec_jwk("ec"), rsa_jwk("encrypts", use="enc", alg="RSA-OAEP")]


@dataclass
class Issuer:
    """pages: by path; bytes as they are, anything else as JSON. asked: the paths, in order."""

    url: str
    pages: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.url + REALM

    def publish(self, keys: Any, **more: Any) -> None:
        self.pages[DISCOVERY] = {"issuer": self.name, "jwks_uri": self.url + CERTS} | more
        self.pages[CERTS] = {"keys": keys}


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """On a free port."""
    issuer = Issuer("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            page = issuer.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.end_headers()
            self.wfile.write(page if isinstance(page, bytes) else json.dumps(page).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        issuer.publish(KEYS)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield issuer
        server.shutdown()


def keycloak(issuer: str = "https://sso.example/realms/csms", **more: Any) -> dict[str, Any]:
    """Claims of an access token of Keycloak; None takes one away."""
    now = int(time.time())
    return _without_none(
        {
            "exp": now + 300,
            "iat": now,
            "jti": "onrtac:8d7ef2b5-8a3e-2b1a-8d5c-41c8c1b7f0c4",
            "iss": issuer,
            "aud": ["voltbus", "account"],
            "sub": "f3b1c2d4-7c1e-4d0a-a1ff-27a4c5a9e001",
            "typ": "Bearer",
            "azp": "console",
            "sid": "0f2b2c80-5b0f-4c4c-a9c4-9f3a2f4ee7a1",
            "acr": "1",
            "allowed-origins": ["https://console.example"],
            "realm_access": {"roles": ["default-roles-csms", "offline_access", "uma_authorization"]},
            "resource_access": {"account": {"roles": ["manage-account", "manage-account-links", "view-profile"]}},
            "scope": "openid email profile",
            "email_verified": True,
            "preferred_username": "anna",
        }
        | more
    )


def entra(tenant: str = TENANT, **more: Any) -> dict[str, Any]:
    """Claims of an access token of Entra ID (v2.0), of a user in an application."""
    now = int(time.time())
    return _without_none(
        {
            "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "iss": f"https://login.microsoftonline.com/{tenant}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 4200,
            "aio": "AXQAi/8IAAAA",
            "azp": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "azpacr": "0",
            "name": "Anna",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "preferred_username": "anna@example.com",
            "rh": "0.ATQA",
            "roles": ["voltbus.operate"],
            "scp": "access_as_user",
            "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "tid": tenant,
            "uti": "fqiBqXLPj0eQa82S-IYFAA",
            "ver": "2.0",
        }
        | more
    )


def issued(claims: dict[str, Any], key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "rsa") -> str:
    """The header of a request with that token."""
    return "Bearer " + jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else {})


def _without_none(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}
