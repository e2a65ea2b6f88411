"""Bearer tokens: what lets a caller in, and what does not."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from services.common.web.access import Access, TokenFirst
from services.common.web.app import web_app
from services.common.web.roles import rights
from tests.unit.common.web.issuers import (
    CERTS,
    DISCOVERY,
    EC_KEY,
    RSA_KEY,
    STRANGER,
    TENANT,
    Issuer,
    ec_jwk,
    entra,
    issued,
    keycloak,
    rsa_jwk,
    running_issuer,
)

SECRET = "a secret of the tests, long enough for HS256"
ISSUER = "https://login.example"


def claims(**more: Any) -> dict[str, Any]:
    """Claims that let in; None takes one away."""
    plain = {"scope": "things:read things:write", "exp": time.time() + 60, "iss": ISSUER, "aud": "voltbus"}
    return {name: value for name, value in (plain | more).items() if value is not None}


def api(**settings: Any) -> FastAPI:
    app = web_app("test")
    access = Access(CommonSettings(**settings))

    @app.get("/things", dependencies=[access.require(rights("things").read)])
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


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "VOLTBUS_JWT_ISSUER"),
        ({"jwt_secret": SecretStr("x" * 31)}, "32 bytes"),
        ({"jwt_secret": SecretStr(SECRET), "jwt_jwks_url": "https://sso.example/keys"}, "one of them"),
        ({"jwt_secret": SecretStr(SECRET), "jwt_issuer": ISSUER, "jwt_audience": "voltbus"}, "one of them"),
        ({"jwt_jwks_url": "https://sso.example/keys"}, "VOLTBUS_JWT_AUDIENCE"),
        ({"jwt_issuer": ISSUER}, "VOLTBUS_JWT_AUDIENCE"),
        ({"jwt_issuer": "sso", "jwt_audience": "voltbus"}, "'sso' is no address"),
        ({"jwt_issuer": ISSUER, "jwt_audience": "voltbus", "jwt_ca": "no PEM"}, "VOLTBUS_JWT_CA"),
        *(
            (
                {"jwt_issuer": f"https://login.microsoftonline.com/{one}/v2.0", "jwt_audience": "a"},
                "VOLTBUS_JWT_TENANTS",
            )
            for one in ("common", "organizations", "{tenantid}")
        ),
    ],
)
def test_what_would_let_in_too_many_does_not_start(settings: Any, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        Access(CommonSettings(**settings))


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
    app = api(jwt_secret=SECRET, jwt_issuer="me", jwt_audience="voltbus")
    assert (await asked(app, signed(**{"iss": "me"} | more))).status_code == status


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


def of(issuer: Issuer, **more: Any) -> FastAPI:
    return api(jwt_issuer=issuer.name, jwt_audience="voltbus", jwt_read_only_roles=["reads"], **more)


def reader(issuer: Issuer, **more: Any) -> dict[str, Any]:
    return keycloak(issuer.name, realm_access={"roles": ["reads"]}, **more)


@pytest.mark.parametrize(
    ("key", "algorithm", "kid", "status"),
    [
        (RSA_KEY, "RS256", "rsa", 200),
        (EC_KEY, "ES256", "ec", 200),
        (STRANGER, "RS256", "rsa", 401),
        (STRANGER, "RS256", "stranger", 401),
        (RSA_KEY, "RS256", "ec", 401),
        (RSA_KEY, "RS384", "rsa", 401),
        (RSA_KEY, "RS256", "encrypts", 401),
        (RSA_KEY, "RS256", None, 401),
        (SECRET, "HS256", "rsa", 401),
        ("", "none", "rsa", 401),
    ],
)
async def test_tokens_of_an_issuer(issuer: Issuer, key: Any, algorithm: str, kid: str | None, status: int) -> None:
    assert (await asked(of(issuer), issued(reader(issuer), key, algorithm, kid))).status_code == status


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 200),
        ({"aud": "voltbus"}, 200),
        ({"aud": ["account"]}, 401),
        ({"aud": None}, 401),
        ({"iss": "https://sso.example/realms/other"}, 401),
        ({"iss": None}, 401),
        ({"exp": None}, 401),
        ({"exp": time.time() - 60}, 401),
        ({"nbf": time.time() + 600}, 401),
        ({"typ": "ID"}, 401),
        ({"realm_access": None}, 403),
        ({"realm_access": {"roles": []}}, 403),
    ],
)
async def test_claims_of_keycloak(issuer: Issuer, more: Any, status: int) -> None:
    claims = {name: value for name, value in (reader(issuer) | more).items() if value is not None}
    assert (await asked(of(issuer), issued(claims))).status_code == status


@pytest.mark.parametrize(("tenant", "status"), [(TENANT, 200), ("of somebody else", 401)])
async def test_tenants_of_entra(issuer: Issuer, tenant: str, status: int) -> None:
    """As Entra ID publishes the issuer of several: its name has a place for the tenant."""
    issuer.publish([rsa_jwk("rsa")], issuer="https://login.microsoftonline.com/{tenantid}/v2.0")
    app = api(
        jwt_issuer=issuer.name,
        jwt_audience="6e74172b-be56-4843-9ff4-e66a39bb12e3",
        jwt_tenants=[TENANT],
        jwt_operator_roles=["voltbus.operate"],
    )
    assert (await asked(app, issued(entra(tenant)))).status_code == status


async def test_several_tenants_without_their_names_are_none(issuer: Issuer) -> None:
    issuer.publish([rsa_jwk("rsa")], issuer="https://login.microsoftonline.com/{tenantid}/v2.0")
    app = api(jwt_issuer=issuer.name, jwt_audience="6e74172b-be56-4843-9ff4-e66a39bb12e3")
    assert (await asked(app, issued(entra()))).status_code == 401


async def test_a_key_set_may_be_named_itself(issuer: Issuer) -> None:
    named = {"jwt_jwks_url": issuer.url + CERTS, "jwt_audience": "voltbus"}
    for settings, status in (({}, 200), ({"jwt_issuer": issuer.name}, 200), ({"jwt_issuer": ISSUER}, 401)):
        app = api(**named, jwt_read_only_roles=["reads"], **settings)
        assert (await asked(app, issued(reader(issuer)))).status_code == status
    assert set(issuer.asked) == {CERTS}


async def test_a_key_that_is_taken_away_no_longer_counts(issuer: Issuer) -> None:
    issuer.publish([ec_jwk("ec")])
    assert (await asked(of(issuer), issued(reader(issuer)))).status_code == 401


async def test_keys_are_kept(issuer: Issuer) -> None:
    app = of(issuer)
    for _ in range(3):
        assert (await asked(app, issued(reader(issuer)))).status_code == 200
    assert issuer.asked == [DISCOVERY, CERTS]


@pytest.mark.parametrize("path", [DISCOVERY, CERTS])
@pytest.mark.parametrize(
    "content",
    [
        *(
            None,
            b"<html>",
            b"[]",
            b"{}",
            b'{"keys": []}',
            b'{"keys": [{"kty": "what"}]}',
            b'{"keys": 7}',
            b"[" * 100_000,
        ),
        b'{"keys": "' + b"x" * (1 << 20) + b'"}',
        b'{"issuer": "https://other.example", "jwks_uri": "https://x/"}',
    ],
)
async def test_an_issuer_that_talks_nonsense_refuses_nobody_for_it(issuer: Issuer, path: str, content: Any) -> None:
    issuer.pages[path] = content
    answer = await asked(of(issuer), issued(reader(issuer)))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


async def test_an_issuer_that_is_away_refuses_nobody_for_it() -> None:
    app = api(jwt_issuer="http://127.0.0.1:9/realms/csms", jwt_audience="voltbus")
    assert (await asked(app, issued(keycloak()))).status_code == 503


async def test_a_token_that_cannot_be_one_does_not_ask_the_issuer(issuer: Issuer) -> None:
    app = of(issuer)
    for nonsense in ("Bearer nonsense", "Bearer a.b.c"):
        assert (await asked(app, nonsense)).status_code == 401
    assert not issuer.asked


async def test_a_token_that_is_limited_to_groups_gets_no_list() -> None:
    answer = await asked(api(jwt_secret=SECRET), signed(voltbus_groups=["vienna"]))
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:voltbus:problem:not-allowed")
