"""What clients may send by mistake or on purpose: an answer below 500, and nothing that Postgres cannot keep."""

from typing import Any

import pytest

from tests.integration.smartcharging.stations import Stations
from tests.integration.smartcharging.test_profiles import PROFILE

LONG = "x" * 300
LIMIT = {"value": 32}
BODIES: list[tuple[str, str, Any]] = [
    ("PUT", "/v1/sites/a", {"limit": LIMIT, "stations": ["a\0b"]}),
    ("PUT", "/v1/sites/a", {"limit": LIMIT, "stations": [""]}),
    ("PUT", "/v1/sites/a", {"limit": LIMIT, "stations": [LONG]}),
    ("PUT", "/v1/sites/a", {"limit": {"value": 1e300}}),
    ("PUT", "/v1/sites/a", {"limit": {"value": "NaN"}}),
    ("PUT", "/v1/sites/a", {"limit": LIMIT, "stations": [{"station_id": "a", "evse_ids": [2**40]}]}),
    ("PUT", "/v1/sites/a", {"limit": LIMIT, "stations": [{"station_id": "a", "phases": 0}]}),
    ("PUT", "/v1/sites/a", {"limit": LIMIT, "stations": [{"station_id": "a", "priority": 2**40}]}),
    ("PUT", f"/v1/sites/{LONG}", {"limit": LIMIT}),
    ("PUT", "/v1/sites/a%00b", {"limit": LIMIT}),
    ("PUT", "/v1/sites/%2E%2E", {"limit": LIMIT}),
    ("PUT", "/v1/profiles/%2E%2E", PROFILE),
    ("PUT", f"/v1/sites/a/sessions/{2**70}", {}),
    ("PUT", f"/v1/sites/a/sessions/{-(2**70)}", {}),
    ("PUT", "/v1/sites/a/sessions/1", {"minimum_a": 0}),
    ("PUT", "/v1/sites/a/sessions/1", {"minimum_a": 20, "maximum_a": 10}),
    ("GET", "/v1/sites?cursor=nonsense", None),
    ("GET", "/v1/profiles?cursor=nonsense", None),
    ("PUT", "/v1/profiles/a", PROFILE | {"id": 2**40}),
    ("PUT", "/v1/profiles/a", PROFILE | {"id": 900_000_000}),
    ("PUT", "/v1/profiles/a", PROFILE | {"valid_from": "0001-01-01T00:00:00+14:00"}),
    ("PUT", "/v1/profiles/a", PROFILE | {"valid_from": "2026-01-01T00:00:00"}),
    ("PUT", "/v1/profiles/a", PROFILE | {"schedule": {"periods": []}}),
    ("PUT", "/v1/profiles/a", PROFILE | {"schedule": {"periods": [{"start": 0, "limit": 1e300}]}}),
    ("POST", "/v1/stations/a/profiles", {"stored": "a\0b"}),
    ("POST", "/v1/stations/a/profiles", {"stored": "a", "profile": PROFILE}),
    ("POST", "/v1/stations/a/profiles", {"profile": PROFILE, "transaction_id": "a\0b"}),
    ("POST", "/v1/stations/a%00b/profiles", {"profile": PROFILE}),
    ("DELETE", "/v1/stations/a/profiles?id=99999999999", None),
    ("DELETE", "/v1/stations/a/profiles?purpose=ChargingStationExternalConstraints", None),
    ("GET", "/v1/stations/a/composite-schedule?duration=0", None),
    ("GET", "/v1/stations/a/composite-schedule?unit=kW", None),
]


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
async def test_nonsense_is_refused(stations: Stations, method: str, path: str, body: Any) -> None:
    answer = await stations.world.http.request(method, path, json=body)
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_profile_of_any_time_is_kept(stations: Stations) -> None:
    body = PROFILE | {"valid_from": "0001-01-01T00:00:00Z", "valid_to": "9999-12-31T23:59:59Z"}
    assert (await stations.world.http.put("/v1/profiles/ever", json=body)).status_code == 201
    await stations.connect("CP1", version="2.0.1")
    answer = await stations.world.http.post("/v1/stations/CP1/profiles", json={"stored": "ever"})
    assert answer.status_code == 202
    await stations.settle()
    assert stations.history[-1].payload["chargingProfile"]["validFrom"] == "1900-01-01T00:00:00.000Z"


async def test_an_empty_site_has_nothing_to_share(stations: Stations) -> None:
    shown = await stations.put_site({"limit": {"value": 0}})
    assert (shown["stations"], shown["sessions"], shown["over_committed"]) == ([], [], False)
