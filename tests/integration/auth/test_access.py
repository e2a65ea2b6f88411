"""REST of auth is closed by default, and says what it takes and gives."""

import pytest

from services.common.process.errors import Unavailable
from tests.integration.common.running import Running, token

CALLS = [
    ("GET", "/v1/stations", "auth:read"),
    ("GET", "/v1/stations/CP1", "auth:read"),
    ("GET", "/v1/stations/CP1/messages", "auth:read"),
    ("PUT", "/v1/stations/CP1", "auth:write"),
    ("PATCH", "/v1/stations/CP1", "auth:write"),
    ("DELETE", "/v1/stations/CP1", "auth:write"),
    ("POST", "/v1/stations/CP1/password", "auth:write"),
    ("GET", "/v1/stations/CP1/password", "auth:read"),
    ("POST", "/v1/stations/CP1/password/change", "auth:write"),
    ("GET", "/v1/tokens", "auth:read"),
    ("GET", "/v1/tokens/T1", "auth:read"),
    ("PUT", "/v1/tokens/T1", "auth:write"),
    ("PATCH", "/v1/tokens/T1", "auth:write"),
    ("DELETE", "/v1/tokens/T1", "auth:write"),
]


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
async def test_every_call_needs_its_scope(auth: Running, method: str, path: str, scope: str) -> None:
    others = {"auth:read", "auth:write", "transactions:read", "transactions:write"} - {scope}
    unknown = await auth.http.request(method, path, headers={"Authorization": ""})
    assert unknown.status_code == 401
    forbidden = await auth.http.request(method, path, headers={"Authorization": f"Bearer {token(*others)}"})
    assert (forbidden.status_code, forbidden.headers["content-type"]) == (403, "application/problem+json")
    allowed = await auth.http.request(method, path, headers={"Authorization": f"Bearer {token(scope)}"})
    assert allowed.status_code not in (401, 403)


async def test_openapi_has_an_example_of_a_station_and_of_a_token(auth: Running) -> None:
    schemas = auth.service.app.openapi()["components"]["schemas"]
    assert schemas["TokenBody"]["properties"]["type"]["examples"] == ["ISO14443"]
    assert "CP001" in schemas["StationWithPassword"]["properties"]["station_id"]["examples"]


async def test_trouble_with_the_database_is_said_as_such(auth: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unavailable("Postgres: gone")

    monkeypatch.setattr(auth.database, "transaction", away)
    answer = await auth.http.put("/v1/stations/CP1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "Postgres" not in answer.text
