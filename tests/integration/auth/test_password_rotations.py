"""Passwords of many stations are rotated: from REST through the commands to what each has come to."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from services.auth.settings import Settings
from services.common.kafka.bus import Record
from tests.clients.system import eventually
from tests.integration.auth.conftest import credentials
from tests.integration.common.running import GATEWAY, SLOT, Running, connected
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_UNDELIVERED, Outcome, Result

STATIONS = ("CP1", "CP2", "CP3", "CP4")
PATH = "/v1/password-rotations/spring"


@pytest.fixture
async def redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    monkeypatch.setattr("services.auth.password_rotation.EVERY_SECONDS", 0.05)
    client = Redis.from_url(settings.redis_url)
    yield client
    await client.delete(*(f"route:{name}" for name in STATIONS), f"slot:{SLOT}")
    await client.aclose()


@pytest.fixture
async def fleet(auth: Running, redis: Redis) -> Running:
    """Stations of a group, of which CP4 is away; and one without a password."""
    for name in STATIONS:
        await auth.http.put(f"/v1/stations/{name}", json={"groups": ["vienna"]})
        if name != "CP4":
            await connected(redis, name, "1.6")
    await auth.http.put("/v1/stations/OPEN", json={"groups": ["vienna"], "auth": "none"})
    return auth


async def begin(auth: Running, status: int = 201, **body: Any) -> Any:
    answer = await auth.http.put(PATH, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def states(auth: Running) -> dict[str, str]:
    return {one["station_id"]: one["state"] for one in (await auth.get(f"{PATH}/stations"))["items"]}


async def become(auth: Running, **wanted: str) -> None:
    await eventually(lambda: states(auth), lambda found: found | wanted == found)


def hashes(auth: Running) -> dict[str, bytes]:
    """Of the passwords that gateways let in."""
    return {name: known.password_hash for name, known in credentials(auth).items() if known}


async def asked(auth: Running, number: int) -> dict[str, str]:
    """The last command to each station, by its id, when so many were sent in all."""

    async def sent() -> list[tuple[str, str]]:
        return [(out.station_id, out.command.id) for out in auth.replies() if out.HasField("command")]

    found = await eventually(sent, lambda found: len(found) >= number)
    assert len(found) == number
    return dict(found)


async def answer(
    auth: Running, commands: dict[str, str], station_id: str, status: str, outcome: "Outcome" = OUTCOME_ANSWERED
) -> None:
    payload = json.dumps({"status": status}).encode() if status else b""
    result = Result(command_id=commands[station_id], station_id=station_id, version="1.6", payload=payload)
    result.outcome, result.connection_id = outcome, f"{GATEWAY}-{station_id}"
    result.at.FromDatetime(auth.time())
    await auth.put(Record("ocpp.results.auth", station_id.encode(), result.SerializeToString()))


async def test_stations_get_new_passwords_a_few_at_a_time(fleet: Running, redis: Redis) -> None:
    """A01: a standing connection lives on, and what is new is seen on the next one. CP4 waits until it is here."""
    before = hashes(fleet)
    made = await begin(fleet, group="vienna", at_once=2)
    assert (made["state"], made["stations"]["waiting"]) == ("running", 4)
    first = await asked(fleet, 2)
    assert set(first) == {"CP1", "CP2"}
    assert "password" not in json.dumps(await fleet.get(PATH)) + json.dumps(await fleet.get(f"{PATH}/stations"))
    await answer(fleet, first, "CP1", "Accepted")
    await become(fleet, CP1="accepted", CP3="sent")
    await answer(fleet, first, "CP2", "Rejected")
    await answer(fleet, await asked(fleet, 3), "CP3", "", OUTCOME_UNDELIVERED)
    await become(fleet, CP2="failed", CP3="waiting", CP4="waiting")
    await fleet.until(lambda: hashes(fleet)["CP1"] != before["CP1"])
    assert hashes(fleet)["CP2"] == before["CP2"]
    [failed] = (await fleet.get(f"{PATH}/stations", state="failed"))["items"]
    assert (failed["station_id"], failed["reason"]) == ("CP2", "Rejected")

    async def is_known() -> Any:
        async with fleet.database.connection() as db:
            return await db.fetchval("select connection_id from rollout_station where station_id = 'CP1'")

    await eventually(is_known, bool)
    await connected(redis, "CP1", "1.6", "later")
    await become(fleet, CP1="seen")
    await connected(redis, "CP4", "1.6")
    fleet.time.passes(61)
    commands = await asked(fleet, 5)
    for name in ("CP3", "CP4"):
        await answer(fleet, commands, name, "Accepted")
    await become(fleet, CP3="accepted", CP4="accepted")
    await eventually(lambda: fleet.get(PATH), lambda found: found["state"] == "done")


async def test_it_halts_where_too_many_fail_and_goes_on_when_told(fleet: Running, redis: Redis) -> None:
    await begin(fleet, station_ids=list(STATIONS), at_once=3)
    commands = await asked(fleet, 3)
    for name in commands:
        await answer(fleet, commands, name, "Rejected")
    halted = await eventually(lambda: fleet.get(PATH), lambda found: found["state"] == "halted")
    assert halted["reason"] == "3 of 3 stations have failed"
    await connected(redis, "CP4", "1.6")
    await fleet.restart()
    assert await states(fleet) == {"CP1": "failed", "CP2": "failed", "CP3": "failed", "CP4": "waiting"}
    fleet.time.passes(1)
    resumed = await fleet.http.post(f"{PATH}/resume")
    assert (resumed.json()["state"], resumed.json()["reason"]) == ("running", None)
    await asked(fleet, 6)
    stopped = await fleet.http.post(f"{PATH}/stop")
    assert (stopped.json()["state"], stopped.json()["author"]) == ("stopped", "test")


async def test_the_same_again_changes_nothing_and_another_is_refused(fleet: Running) -> None:
    made = await begin(fleet, group="nobody")
    assert (await begin(fleet, 200, group="nobody"))["started_at"] == made["started_at"]
    await begin(fleet, 409, group="nobody", at_once=1)
    await begin(fleet, 422, group="nobody", station_ids=["CP1"])
    assert [one["id"] for one in (await fleet.get("/v1/password-rotations"))["items"]] == ["spring"]
    await fleet.get("/v1/password-rotations/other", 404)
    await fleet.get("/v1/password-rotations/other/stations", 404)


async def test_a_schedule_takes_in_who_joins_and_asks_again(fleet: Running) -> None:
    """Every so many days, spread over a tenth of them."""
    await begin(fleet, group="graz", every_days=10)
    await fleet.http.put("/v1/stations/CP1", json={"groups": ["graz"]})
    await become(fleet, CP1="waiting")
    fleet.time.passes(24 * 3600)
    first = await asked(fleet, 1)
    await answer(fleet, first, "CP1", "Accepted")
    await become(fleet, CP1="accepted")
    fleet.time.passes(10 * 24 * 3600)
    assert (await asked(fleet, 2))["CP1"] != first["CP1"]
    await fleet.http.put("/v1/stations/CP1", json={"groups": []})
