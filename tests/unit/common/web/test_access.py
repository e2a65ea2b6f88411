"""Bearer tokens: what lets a caller in, and what does not."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi import FastAPI
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pydantic import SecretStr

from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from services.common.web.access import Access, TokenFirst, subject
from services.common.web.app import web_app
from services.common.web.problems import Problem

SECRET = "a secret of the tests, long enough for HS256"
ISSUER = "https://login.example"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def claims(**more: Any) -> dict[str, Any]:
    """Claims that let in; None takes one away."""
    plain = {"scope": "things:read things:write", "exp": time.time() + 60, "iss": ISSUER, "aud": "voltbus"}
    return {name: value for name, value in (plain | more).items() if value is not None}


def api(**settings: Any) -> FastAPI:
    app = web_app("test")
    access = Access(CommonSettings(**settings))

    @app.get("/things", dependencies=[access.require("things:read")])
    async def things() -> str:
        return "open"

    return app


async def asked(app: FastAPI, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        return await http.get("/things", headers=headers)


async def test_a_stranger_s_body_is_not_read() -> None:
    app = web_app("test")
    app.add_middleware(TokenFirst, access=Access(CommonSettings(jwt_secret=SecretStr(SECRET))))

    @app.put("/v1/things")
    async def put(body: dict[str, Any]) -> int:
        return len(body)

    async def read() -> AsyncIterator[bytes]:
        raise AssertionError("the body is read")
        yield b""

    async def given() -> AsyncIterator[bytes]:
        yield b'{"a": 1}'

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        json_type = {"Content-Type": "application/json"}
        for authorization in ({}, {"Authorization": signed("another secret, which is just as long")}):
            answer = await http.put("/v1/things", content=read(), headers=json_type | authorization)
            assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
        answer = await http.put("/v1/things", content=given(), headers=json_type | {"Authorization": signed()})
        assert answer.json() == 1


def signed(secret: str = SECRET, algorithm: str = "HS256", **more: Any) -> str:
    return "Bearer " + jwt.encode(claims(**more), secret, algorithm)


@pytest.mark.parametrize("name", [None, "", " ", 7])
def test_who_is_on_the_record_has_a_name(name: Any) -> None:
    assert subject({"sub": "anna"}) == "anna"
    with pytest.raises(Problem, match="no `sub`"):
        subject({"sub": name})


def test_rest_is_never_open() -> None:
    with pytest.raises(Misconfigured, match="VOLTBUS_JWT"):
        Access(CommonSettings())


@pytest.mark.parametrize("scope", ["things:read", "other things:read", "things:write things:read"])
async def test_a_token_with_the_scope_is_let_in(scope: str) -> None:
    assert (await asked(api(jwt_secret=SECRET), signed(scope=scope))).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic dTpw",
        "Bearer",
        "Bearer nonsense",
        "Bearer a.b.c",
        signed(exp=time.time() - 60),
        signed(exp=None),
        signed(exp="soon"),
        signed(nbf=time.time() + 600),
        signed(secret="another secret that is long enough for HS256"),
        "Bearer " + jwt.encode(claims(), SECRET * 2, "HS384"),
        "Bearer " + jwt.encode(claims(), "", "none"),
        "Bearer " + jwt.encode(claims(), RSA_KEY, "RS256"),
    ],
)
async def test_without_a_valid_token_nobody_is_let_in(authorization: str | None) -> None:
    answer = await asked(api(jwt_secret=SECRET), authorization)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("scope", [None, "", "things:readonly", "things", "things:write", ["things:read"], 7])
async def test_another_scope_is_not_enough(scope: Any) -> None:
    answer = await asked(api(jwt_secret=SECRET), signed(scope=scope))
    assert answer.status_code == 403
    assert "things:read" in answer.json()["detail"]


async def test_clocks_may_differ_a_little() -> None:
    assert (await asked(api(jwt_secret=SECRET), signed(exp=time.time() - 5))).status_code == 200


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 200),
        ({"iss": "https://other.example"}, 401),
        ({"iss": None}, 401),
        ({"aud": "other"}, 401),
        ({"aud": None}, 401),
    ],
)
async def test_issuer_and_audience_are_checked_where_they_are_set(more: Any, status: int) -> None:
    app = api(jwt_secret=SECRET, jwt_issuer=ISSUER, jwt_audience="voltbus")
    assert (await asked(app, signed(**more))).status_code == status


class Issuer(BaseHTTPRequestHandler):
    """An OIDC issuer's key set."""

    content: ClassVar[bytes] = b""
    asked: ClassVar[int] = 0

    def do_GET(self) -> None:
        Issuer.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[str]:
    keys = [
        json.loads(RSAAlgorithm.to_jwk(RSA_KEY.public_key())) | {"kid": "rsa", "use": "sig"},
        json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key())) | {"kid": "ec", "use": "sig"},
    ]
    Issuer.content, Issuer.asked = json.dumps({"keys": keys}).encode(), 0
    with HTTPServer(("127.0.0.1", 0), Issuer) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/jwks"
        server.shutdown()


def issued(key: Any, algorithm: str, kid: str | None, **more: Any) -> str:
    headers = {"kid": kid} if kid else {}
    return "Bearer " + jwt.encode(claims(**more), key, algorithm, headers=headers)


@pytest.mark.parametrize(
    ("key", "algorithm", "kid", "status"),
    [
        (RSA_KEY, "RS256", "rsa", 200),
        (EC_KEY, "ES256", "ec", 200),
        (STRANGER, "RS256", "rsa", 401),
        (STRANGER, "RS256", "stranger", 401),
        (RSA_KEY, "RS256", "ec", 401),
        (RSA_KEY, "RS256", None, 401),
        (SECRET, "HS256", "rsa", 401),
    ],
)
async def test_tokens_of_an_issuer(issuer: str, key: Any, algorithm: str, kid: str | None, status: int) -> None:
    assert (await asked(api(jwt_jwks_url=issuer), issued(key, algorithm, kid))).status_code == status


async def test_a_key_set_goes_before_a_shared_secret(issuer: str) -> None:
    app = api(jwt_jwks_url=issuer, jwt_secret=SECRET)
    assert (await asked(app, signed())).status_code == 401
    assert (await asked(app, issued(RSA_KEY, "RS256", "rsa"))).status_code == 200


async def test_keys_are_kept(issuer: str) -> None:
    app = api(jwt_jwks_url=issuer)
    for _ in range(3):
        assert (await asked(app, issued(RSA_KEY, "RS256", "rsa"))).status_code == 200
    assert Issuer.asked == 1


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "what"}]}'])
async def test_an_issuer_that_talks_nonsense_refuses_nobody_for_it(issuer: str, content: bytes) -> None:
    Issuer.content = content
    answer = await asked(api(jwt_jwks_url=issuer), issued(RSA_KEY, "RS256", "rsa"))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


async def test_an_issuer_that_is_away_refuses_nobody_for_it() -> None:
    answer = await asked(api(jwt_jwks_url="http://127.0.0.1:9/jwks"), issued(RSA_KEY, "RS256", "rsa"))
    assert answer.status_code == 503


async def test_a_token_that_cannot_be_one_does_not_ask_the_issuer(issuer: str) -> None:
    app = api(jwt_jwks_url=issuer)
    for nonsense in ("Bearer nonsense", "Bearer a.b.c"):
        assert (await asked(app, nonsense)).status_code == 401
    assert Issuer.asked == 0
