"""Stations go to a higher security profile: from REST through each step to what is in force."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from services.auth.settings import Settings
from services.common.kafka.bus import Record
from services.ocpp.versions import VERSIONS
from tests.clients.system import eventually
from tests.integration.common.running import GATEWAY, SLOT, Running, connected
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_SECURED, Result

PATH = "/v1/security-profile-upgrades/to-2"
URL = "wss://csms.example:9443/ocpp"
READ = {
    "getVariableResult": [
        {
            "attributeStatus": "Accepted",
            "attributeValue": "1",
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "NetworkConfigurationPriority"},
        }
    ]
}
SET = {
    "setVariableResult": [
        {
            "attributeStatus": "Accepted",
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "NetworkConfigurationPriority"},
        }
    ]
}
ACCEPTED = {"status": "Accepted"}


@pytest.fixture
async def redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    monkeypatch.setattr("services.auth.profile_upgrade.EVERY_SECONDS", 0.05)
    client = Redis.from_url(settings.redis_url)
    yield client
    await client.delete("route:CP1", "route:CP2", f"slot:{SLOT}")
    await client.aclose()


async def begin(auth: Running, status: int = 201, **body: Any) -> Any:
    answer = await auth.http.put(PATH, json={"station_ids": ["CP1"], "security_profile": 2, "url": URL} | body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def station(auth: Running, name: str = "CP1") -> Any:
    items = (await auth.get(f"{PATH}/stations"))["items"]
    return next(one for one in items if one["station_id"] == name)


async def answered(auth: Running, number: int, version: str, action: str, answer: Any) -> Any:
    """The payload of that command, which is valid, and which the station answers so."""

    async def sent() -> list[Any]:
        return [out.command for out in auth.replies() if out.HasField("command")]

    command = (await eventually(sent, lambda found: len(found) >= number))[number - 1]
    assert command.action == action
    VERSIONS[version].schemas.check_request(action, json.loads(command.payload))
    VERSIONS[version].schemas.check_response(action, answer)
    await told(auth, version, OUTCOME_ANSWERED, command_id=command.id, payload=json.dumps(answer).encode())
    return json.loads(command.payload)


async def told(auth: Running, version: str, outcome: Any, connection: str = "CP1", **more: Any) -> None:
    result = Result(station_id="CP1", connection_id=f"{GATEWAY}-{connection}", version=version, outcome=outcome, **more)
    result.at.FromDatetime(auth.time())
    await auth.put(Record("ocpp.results.auth", b"CP1", result.SerializeToString()))


async def to_await(auth: Running, version: str) -> Any:
    """Through every step of 2.x; what the station was told of its profile."""
    await answered(auth, 1, version, "GetVariables", READ)
    stored = await answered(auth, 2, version, "SetNetworkProfile", ACCEPTED)
    priority = await answered(auth, 3, version, "SetVariables", SET)
    assert priority["setVariableData"][0]["attributeValue"] == "2,1"
    assert await answered(auth, 4, version, "Reset", {"status": "Scheduled"}) == {"type": "OnIdle"}
    await eventually(lambda: station(auth), lambda one: one["step"] == "await")
    return stored


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_station_goes_there_and_is_let_in_with_no_lower_one(auth: Running, redis: Redis, version: str) -> None:
    """A05.FR.07, B09, B10; also over a restart in the midst of it."""
    await auth.http.put("/v1/stations/CP1")
    await begin(auth)
    assert (await station(auth))["state"] == "waiting"
    await connected(redis, "CP1", version)
    stored = await to_await(auth, version)
    assert stored["configurationSlot"] == 2
    profile = stored["connectionData"]
    assert (profile["securityProfile"], profile["ocppCsmsUrl"]) == (2, URL)
    await auth.restart()
    await connected(redis, "CP1", version, "later")
    await told(auth, version, OUTCOME_SECURED, "later", security_profile=2)
    await eventually(lambda: station(auth), lambda one: one["state"] == "seen")
    assert (await auth.get("/v1/stations/CP1"))["security_profile"] == 2
    await eventually(lambda: auth.get(PATH), lambda found: found["state"] == "done")


async def test_one_that_comes_back_with_its_old_profile_has_its_priority_again(auth: Running, redis: Redis) -> None:
    await auth.http.put("/v1/stations/CP1")
    await connected(redis, "CP1", "2.0.1")
    await begin(auth)
    await to_await(auth, "2.0.1")
    await connected(redis, "CP1", "2.0.1", "later")

    async def came() -> Any:
        async with auth.database.connection() as db:
            return await db.fetchval("select facts->>'came' from rollout_station where station_id = 'CP1'")

    await eventually(came, bool)
    auth.time.passes(61)
    restored = await answered(auth, 5, "2.0.1", "SetVariables", SET)
    assert restored["setVariableData"][0]["attributeValue"] == "1,2"
    one = await eventually(lambda: station(auth), lambda one: one["state"] == "rolled_back")
    assert one["reason"] == "it came back with its old security profile"
    assert (await auth.get("/v1/stations/CP1"))["security_profile"] == 1


async def test_a_station_of_1_6_goes_there_by_itself(auth: Running, redis: Redis) -> None:
    """Security whitepaper A05; it needs no url."""
    await auth.http.put("/v1/stations/CP1")
    await connected(redis, "CP1", "1.6")
    await begin(auth, url=None)
    asked = await answered(auth, 1, "1.6", "ChangeConfiguration", ACCEPTED)
    assert asked == {"key": "SecurityProfile", "value": "2"}
    await told(auth, "1.6", OUTCOME_SECURED, "later", security_profile=2)
    await eventually(lambda: station(auth), lambda one: one["state"] == "seen")


async def test_what_a_station_lacks_is_said_and_nothing_is_sent(auth: Running, redis: Redis) -> None:
    await auth.http.put("/v1/stations/CP1", json={"auth": "none"})
    await auth.http.put("/v1/stations/CP2")
    for name in ("CP1", "CP2"):
        await connected(redis, name, "2.0.1")
    await begin(auth, 422, group="vienna")
    await begin(auth, 422, url="http://csms.example")
    await begin(auth, security_profile=3, station_ids=["CP2"])
    await begin(auth, 409, security_profile=2, station_ids=["CP2"])
    one = await eventually(lambda: station(auth, "CP2"), lambda one: one["reason"] is not None)
    assert (one["state"], "certificate" in one["reason"]) == ("waiting", True)
    assert not [out for out in auth.replies() if out.HasField("command")]


async def test_a_station_that_refuses_is_shown(auth: Running, redis: Redis) -> None:
    await auth.http.put("/v1/stations/CP1")
    await connected(redis, "CP1", "2.0.1")
    await begin(auth)
    await answered(auth, 1, "2.0.1", "GetVariables", READ)
    await answered(auth, 2, "2.0.1", "SetNetworkProfile", {"status": "Rejected"})
    one = await eventually(lambda: station(auth), lambda one: one["state"] == "failed")
    assert (one["reason"], one["step"]) == ("store: Rejected", None)
