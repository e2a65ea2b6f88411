"""A problem names the field at fault: of bodies, queries, paths, headers, payloads of OCPP and lists."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.common.running import Running, registered, running, settings_of
from tests.integration.rest.serving import BUILDS

Table = list[tuple[str, str, Any, str]]

STATIONS, TOKENS = "/v1/stations/CP1", "/v1/tokens/TAG"
EVERY: Table = [
    ("GET", "/v1/commands?limit=0", None, "query.limit"),
    ("GET", "/v1/commands?limit=many", None, "query.limit"),
    ("GET", "/v1/commands?cursor=WzFd0", None, "query.cursor"),
    ("GET", "/v1/commands?cursor=e30", None, "query.cursor"),
    ("GET", "/v1/commands?status=lost", None, "query.status"),
    ("GET", "/v1/commands?station=CP1", None, "query.station"),
    ("GET", "/v1/stations/CP1/messages?actoin=Reset", None, "query.actoin"),
    ("GET", "/v1/commands?station_id=a%00b", None, "query.station_id"),
    ("GET", "/v1/stations/CP1/messages?cursor=WyJ5ZXN0ZXJkYXkiLCJ4Il0", None, "query.cursor"),
    ("GET", f"/v1/stations/{'x' * 256}/messages", None, "path.station_id"),
    ("GET", "/v1/stations/a%00b/messages", None, "path"),
    ("GET", "/v1/stations/%ff/messages", None, "path"),
    ("GET", "/v1/commands?station_id=%ff", None, "query"),
    ("GET", "/v1/events?type=Booted", None, "query.type"),
    ("PUT", "/v1/webhooks/billing", {"url": "http://billing.example"}, "body.url"),
    ("PUT", "/v1/webhooks/billing", {"url": "https://billing.example", "types": ["Booted"]}, "body.types"),
    ("PUT", "/v1/webhooks/billing", {"url": "https://billing.example", "secret": "hunter2"}, "body.secret"),
    ("GET", "/v1/webhooks/billing/deliveries?status=lost", None, "query.status"),
]
L2 = {"station_id": "A", "phases": ["L2"]}
RESET, PROFILE = "/v1/stations/CP1/commands/Reset", "/v1/stations/CP1/commands/SetChargingProfile"
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}
INNER = {"chargingProfileId": 1, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Relative"}
PERIODS = SCHEDULE | {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}, {"startPeriod": 9, "limit": "6"}]}


def profile(**more: Any) -> Any:
    return {"connectorId": 1, "csChargingProfiles": {"stackLevel": 0, "chargingSchedule": SCHEDULE, **INNER} | more}


TABLES: dict[str, Table] = {
    "auth": [
        ("PUT", STATIONS, {"auth": "digest"}, "body.auth"),
        ("PUT", STATIONS, {"colour": "red"}, "body.colour"),
        ("PUT", STATIONS, {"password": "short"}, "body.password"),
        ("PUT", STATIONS, {"password": "x" * 20, "auth": "none"}, "body.password"),
        ("PUT", STATIONS, "{", "body"),
        ("PUT", STATIONS, '{"group": "a",}', "body"),
        ("PUT", STATIONS, "null", "body"),
        ("PUT", STATIONS, '{"groups": ' + "[" * 300 + "]" * 300 + "}", "body"),
        ("PUT", STATIONS, "[]", "body"),
        ("PATCH", STATIONS, {"password": "x" * 20}, "body.password"),
        ("PUT", "/v1/stations/a:b", {}, "path.station_id"),
        ("PUT", "/v1/stations/%ff", {}, "path"),
        ("PUT", TOKENS, {}, "body.type"),
        ("PUT", TOKENS, {"type": "ISO1443"}, "body.type"),
        ("PUT", TOKENS, {"type": "Central", "expires_at": "tomorrow"}, "body.expires_at"),
        ("PUT", TOKENS, {"type": "Central", "expires_at": 0}, "body.expires_at"),
        ("PATCH", TOKENS, {"status": None}, "body.status"),
        ("PUT", f"/v1/tokens/{'x' * 256}", {"type": "Central"}, "path.id_token"),
        ("GET", "/v1/tokens?type=Card", None, "query.type"),
        ("POST", "/v1/stations/CP1/commands/SendLocalList", {"listVersion": 1, "updateType": "x"}, "body.updateType"),
    ],
    "transactions": [
        ("POST", f"{STATIONS}/start", {"id_token": ""}, "body.id_token"),
        ("POST", f"{STATIONS}/start", {}, "body.id_token"),
        ("POST", f"{STATIONS}/start", {"id_token": "TAG", "evse_id": 0}, "body.evse_id"),
        ("POST", f"{STATIONS}/start", {"id_token": "TAG", "evse": 1}, "body.evse"),
        ("POST", f"{STATIONS}/start?wait=61", {"id_token": "TAG"}, "query.wait"),
        ("POST", f"{STATIONS}/stop", {"transaction_id": -1}, "body.transaction_id"),
        ("POST", f"{STATIONS}/stop", {"transaction_id": "x" * 37}, "body.transaction_id"),
        ("GET", "/v1/transactions/0", None, "path.id"),
        ("GET", "/v1/transactions?started_after=1", None, "query.started_after"),
        ("GET", "/v1/transactions?status=paused", None, "query.status"),
        ("GET", "/v1/transactions?station=CP1", None, "query.station"),
        ("POST", f"{STATIONS}/start?expires=5", {"id_token": "TAG"}, "query.expires"),
        ("GET", "/v1/stations/CP1/samples?cursor=WyJ4IiwxXQ", None, "query.cursor"),
    ],
    "smartcharging": [
        ("PUT", "/v1/sites/s", {"limit": {"value": -1}}, "body.limit.value"),
        ("PUT", "/v1/sites/s", {"limit": {"value": 1, "unit": "kW"}}, "body.limit.unit"),
        ("PUT", "/v1/sites/s", {"limit": {"value": 9}, "phases": 1, "stations": [L2]}, "body.stations.0.phases"),
        ("PUT", "/v1/sites/s", {"limit": {"value": 9}, "stations": ["A", "A"]}, "body.stations"),
        ("PUT", "/v1/sites/s", {"limit": {"value": 9}, "station": ["A"]}, "body.station"),
        ("DELETE", "/v1/stations/CP1/profiles", None, "query"),
        ("POST", "/v1/stations/CP1/profiles", {}, "body"),
        ("POST", PROFILE, profile(stackLevel="low"), "body.csChargingProfiles.stackLevel"),
        ("POST", PROFILE, profile(colour="red"), "body.csChargingProfiles.colour"),
        ("POST", PROFILE, {"connectorId": 1}, "body.csChargingProfiles"),
        (
            *("POST", PROFILE, profile(chargingSchedule=PERIODS)),
            "body.csChargingProfiles.chargingSchedule.chargingSchedulePeriod.1.limit",
        ),
        ("POST", "/v1/commands/ClearChargingProfile", {"payload": {}}, "body"),
        ("POST", "/v1/commands/ClearChargingProfile", {"stations": ["A"]}, "body.payload"),
        (
            *("POST", "/v1/commands/SetChargingProfile", {"stations": ["A"], "payload": profile(stackLevel="low")}),
            "body.payload.csChargingProfiles.stackLevel",
        ),
    ],
    "firmware": [
        ("POST", RESET, {"type": "Gentle"}, "body.type"),
        ("POST", RESET, {}, "body.type"),
        ("POST", RESET, "[]", "body"),
        ("POST", RESET, '{"type": NaN}', "body"),
        ("POST", f"{RESET}?expires_in=0", {"type": "Soft"}, "query.expires_in"),
        (
            "POST",
            "/v1/commands/Reset",
            {"stations": ["A", "B", "C", ""], "payload": {"type": "Soft"}},
            "body.stations.3",
        ),
        (
            "POST",
            "/v1/commands/Reset",
            {"filter": {"colour": "red"}, "payload": {"type": "Soft"}},
            "body.filter.colour",
        ),
        ("PUT", "/v1/stations/CP1/boot", {"status": "Maybe"}, "body.status"),
        ("PUT", "/v1/stations/CP1/boot", {"status": "Accepted", "intervall": 5}, "body.intervall"),
        ("GET", "/v1/stations?online=perhaps", None, "query.online"),
        ("GET", "/v1/stations?oline=true", None, "query.oline"),
        ("GET", "/v1/stations?status=Maybe", None, "query.status"),
        ("PUT", "/v1/stations/CP1/configuration", {"settings": {}}, "body.settings"),
        ("PUT", "/v1/groups/g/configuration", {"settings": {"a": 1}}, "body.settings.a"),
    ],
}


# An action of each service, and a payload of it.
ACTIONS: dict[str, tuple[str, Any]] = {
    "auth": ("ClearCache", {}),
    "transactions": ("CancelReservation", {"reservationId": 1}),
    "smartcharging": ("ClearChargingProfile", {}),
    "firmware": ("Reset", {"type": "Soft"}),
}


@pytest.fixture(params=BUILDS)
async def service(request: pytest.FixtureRequest, environment: dict[str, str]) -> AsyncIterator[Running]:
    build, kind = BUILDS[request.param]
    async with running(request.param, build, settings_of(kind, environment)) as world:
        yield world


async def test_each_fault_names_its_field(service: Running) -> None:
    await service.bus.publish(registered("CP1"))
    table = EVERY + TABLES[service.name]
    found = [await fields(service, method, path, body) for method, path, body, _ in table]
    wanted = [(method, path, body, [field]) for method, path, body, field in table]
    assert [(*asked[:3], said) for asked, said in zip(table, found, strict=True)] == wanted


async def test_the_key_of_another_command_is_named(service: Running) -> None:
    await service.bus.publish(registered("A", "B"))
    action, payload = ACTIONS[service.name]
    headers, path = {"Idempotency-Key": "k"}, f"/v1/stations/{{}}/commands/{action}"
    await service.http.post(path.format("A"), json=payload, headers=headers)
    again = await service.http.post(path.format("B"), json=payload, headers=headers)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "header.idempotency-key")
    long = await service.http.post(path.format("B"), json={}, headers={"Idempotency-Key": "k" * 201})
    assert (long.status_code, long.json()["errors"][0]["field"]) == (422, "header.idempotency-key")


async def fields(service: Running, method: str, path: str, body: Any) -> list[str]:
    """What the problem names; each once."""
    content = body if isinstance(body, str) or body is None else json.dumps(body)
    headers = {} if body is None else {"Content-Type": "application/json"}
    answer = await service.http.request(method, path, content=content, headers=headers)
    assert answer.status_code == 422, (method, path, body, answer.text)
    problem = answer.json()
    named = list(dict.fromkeys(error["field"] for error in problem["errors"]))
    assert problem["detail"].startswith(named[0]), problem
    return named


async def test_a_misspelt_field_names_the_one_that_was_meant(environment: dict[str, str]) -> None:
    build, kind = BUILDS["smartcharging"]
    body = {"limit": {"valeu": 9}, "station": ["A"]}
    async with running("smartcharging", build, settings_of(kind, environment)) as service:
        errors = (await service.http.put("/v1/sites/s", json=body)).json()["errors"]
        moved = {"purpose": "tx_default", "profile": {"evse_id": 1}}
        misplaced = (await service.http.post("/v1/stations/A/profiles", json=moved)).json()["errors"]
    told = {error["field"]: error["message"] for error in misplaced}
    assert told["body.purpose"] == "unknown; did you mean profile.purpose?"
    assert told["body.profile.evse_id"] == "unknown; did you mean evse_id, beside profile?"
    assert {error["field"]: error["message"] for error in errors} == {
        "body.limit.value": "is missing",
        "body.limit.valeu": "unknown; did you mean value?",
        "body.station": "unknown; did you mean stations?",
    }
