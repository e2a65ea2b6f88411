"""Charging profiles of a station by REST: installed, cleared, reported, composed, stored."""

import asyncio
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.ocpp import topics
from tests.integration.common.running import registered
from tests.integration.smartcharging.stations import Stations, reject
from tests.patience import GIVE_UP
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_TIMED_OUT
from voltbus.v1.state_pb2 import Inventory, Registration

PROFILE: dict[str, Any] = {
    "id": 7,
    "purpose": "TxDefaultProfile",
    "stack_level": 1,
    "schedule": {"unit": "A", "periods": [{"start": 0, "limit": 21.3}, {"start": 3600, "limit": 6, "phases": 1}]},
}
MAX = PROFILE | {"id": 8, "purpose": "ChargingStationMaxProfile", "kind": "Absolute"}
MAX["schedule"] = PROFILE["schedule"] | {"start": "2026-03-01T12:00:00Z"}


async def post(stations: Stations, path: str, body: Any, status: int, **query: Any) -> Any:
    answer = await stations.world.http.post(f"/v1/stations/CP1/{path}", json=body, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


async def shown(stations: Stations) -> Any:
    return await stations.world.get("/v1/stations/CP1/profiles")


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_what_is_installed_is_shown_beside_what_was_asked(stations: Stations, version: str) -> None:
    """1.6 §5.16; K01.FR.05: the same id takes the place of what was there."""
    await stations.connect("CP1", version=version)
    first = await post(stations, "profiles", {"profile": PROFILE}, 202)
    await stations.settle()
    [item] = (await shown(stations))["items"]
    assert (item["command_id"], item["status"], item["response"]) == (
        first["command_id"],
        "answered",
        {"status": "Accepted"},
    )
    assert item["asked"] == item["installed"]
    assert item["installed"]["schedule"]["periods"][0]["limit"] == 21.3
    stations.answers["CP1"] = reject
    await post(stations, "profiles", {"profile": PROFILE | {"stack_level": 2}}, 202)
    await stations.settle()
    [item] = (await shown(stations))["items"]
    assert (item["asked"]["stack_level"], item["installed"]["stack_level"]) == (2, 1)
    assert item["response"] == {"status": "Rejected"}


async def test_clearing(stations: Stations) -> None:
    """K10.FR.02, K10.FR.04, 1.6 §5.3."""
    await stations.connect("CP1")
    for number in (1, 2):
        await post(stations, "profiles", {"profile": PROFILE | {"id": number, "stack_level": number}}, 202)
    await stations.settle()
    assert [item["profile_id"] for item in (await shown(stations))["items"]] == [1, 2]
    path = "/v1/stations/CP1/profiles"
    answer = await stations.world.http.delete(path, params={"purpose": "TxDefaultProfile", "stack_level": 2})
    assert answer.status_code == 202
    await stations.settle()
    assert stations.history[-1].payload == {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2}
    assert [item["profile_id"] for item in (await shown(stations))["items"]] == [1]
    assert (await stations.world.http.delete(path)).status_code == 422
    raw = await stations.world.http.post("/v1/stations/CP1/commands/ClearChargingProfile", json={"id": 1})
    assert raw.status_code == 202
    await stations.settle()
    assert (await shown(stations))["items"] == []


async def test_what_was_set_in_the_words_of_a_version_is_shown_too(stations: Stations) -> None:
    await stations.connect("CP1", version="2.0.1")
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7400.0}]}
    profile = {
        "id": 99,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    await post(stations, "commands/SetChargingProfile", {"evseId": 0, "chargingProfile": profile}, 202)
    await stations.settle()
    [item] = (await shown(stations))["items"]
    assert item["installed"]["schedule"]["unit"] == "W"
    assert item["installed"]["schedule"]["periods"][0]["limit"] == 7400


async def test_a_stored_profile_is_installed_by_its_name(stations: Stations) -> None:
    await stations.connect("CP1")
    put = await stations.world.http.put("/v1/profiles/night", json=PROFILE)
    assert put.status_code == 201
    assert (await stations.world.http.put("/v1/profiles/night", json=PROFILE)).status_code == 200
    assert [one["name"] for one in (await stations.world.get("/v1/profiles"))["items"]] == ["night"]
    await post(stations, "profiles", {"stored": "night", "evse_id": 1}, 202)
    await stations.settle()
    assert stations.history[-1].payload["connectorId"] == 1
    assert stations.history[-1].limit == 21.3
    await post(stations, "profiles", {"stored": "nobody's"}, 404)
    await post(stations, "profiles", {}, 422)
    assert (await stations.world.http.delete("/v1/profiles/night")).status_code == 204
    await stations.world.get("/v1/profiles/night", 404)
    await stations.world.settled()
    assert [(one.name, one.author) for one in stations.world.announced("StoredProfileChanged")] == [
        ("night", "test")
    ] * 2
    assert [(one.name, one.author) for one in stations.world.announced("StoredProfileRemoved")] == [("night", "test")]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"purpose": "TxProfile"}, "body.evse_id"),
        ({"kind": "Absolute"}, "body.schedule.start"),
        ({"kind": "Recurring"}, "body.schedule.start"),
        ({"recurrency": "Daily"}, "body.recurrency"),
        ({"schedule": {"periods": [{"start": 5, "limit": 6}]}}, "body.schedule.periods"),
        ({"schedule": {"periods": [{"start": 0, "limit": 6}] * 2}}, "body.schedule.periods"),
        ({"schedule": {"periods": [{"start": 0, "limit": 6.25}]}}, "body.schedule"),
        ({"schedule": {"periods": [{"start": 0, "limit": 6, "phase_to_use": 1}]}}, "body.schedule.periods"),
        ({"purpose": "ChargingStationMaxProfile"}, "body.kind"),
    ],
)
async def test_what_ocpp_does_not_allow_is_refused(stations: Stations, wrong: dict[str, Any], field: str) -> None:
    """K01.FR.03, K01.FR.16, K01.FR.19, K01.FR.31, K01.FR.35, K01.FR.38, K01.FR.40, K01.FR.41."""
    await stations.world.bus.publish(registered("CP1"))
    refused = await post(stations, "profiles", {"profile": PROFILE | wrong}, 422)
    assert refused["errors"][0]["field"] == field


async def test_the_sessions_of_a_site_are_its_own_matter(stations: Stations) -> None:
    await stations.connect("CP1")
    await stations.put_site({"limit": {"value": 32}, "stations": ["CP1"]})
    assert [item["of_site"] for item in (await shown(stations))["items"]] == [True]
    refused = await post(stations, "profiles", {"profile": PROFILE}, 409)
    assert "site garage" in refused["detail"]
    await post(stations, "profiles", {"profile": MAX}, 202)
    await stations.settle()
    assert stations.history[-1].purpose == "ChargePointMaxProfile"
    path = "/v1/stations/CP1/profiles"
    assert (await stations.world.http.delete(path, params={"evse_id": 0})).status_code == 409
    assert (await stations.world.http.delete(path, params={"id": 8})).status_code == 202


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_composite_schedule_is_asked_for(stations: Stations, version: str) -> None:
    """K08.FR.02, 1.6 §5.7."""
    await stations.connect("CP1", version=version)
    periods = [{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 60, "limit": 0.0}]
    begins = "2026-03-01T12:00:00Z"
    schedule = {"duration": 600, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    answer = {"status": "Accepted", "connectorId": 1, "scheduleStart": begins, "chargingSchedule": schedule}
    if version == "2.0.1":
        answer = {"status": "Accepted", "schedule": schedule | {"evseId": 1, "scheduleStart": begins}}
    stations.answers["CP1"] = lambda _: (OUTCOME_ANSWERED, answer)
    found = await composite(stations, 200)
    asked = stations.history[-1].payload
    name = "connectorId" if version == "1.6" else "evseId"
    assert asked == {name: 1, "duration": 600, "chargingRateUnit": "A"}
    assert (found["evse_id"], found["schedule"]["start"], found["schedule"]["unit"]) == (1, begins, "A")
    assert [(period["start"], period["limit"]) for period in found["schedule"]["periods"]] == [(0, 16), (60, 0)]
    stations.answers["CP1"] = reject
    assert "Rejected" in (await composite(stations, 409))["detail"]
    stations.answers["CP1"] = lambda _: (OUTCOME_TIMED_OUT, None)
    await composite(stations, 504)


async def test_nobody_waits_for_the_schedule_of_a_station_that_is_not_there(stations: Stations) -> None:
    """An unknown one, one that is registered and never came, one that has left."""
    path, bus = "/v1/stations/{}/composite-schedule", stations.world.bus
    query = {"wait": 60}
    async with asyncio.timeout(GIVE_UP):
        assert "no such station" in (await stations.world.get(path.format("CP9"), 404, query))["detail"]
        await bus.publish(
            [Record(topics.REGISTRATIONS.name, b"CP9", Registration(location_id="x").SerializeToString())]
        )
        assert "not connected" in (await stations.world.get(path.format("CP9"), 409, query))["detail"]
        said = Inventory(version="1.6").SerializeToString()
        await stations.connect("CP1")
        await bus.publish([Record(topics.INVENTORY.name, b"CP1", said)])
        await stations.leave("CP1")
        assert "not connected" in (await stations.world.get(path.format("CP1"), 409, query))["detail"]
    assert not stations.history


async def composite(stations: Stations, status: int) -> Any:
    query = {"evse_id": 1, "duration": 600, "unit": "A", "wait": 10}
    asking = asyncio.create_task(stations.world.get("/v1/stations/CP1/composite-schedule", status, query))
    async with asyncio.timeout(GIVE_UP):
        while not await stations.obey():
            await stations.world.bus.wait()
    return await asking


async def test_what_a_station_reports_is_put_together(stations: Stations) -> None:
    """K09.FR.01, K09.FR.02, K09.FR.03."""
    await stations.connect("CP1", version="2.0.1")
    command = await post(stations, "profiles/report", None, 202, evse_id=1)
    await stations.settle()
    asked = stations.history[-1]
    assert (asked.action, asked.payload["evseId"]) == ("GetChargingProfiles", 1)
    assert asked.payload["chargingProfile"]["chargingLimitSource"]
    for number, tbc in ((1, True), (2, False)):
        schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
        profile = {
            "id": -number,
            "stackLevel": 0,
            "chargingProfilePurpose": "ChargingStationExternalConstraints",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [schedule],
        }
        report = {
            "requestId": asked.payload["requestId"],
            "chargingLimitSource": "EMS",
            "evseId": 1,
            "tbc": tbc,
            "chargingProfile": [profile],
        }
        stations.world.time.passes(1)
        await stations.world.put(stations.world.call("ReportChargingProfiles", report, "CP1", "2.0.1"))
        reported = (await shown(stations))["reported"]
        assert (reported["complete"], len(reported["profiles"])) == (not tbc, number)
    assert [(one["source"], one["profile"]["id"]) for one in reported["profiles"]] == [("EMS", -1), ("EMS", -2)]
    assert command["action"] == "ReportProfiles"


async def test_a_station_of_1_6_reports_no_profiles(stations: Stations) -> None:
    await stations.connect("CP1", version="1.6")
    refused = await post(stations, "profiles/report", None, 409)
    assert "1.6" in refused["detail"]


def spelled(id: int, purpose: str = "TxDefaultProfile", **more: Any) -> dict[str, Any]:
    """A profile as OCPP 2.0.1 has it, where PROFILE is."""
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
    made = {"id": id, "stackLevel": 1, "chargingProfilePurpose": purpose, "chargingProfileKind": "Relative"}
    return made | {"chargingSchedule": [schedule]} | more


def raw(id: int, **more: Any) -> dict[str, Any]:
    return {"evseId": 0, "chargingProfile": spelled(id, **more)}


async def refused_for(stations: Stations, other: int, body: Any, **more: Any) -> None:
    """A profile is refused, in our words and in OCPP's, for the one that is named."""
    words = {"profiles": ({"profile": PROFILE | {"id": 9} | body} | more, "body.stack_level")}
    if not body and not more:
        words["commands/SetChargingProfile"] = (raw(9), "body.chargingProfile.stackLevel")
    for path, (asked, field) in words.items():
        [error] = (await post(stations, path, asked, 422))["errors"]
        assert error["field"] == field
        for part in (f"profile {other},", f"profiles?id={other}", "profiles/report"):
            assert part in error["message"]


async def test_no_second_profile_of_a_stack_level(stations: Stations) -> None:
    """K01.FR.06: whoever asks for it, until the first is cleared."""
    await stations.connect("CP1", version="2.0.1")
    await post(stations, "profiles", {"profile": PROFILE}, 202)
    await refused_for(stations, 7, {})
    await stations.settle()
    await refused_for(stations, 7, {})
    await refused_for(stations, 7, {}, evse_id=1)
    many = {"stations": ["CP1"], "payload": raw(9)}
    answer = await stations.world.http.post("/v1/commands/SetChargingProfile", json=many)
    await stations.settle()
    [command] = (await stations.world.get(f"/v1/batches/{answer.json()['batch_id']}"))["commands"]["items"]
    assert (command["outcome"], command["error_code"]) == ("unrenderable", "OccurrenceConstraintViolation")
    assert len(stations.history) == 1
    await post(stations, "profiles", {"profile": PROFILE | {"id": 9, "stack_level": 2}}, 202)
    await post(stations, "commands/SetChargingProfile", raw(7), 202)
    await stations.settle()
    assert (await stations.world.http.delete("/v1/stations/CP1/profiles", params={"id": 7})).status_code == 202
    # It has not answered yet.
    await refused_for(stations, 7, {"id": 10})
    await stations.settle()
    await post(stations, "commands/SetChargingProfile", raw(10), 202)
    await stations.settle()
    assert {item["profile_id"] for item in (await shown(stations))["items"]} == {9, 10}


async def test_no_second_profile_of_a_transaction(stations: Stations) -> None:
    """K01.FR.39."""
    await stations.connect("CP1", version="2.0.1")
    first = {"purpose": "TxProfile"}
    body = {"profile": PROFILE | first, "evse_id": 1, "transaction_id": "tx-1"}
    await post(stations, "profiles", body, 202)
    await stations.settle()
    await refused_for(stations, 7, first, evse_id=1, transaction_id="tx-1")
    other = {"evseId": 1, "chargingProfile": spelled(9, "TxProfile", transactionId="tx-1")}
    await post(stations, "commands/SetChargingProfile", other, 422)
    await post(stations, "profiles", body | {"profile": PROFILE | first | {"id": 9}, "transaction_id": "tx-2"}, 202)
    await stations.settle()
    assert len(stations.history) == 2


async def test_what_waits_for_its_station_is_compared_when_that_is_there(stations: Stations) -> None:
    """K01.FR.06: both are taken while nobody can tell, and one is sent."""
    await stations.world.bus.publish(registered("CP1"))
    asked = [await post(stations, "profiles", {"profile": PROFILE | {"id": number}}, 202) for number in (7, 9)]
    await stations.connect("CP1", version="2.0.1")
    await stations.settle()
    assert [sent.payload["chargingProfile"]["id"] for sent in stations.history] == [7]
    last = await stations.world.get(f"/v1/commands/{asked[1]['command_id']}")
    assert (last["status"], last["outcome"]) == ("rejected", "unrenderable")
    assert "profile 7" in last["error_description"]


async def test_a_report_tells_what_is_in_the_way(stations: Stations) -> None:
    """K09: what the station has lost, and what it has from elsewhere."""
    await stations.connect("CP1", version="2.0.1")
    await post(stations, "profiles", {"profile": PROFILE}, 202)
    await stations.settle()

    async def reports(id: int, **more: Any) -> None:
        await stations.settle()
        stations.world.time.passes(1)
        told = {"requestId": stations.history[-1].payload["requestId"], "chargingLimitSource": "CSO", "evseId": 0}
        told["chargingProfile"] = [spelled(id, **more)]
        await stations.world.put(stations.world.call("ReportChargingProfiles", told, "CP1", "2.0.1"))

    by_criteria = {"requestId": 5, "chargingProfile": {"stackLevel": 3}}
    await post(stations, "commands/GetChargingProfiles", by_criteria, 202)
    await reports(5, stackLevel=3)
    await refused_for(stations, 5, {"stack_level": 3})
    await refused_for(stations, 7, {})
    await post(stations, "profiles/report", None, 202)
    await reports(8)
    await refused_for(stations, 8, {})
    stations.answers["CP1"] = lambda _: (OUTCOME_ANSWERED, {"status": "NoProfiles"})
    await post(stations, "profiles/report", None, 202)
    await stations.settle()
    stations.answers.clear()
    await post(stations, "profiles", {"profile": PROFILE | {"id": 9}}, 202)
    await stations.settle()
    assert stations.history[-1].payload["chargingProfile"]["id"] == 9


async def test_the_place_of_a_site_s_profile_is_taken(stations: Stations) -> None:
    """K01.FR.06: a command in OCPP's own words, too."""
    await stations.connect("CP1", version="2.0.1")
    await stations.put_site({"limit": {"value": 32}, "stations": ["CP1"]})
    [error] = (await post(stations, "commands/SetChargingProfile", raw(9, stackLevel=0), 422))["errors"]
    assert "profile 900000000" in error["message"]
    await post(stations, "commands/SetChargingProfile", raw(9), 202)
    await stations.settle()


async def test_a_station_of_1_6_puts_one_in_the_place_of_the_other(stations: Stations) -> None:
    """1.6 §3.13.2."""
    await stations.connect("CP1", version="1.6")
    for number in (7, 9):
        await post(stations, "profiles", {"profile": PROFILE | {"id": number}}, 202)
        await stations.settle()
    assert [item["profile_id"] for item in (await shown(stations))["items"] if item["installed"]] == [9]
