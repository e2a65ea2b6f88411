"""The REST API of commands, with firmware as the service: one station, many, lists, what is taken back or at fault."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any
from uuid import uuid4

import jwt
import orjson
import pytest
from httpx import Response
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from services.common.kafka.bus import Record
from services.firmware.app import build
from services.firmware.settings import Settings
from services.ocpp.commands import forms
from services.ocpp.versions import VERSIONS
from tests.clients.events import enum_word
from tests.conftest import SECRETS, Stack
from tests.integration.common.running import Running, connected, registered, running, settings_of, token
from tests.patience import GIVE_UP
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_LATE, OUTCOME_TIMED_OUT, Outcome, Result
from voltbus.v1.bus_pb2 import Command as CommandRecord
from voltbus.v1.state_pb2 import Inventory, Registration

SOFT, IMMEDIATE = {"type": "Soft"}, {"type": "Immediate"}
Connect = Callable[[str, str], Awaitable[None]]


@pytest.fixture(scope="module")
async def settings(stack: Stack) -> Settings:
    environment = await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
    made: Settings = settings_of(Settings, environment)
    return made


@pytest.fixture
async def firmware(settings: Settings) -> AsyncIterator[Running]:
    async with running("firmware", build, settings) as world:
        yield world


@pytest.fixture(scope="module")
async def refusing(stack: Stack) -> AsyncIterator[Running]:
    """One for all requests that change nothing, with CP1 connected."""
    environment = await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
    own: Settings = settings_of(Settings, environment)
    async with running("firmware", build, own) as world, Redis.from_url(own.redis_url) as redis:
        await connected(redis, "CP1", "1.6")
        yield world
        assert (await world.get("/v1/commands"))["items"] == []
        assert sent(world) == []


@pytest.fixture
async def connect(settings: Settings) -> AsyncIterator[Connect]:
    """Makes a station be where a gateway would say that it is."""
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.flushdb()

        yield partial(connected, redis)
        await redis.flushdb()


def sent(world: Running) -> list[CommandRecord]:
    return [out.command for out in world.replies() if out.HasField("command")]


async def post(world: Running, path: str, body: Any, key: str | None = None, **query: Any) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await world.http.post(path, json=body, headers=headers, params=query)


async def told(world: Running, command_id: str, outcome: Outcome, payload: bytes = b"") -> None:
    """The gateway says what became of a command."""
    result = Result(command_id=command_id, outcome=outcome, payload=payload, at=world.time())
    await world.put(Record("ocpp.results.firmware", b"CP1", result.SerializeToString()))


async def publish_stations(world: Running, **versions: str) -> None:
    """Stations that were here, with their OCPP version; their group is "vienna"."""
    for name, version in versions.items():
        state = Inventory(station_id=name, version=version, vendor="Example", model="One")
        registered = Registration(station_id=name, groups=["vienna"])
        await world.bus.publish([Record("inventory", name.encode(), state.SerializeToString())])
        await world.bus.publish([Record("registrations", name.encode(), registered.SerializeToString())])
    # Nothing is told when a copy has taken a record in.
    async with asyncio.timeout(GIVE_UP):
        while not metrics_of("inventory") == metrics_of("registrations") == len(versions):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def metrics_of(topic: str) -> float | None:
    """How many entries the copy of a topic has."""
    return REGISTRY.get_sample_value("voltbus_copy_entries", {"topic": topic})


async def test_a_command_is_sent_answered_and_told(firmware: Running, connect: Connect) -> None:
    await connect("CP1", "1.6")
    asked = asyncio.create_task(post(firmware, "/v1/stations/CP1/commands/Reset", SOFT, wait=10))
    await firmware.until(lambda: len(sent(firmware)) == 1)
    [command] = sent(firmware)
    assert (command.action, orjson.loads(command.payload), command.service) == ("Reset", SOFT, "firmware")
    await told(firmware, command.id, OUTCOME_ANSWERED, b'{"status":"Accepted"}')
    answer = await asked
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["response"]) == ("answered", {"status": "Accepted"})
    await firmware.settled()
    steps = [(enum_word(event), enum_word(event, "outcome")) for event in firmware.announced("CommandChanged")]
    assert steps == [("accepted", ""), ("sent", ""), ("answered", "answered")]


async def test_who_asked_is_on_record_for_one_station_and_for_many(firmware: Running, connect: Connect) -> None:
    await connect("CP1", "1.6")
    one = (await post(firmware, "/v1/stations/CP1/commands/Reset", SOFT)).json()
    many = await post(firmware, "/v1/commands/Reset", {"stations": ["CP1"], "payload": SOFT})
    batch = await firmware.get(f"/v1/batches/{many.json()['batch_id']}")
    assert (one["author"], batch["author"], batch["commands"]["items"][0]["author"]) == ("test",) * 3
    nameless = jwt.encode({"scope": "firmware:write", "exp": time.time() + 60}, SECRETS["VOLTBUS_JWT_SECRET"])
    path, headers = "/v1/stations/CP1/commands/Reset", {"Authorization": f"Bearer {nameless}"}
    asked = (await firmware.http.post(path, json=SOFT, headers=headers)).json()
    assert (await firmware.get(f"/v1/commands/{asked['command_id']}"))["author"] is None
    await firmware.settled()
    said = {event.command_id: event.author for event in firmware.announced("CommandChanged")}
    assert said.pop(asked["command_id"]) == ""
    assert set(said.values()) == {"test"}


async def test_a_token_that_is_limited_to_groups_commands_their_stations(firmware: Running, connect: Connect) -> None:
    await publish_stations(firmware, CP1="1.6")
    for name in ("CP1", "CP2"):
        await connect(name, "1.6")
    await firmware.bus.publish([*registered("CP2")])
    for groups, station, status in (
        (["vienna"], "CP1", 202),
        (["graz", "vienna"], "CP1", 202),
        (["graz"], "CP1", 404),
        ([], "CP1", 404),
        (["vienna"], "CP2", 404),
        (["vienna"], "CP9", 404),
        (["*"], "CP2", 202),
    ):
        bearer = token("firmware:read", "firmware:write", voltbus_groups=groups)
        headers, path = {"Authorization": f"Bearer {bearer}"}, f"/v1/stations/{station}/commands/Reset"
        answer = await firmware.http.post(path, json=SOFT, headers=headers)
        assert answer.status_code == status, (groups, station, answer.text)
        if status == 404:
            assert (answer.json()["type"], station in answer.text) == ("urn:voltbus:problem:unknown-station", False)
    assert {out.station_id for out in firmware.replies()} == {"CP1", "CP2"}


async def test_a_token_that_is_limited_to_groups_follows_the_commands_of_their_stations(firmware: Running) -> None:
    """As the stations are registered now, also for what was asked before; by whoever."""
    await publish_stations(firmware, CP1="1.6", CP2="1.6")
    await firmware.bus.publish([*registered("CP3")])
    ids = {}
    for station in ("CP1", "CP2", "CP3"):
        ids[station] = (await post(firmware, f"/v1/stations/{station}/commands/Reset", SOFT)).json()["command_id"]

    async def get(path: str, *groups: str, **query: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token('firmware:read', voltbus_groups=groups)}"}
        answer = await firmware.http.get(f"/v1/commands{path}", params=query, headers=headers)
        return answer.status_code, answer.json()

    unknown = await get(f"/{uuid4()}", "vienna")
    assert unknown[0] == 404
    for groups, seen in ((["vienna", "graz"], {"CP1", "CP2"}), (["graz"], set()), ([], set()), (["*"], {*ids})):
        for station, command_id in ids.items():
            for below, query in (("", {}), ("", {"wait": 0.01}), ("/parts", {})):
                found = await get(f"/{command_id}{below}", *groups, **query)
                assert found[0] == 200 if station in seen else found == unknown, (groups, station, below)
            status, page = await get("", *groups, station_id=station)
            assert status == (200 if station in seen else 404), (groups, station)
            if status == 200:
                assert [one["command_id"] for one in page["items"]] == [command_id]
    assert (await get("", "vienna"))[0] == (await get("", "vienna", action="Reset"))[0] == 403
    assert (await get("", "vienna", station_id="CP9"))[0] == 404

    moved = Registration(station_id="CP2", groups=["graz"])
    await firmware.bus.publish([Record("registrations", b"CP2", moved.SerializeToString())])
    # Nothing is told when a copy has taken a record in.
    async with asyncio.timeout(GIVE_UP):
        while (await get(f"/{ids['CP2']}", "vienna")) != unknown:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await get(f"/{ids['CP2']}", "graz"))[0] == 200
    assert (await get("", "vienna", station_id="CP2"))[0] == 404


async def test_an_answer_that_comes_too_late_is_shown(firmware: Running, connect: Connect) -> None:
    await connect("CP1", "1.6")
    given = (await post(firmware, "/v1/stations/CP1/commands/Reset", SOFT)).json()
    await told(firmware, given["command_id"], OUTCOME_TIMED_OUT)
    await told(firmware, given["command_id"], OUTCOME_LATE, b'{"status":"Accepted"}')
    shown = await firmware.get(f"/v1/commands/{given['command_id']}")
    assert (shown["status"], shown["outcome"], shown["response"]) == ("expired", "late", {"status": "Accepted"})
    await firmware.settled()
    assert [enum_word(event, "outcome") for event in firmware.announced("CommandChanged")] == [
        "",
        "",
        "timed_out",
        "late",
    ]


async def test_what_the_payload_lacks_is_named(firmware: Running, connect: Connect) -> None:
    await connect("CP1", "1.6")
    answer = await post(firmware, "/v1/stations/CP1/commands/Reset", {})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.type"
    answer = await post(firmware, "/v1/stations/CP1/commands/Reset", IMMEDIATE)
    message = "must be one of Hard, Soft (Reset of OCPP 1.6)"
    assert answer.json()["errors"] == [{"field": "body.type", "message": message}]
    assert sent(firmware) == []


async def test_a_station_that_is_away_is_asked_in_the_version_it_had(firmware: Running, connect: Connect) -> None:
    await publish_stations(firmware, CP2="2.0.1")
    assert (await post(firmware, "/v1/stations/CP2/commands/Reset", SOFT)).status_code == 422
    waiting = await post(firmware, "/v1/stations/CP2/commands/Reset", IMMEDIATE)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "accepted")
    await connect("CP2", "2.0.1")
    await firmware.until(lambda: len(sent(firmware)) == 1)


async def test_one_that_never_was_here_must_be_sayable_in_some_version(firmware: Running) -> None:
    await firmware.bus.publish(registered("CP9"))
    assert (await post(firmware, "/v1/stations/CP9/commands/Reset", SOFT)).status_code == 202
    assert (await post(firmware, "/v1/stations/CP9/commands/Reset", IMMEDIATE)).status_code == 202
    answer = await post(firmware, "/v1/stations/CP9/commands/Reset", {"type": "Gentle"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("body.type: must be one of Hard, Soft (Reset of OCPP 1.5 and 1.6); ")


async def test_an_action_that_the_version_lacks_is_a_conflict(firmware: Running, connect: Connect) -> None:
    await connect("CP1", "2.0.1")
    answer = await post(firmware, "/v1/stations/CP1/commands/GetConfiguration", {})
    assert (answer.status_code, answer.json()["detail"]) == (409, "OCPP 2.0.1 has no GetConfiguration")


async def test_an_action_of_another_service_is_said_to_be_there(firmware: Running) -> None:
    path = "/v1/stations/RDAM%201/commands/ClearCache"
    problem = (await post(firmware, path, {})).json()
    assert (problem["type"], problem["status"]) == ("urn:voltbus:problem:other-service", 404)
    assert problem["detail"] == f"ClearCache belongs to auth: http://test:9081{path}"
    many = (await post(firmware, "/v1/commands/ClearCache", {"all": True, "payload": {}})).json()
    assert many["detail"] == "ClearCache belongs to auth: http://test:9081/v1/commands/ClearCache"
    none = await post(firmware, "/v1/stations/CP1/commands/reset", SOFT)
    assert (none.status_code, none.json()["detail"]) == (
        404,
        "path.action: there is no such action; did you mean Reset?",
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff"])
async def test_a_body_that_is_no_object(refusing: Running, body: bytes) -> None:
    answer = await refusing.http.post("/v1/stations/CP1/commands/Reset", content=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body")


async def test_a_body_without_end_is_not_read(refusing: Running) -> None:
    answer = await refusing.http.post("/v1/stations/CP1/commands/Reset", content=b" " * 300_000)
    assert answer.status_code == 413


async def test_what_waits_can_be_taken_back(firmware: Running, connect: Connect) -> None:
    await firmware.bus.publish(registered("CP1"))
    given = (await post(firmware, "/v1/stations/CP1/commands/Reset", SOFT)).json()
    path = f"/v1/commands/{given['command_id']}/cancel"
    for _ in range(2):
        answer = await firmware.http.post(path)
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert answer.json()["cancelled_by"] == "test"
    await firmware.settled()
    told = [(one.author, one.cancelled_by) for one in firmware.announced("CommandChanged")]
    assert told == [("test", ""), ("test", "test")]
    await connect("CP1", "1.6")
    other = (await post(firmware, "/v1/stations/CP1/commands/Reset", SOFT)).json()
    await firmware.until(lambda: len(sent(firmware)) == 1)
    assert sent(firmware)[0].id == other["command_id"]
    late = await firmware.http.post(f"/v1/commands/{other['command_id']}/cancel")
    assert (late.status_code, late.json()["detail"]) == (409, "too late: the command is sent")
    assert (await firmware.http.post("/v1/commands/nobody/cancel")).status_code == 404


async def test_a_token_of_some_groups_cancels_its_own_commands(firmware: Running) -> None:
    """Of stations that are in them now; those of others go on."""
    groups = {"ours": ["vienna"], "theirs": ["graz"]}
    await firmware.put(
        *(
            Record("registrations", one.encode(), Registration(station_id=one, groups=names).SerializeToString())
            for one, names in groups.items()
        )
    )

    def by(subject: str | None, *groups: str) -> dict[str, str]:
        limit = {"voltbus_groups": [*groups]} if groups else {}
        named = {"sub": subject} if subject else {}
        claims = named | limit | {"scope": "firmware:read firmware:write", "exp": time.time() + 60}
        return {"Authorization": f"Bearer {jwt.encode(claims, SECRETS['VOLTBUS_JWT_SECRET'])}"}

    async def given(station: str, headers: dict[str, str]) -> str:
        answer = await firmware.http.post(f"/v1/stations/{station}/commands/Reset", json=SOFT, headers=headers)
        found: str = answer.json()["command_id"]
        return found

    async def cancelled(command_id: str, headers: dict[str, str]) -> int:
        answer = await firmware.http.post(f"/v1/commands/{command_id}/cancel", headers=headers)
        return answer.status_code

    anna, bert, nobody = by("anna", "vienna"), by("bert", "vienna"), by(None, "vienna")
    own, of_bert, of_nobody = [await given("ours", one) for one in (anna, bert, nobody)]
    elsewhere = await given("theirs", by("anna"))
    assert await cancelled(elsewhere, anna) == 404
    assert await cancelled(of_bert, anna) == await cancelled(of_nobody, nobody) == 403
    assert await cancelled(own, anna) == 200
    shown = (await firmware.http.get(f"/v1/commands/{own}", headers=anna)).json()
    assert (shown["status"], shown["author"], shown["cancelled_by"]) == ("cancelled", "anna", "anna")
    assert await cancelled(of_bert, by("anna")) == 200, "whoever is not limited cancels whatever waits"


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/v1/stations/CP1/commands/Reset", SOFT, "command_id"),
        ("/v1/commands/Reset", {"all": True, "payload": SOFT}, "batch_id"),
    ],
)
async def test_a_key_is_of_its_caller(firmware: Running, path: str, body: Any, name: str) -> None:
    """Callers with the same key get each their own, also at the same moment, and also for other words."""
    await firmware.put(*registered("CP1"))

    async def asked(subject: str, body: Any = body, status: int = 202) -> Any:
        bearer = token("firmware:read", "firmware:write", sub=subject)
        headers = {"Idempotency-Key": "k", "Authorization": f"Bearer {bearer}"}
        answer = await firmware.http.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json().get(name)

    anna, bert, again = await asyncio.gather(asked("anna"), asked("bert"), asked("anna"))
    assert again == anna != bert
    assert (await asked("bert"), await asked("anna")) == (bert, anna)
    other = {"type": "Hard"} if body == SOFT else body | {"payload": {"type": "Hard"}}
    await asked("anna", other, 409)
    assert await asked("carla", other) not in (anna, bert)


async def test_what_was_asked_for_before_authors_were_kept_is_known_by_its_key(firmware: Running) -> None:
    await firmware.put(*registered("CP1"))
    first = (await post(firmware, "/v1/stations/CP1/commands/Reset", SOFT, key="old")).json()
    async with firmware.database.connection() as db:
        await db.execute("update command set author = null")
    again = (await post(firmware, "/v1/stations/CP1/commands/Reset", SOFT, key="old")).json()
    assert again["command_id"] == first["command_id"]
    other = await post(firmware, "/v1/stations/CP1/commands/Reset", IMMEDIATE, key="old")
    assert other.status_code == 409


async def test_lists_hold_while_commands_are_added(firmware: Running) -> None:
    await firmware.bus.publish(registered("CP0", "CP1"))
    given = [await post(firmware, f"/v1/stations/CP{n % 2}/commands/Reset", SOFT) for n in range(6)]
    ids = [answer.json()["command_id"] for answer in given]
    page = await firmware.get("/v1/commands", limit=4)
    await post(firmware, "/v1/stations/CP1/commands/Reset", SOFT)
    rest = await firmware.get("/v1/commands", limit=4, cursor=page["next"])
    assert [item["command_id"] for item in page["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    ones = await firmware.get("/v1/commands", station_id="CP1", action="Reset", query={"status": "accepted"})
    assert {item["station_id"] for item in ones["items"]} == {"CP1"}
    assert len(ones["items"]) == 4
    assert (await firmware.get("/v1/commands", query={"status": "sent"}))["items"] == []


async def test_many_stations_each_have_their_result(firmware: Running, connect: Connect) -> None:
    await firmware.bus.publish(registered("C"))
    await connect("A", "1.6")
    await connect("B", "2.0.1")
    answer = await post(firmware, "/v1/commands/Reset", {"stations": ["A", "B", "C"], "payload": SOFT})
    batch = answer.json()
    assert (answer.status_code, batch["stations"], batch["open"]) == (202, 3, 2)
    found = {item["station_id"]: (item["status"], item["outcome"]) for item in batch["commands"]["items"]}
    assert found == {"A": ("sent", None), "B": ("rejected", "unrenderable"), "C": ("accepted", None)}
    await told(firmware, sent(firmware)[0].id, OUTCOME_ANSWERED, b'{"status":"Accepted"}')
    shown = await firmware.get(f"/v1/batches/{batch['batch_id']}")
    assert shown["by_status"] == {"answered": 1, "rejected": 1, "accepted": 1}
    listed = await firmware.get("/v1/commands", batch_id=batch["batch_id"])
    assert len(listed["items"]) == 3


async def test_many_are_chosen_by_what_they_are(firmware: Running) -> None:
    await publish_stations(firmware, A="1.6", B="2.0.1", C="1.6")
    chosen = {"filter": {"group": "vienna", "version": "1.6"}, "payload": SOFT}
    batch = (await post(firmware, "/v1/commands/Reset", chosen)).json()
    assert sorted(item["station_id"] for item in batch["commands"]["items"]) == ["A", "C"]
    nobody = await post(firmware, "/v1/commands/Reset", {"filter": {"group": "graz"}, "payload": SOFT})
    assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (404, "body.filter")


async def test_many_under_one_key_are_asked_once(firmware: Running) -> None:
    await firmware.bus.publish(registered("A", "B"))
    body = {"stations": ["A", "B"], "payload": SOFT}
    first, second = [await post(firmware, "/v1/commands/Reset", body, key="k") for _ in range(2)]
    assert first.json()["batch_id"] == second.json()["batch_id"]
    assert len((await firmware.get("/v1/commands"))["items"]) == 2
    other = await post(firmware, "/v1/commands/Reset", body | {"payload": {"type": "Hard"}}, key="k")
    assert other.status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"payload": SOFT},
        {"stations": [], "payload": SOFT},
        {"stations": ["A"], "filter": {}, "payload": SOFT},
        {"stations": ["A\0"], "payload": SOFT},
        {"stations": ["A"]},
        {"stations": ["A"], "payload": {"type": "Gentle"}},
        {"filter": {"colour": "red"}, "payload": SOFT},
        {"filter": {}, "payload": SOFT},
        {"filter": {"group": None}, "payload": SOFT},
        {"all": False, "payload": SOFT},
        {"all": True, "filter": {"group": "vienna"}, "payload": SOFT},
    ],
)
async def test_many_that_are_not_said_right(refusing: Running, body: Any) -> None:
    answer = await post(refusing, "/v1/commands/Reset", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("body")
    assert (await refusing.get("/v1/commands"))["items"] == []


async def test_every_station_is_asked_where_all_is_said(firmware: Running) -> None:
    await publish_stations(firmware, A="1.6", B="1.6")
    batch = (await post(firmware, "/v1/commands/Reset", {"all": True, "payload": SOFT})).json()
    assert sorted(item["station_id"] for item in batch["commands"]["items"]) == ["A", "B"]


async def test_what_nobody_registered_gets_no_command(firmware: Running) -> None:
    """Each step of the way: unknown, then registered at this very moment."""
    await firmware.bus.publish(registered("CP001"))
    path, meant = "/v1/stations/CP01/commands/Reset", "did you mean CP001?"
    refused = await post(firmware, path, SOFT)
    [error] = refused.json()["errors"]
    assert (refused.status_code, error["field"]) == (404, "path.station_id")
    assert refused.json()["type"] == "urn:voltbus:problem:unknown-station"
    assert error["message"].endswith(meant)
    await firmware.bus.publish(registered("CP01"))
    assert (await post(firmware, path, SOFT)).status_code == 202


async def test_who_is_connected_gets_commands_whatever_is_registered(firmware: Running, connect: Connect) -> None:
    """Gateways may let in everybody; what they say of a new station may not have arrived."""
    await connect("STRANGER", "1.6")
    assert (await post(firmware, "/v1/stations/STRANGER/commands/Reset", SOFT)).json()["status"] == "sent"


async def test_many_of_which_one_is_unknown_get_no_command(firmware: Running) -> None:
    await firmware.bus.publish(registered("A-1", "B-1"))
    refused = await post(firmware, "/v1/commands/Reset", {"stations": ["A-1", "A1", "B-1", "B1"], "payload": SOFT})
    errors = refused.json()["errors"]
    assert (refused.status_code, [error["field"] for error in errors]) == (404, ["body.stations.1", "body.stations.3"])
    assert errors[1]["message"].endswith("did you mean B-1?")
    assert (await firmware.get("/v1/commands"))["items"] == []


async def test_a_batch_is_the_same_after_its_station_was_removed(firmware: Running) -> None:
    await firmware.bus.publish(registered("A"))
    body = {"stations": ["A"], "payload": SOFT}
    first = await post(firmware, "/v1/commands/Reset", body, key="k")
    await firmware.bus.publish([Record("registrations", b"A", None)])
    await firmware.until(lambda: metrics_of("registrations") == 0)
    again = await post(firmware, "/v1/commands/Reset", body, key="k")
    assert again.json()["batch_id"] == first.json()["batch_id"]
    assert (await post(firmware, "/v1/commands/Reset", body)).status_code == 404


async def test_more_than_one_go_of_the_sender(firmware: Running, connect: Connect) -> None:
    stations = [f"S{n:04}" for n in range(1200)]
    for station in stations:
        await connect(station, "1.6")
    batch = await post(firmware, "/v1/commands/Reset", {"stations": stations, "payload": SOFT})
    # The dispatcher's own round may have some of them in hand still.
    await firmware.until(lambda: len(sent(firmware)) == 1200)
    assert len({command.id for command in sent(firmware)}) == 1200
    assert (await firmware.get(f"/v1/batches/{batch.json()['batch_id']}"))["by_status"] == {"sent": 1200}
    assert len(batch.json()["commands"]["items"]) == 1000
    assert batch.json()["commands"]["next"]


async def test_openapi_shows_each_action_with_its_real_schema(firmware: Running) -> None:
    document = firmware.service.app.openapi()
    for action, versions in forms("firmware").items():
        body = document["paths"][f"/v1/stations/{{station_id}}/commands/{action}"]["post"]["requestBody"]
        content = body["content"]["application/json"]
        assert set(content["examples"]) == {f"OCPP {version}" for version in versions}
        for version, form in versions.items():
            assert form.fault(content["examples"][f"OCPP {version}"]["value"]) is None
            shown = document["components"]["schemas"][f"OCPP{version.replace('.', '')}_{action}"]
            assert set(shown["properties"]) == set(form.schema["properties"])
    references = {value for key, value in pairs(document) if key == "$ref"}
    for reference in references:
        assert reference.rpartition("/")[2] in document["components"]["schemas"], reference
    assert {owner for version in VERSIONS.values() for owner in version.to_station.values()} >= {"firmware"}


def pairs(value: Any) -> list[tuple[str, Any]]:
    """Every key of a document with its value."""
    if isinstance(value, dict):
        return [*value.items(), *(pair for part in value.values() for pair in pairs(part))]
    return [pair for part in value for pair in pairs(part)] if isinstance(value, list) else []


async def test_a_verb_says_the_same_to_stations_of_every_version(firmware: Running, connect: Connect) -> None:
    """And a no of the station is shown as one."""
    await connect("CP1", "1.6")
    await connect("CP2", "2.0.1")
    await publish_stations(firmware, CP1="1.6", CP2="2.0.1")
    given = await post(firmware, "/v1/unlock", {"filter": {"group": "vienna"}, "evse_id": 2})
    assert (given.status_code, given.json()["action"], given.json()["stations"]) == (202, "Unlock", 2)
    await firmware.until(lambda: len(sent(firmware)) == 2)
    assert sorted(command.payload for command in sent(firmware)) == [
        b'{"connectorId":2}',
        b'{"evseId":2,"connectorId":1}',
    ]
    for command, status in zip(sent(firmware), ("UnlockFailed", "Unlocked"), strict=True):
        await told(firmware, command.id, OUTCOME_ANSWERED, orjson.dumps({"status": status}))
    batch = await firmware.get(f"/v1/batches/{given.json()['batch_id']}")
    assert (batch["by_status"], batch["by_effect"]) == ({"answered": 2}, {"refused": 1, "accepted": 1})
    assert {one["effect"] for one in batch["commands"]["items"]} == {"refused", "accepted"}
    await firmware.settled()
    effects = [enum_word(event, "effect") for event in firmware.announced("CommandChanged")]
    assert sorted(filter(None, effects)) == ["accepted", "refused"]


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/v1/stations/CP1/reset", None, 422, "body"),
        ("/v1/stations/CP1/reset", {}, 422, "body.type"),
        ("/v1/stations/CP1/reset", {"type": "on_idle"}, 409, None),
        ("/v1/stations/CP1/unlock", {}, 422, "body"),
        ("/v1/stations/CP1/unlock", {"evse": 1}, 422, "body.evse"),
        ("/v1/stations/CP1/availability", {"evse_id": 1}, 422, "body.status"),
        ("/v1/stations/CP1/reset?not_before=tomorrow", {"type": "soft"}, 422, "query.not_before"),
        ("/v1/stations/CP1/reset?not_before=2999-01-01T00:00:00Z", {"type": "soft"}, 422, "query.not_before"),
        ("/v1/stations/CP9/reset", {"type": "soft"}, 404, "path.station_id"),
        ("/v1/reset", {"type": "soft"}, 422, "body"),
        ("/v1/reset", {"stations": ["CP1"], "all": True, "type": "soft"}, 422, "body"),
        ("/v1/reset", {"stations": ["CP9"], "type": "soft"}, 404, "body.stations.0"),
    ],
)
async def test_what_is_wrong_with_a_verb_is_named(
    refusing: Running, path: str, body: Any, status: int, field: str | None
) -> None:
    answer = await refusing.http.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert [error["field"] for error in answer.json().get("errors", [])] == ([field] if field else [])
    assert sent(refusing) == []


async def test_what_a_station_puts_off_is_followed_to_its_end(firmware: Running, connect: Connect) -> None:
    """1.6 §5.2: it is scheduled while a session goes on; the StatusNotification says when it is done."""
    await connect("CP1", "1.6")
    given = (await post(firmware, "/v1/stations/CP1/availability", {"status": "inoperative", "evse_id": 1})).json()
    firmware.time.passes(1)
    await told(firmware, given["command_id"], OUTCOME_ANSWERED, b'{"status":"Scheduled"}')
    where, follow = f"/v1/commands/{given['command_id']}", part(firmware, "scheduled").once
    for status, effect in (("Charging", "scheduled"), ("Unavailable", "done"), ("Available", "done")):
        payload = {"connectorId": 1, "errorCode": "NoError", "status": status}
        await firmware.put(firmware.call("StatusNotification", payload))
        await follow()
        shown = await firmware.get(where)
        assert (shown["status"], shown["effect"]) == ("answered", effect)
        firmware.time.passes(60)
    await follow()
    await firmware.settled()
    effects = [enum_word(event, "effect") for event in firmware.announced("CommandChanged")]
    assert effects == ["", "", "scheduled", "done"]


async def test_a_command_is_sent_at_its_time_and_expires_after_it(firmware: Running, connect: Connect) -> None:
    await connect("CP1", "1.6")
    later = {"not_before": "2026-03-01T13:00:00+00:00", "expires_in": 60}
    path = "/v1/stations/CP1/commands/Reset"
    given = await post(firmware, path, SOFT, "night", **later)
    assert given.json()["not_before"] == "2026-03-01T13:00:00Z"
    assert given.json()["expires_at"] == "2026-03-01T13:01:00Z"
    assert (await post(firmware, path, SOFT, "night", **later)).json() == given.json()
    assert (await post(firmware, path, SOFT, "night")).status_code == 409
    waiting = await firmware.get("/v1/commands", query={"status": "accepted"})
    assert [one["command_id"] for one in waiting["items"]] == [given.json()["command_id"]]
    firmware.time.passes(3599)
    await firmware.restart()
    await firmware.ready()
    await send(firmware)
    assert sent(firmware) == []
    firmware.time.passes(1)
    await send(firmware)
    assert [command.id for command in sent(firmware)] == [given.json()["command_id"]]


async def test_commands_to_many_wait_for_their_time_and_are_taken_back_together(
    firmware: Running, connect: Connect
) -> None:
    await connect("CP1", "1.6")
    await publish_stations(firmware, CP1="1.6", CP2="1.6")
    body, later = {"all": True, "type": "soft"}, {"not_before": "2026-03-01T13:00:00Z"}
    given = (await post(firmware, "/v1/reset", body, "night", **later)).json()
    assert (given["by_status"], given["not_before"]) == ({"accepted": 2}, "2026-03-01T13:00:00Z")
    assert (await post(firmware, "/v1/reset", body, "night", **later)).json()["batch_id"] == given["batch_id"]
    assert (await post(firmware, "/v1/reset", body, "night")).status_code == 409
    for _ in range(2):
        cancelled = await post(firmware, f"/v1/batches/{given['batch_id']}/cancel", {})
        assert cancelled.json()["by_status"] == {"cancelled": 2}
    firmware.time.passes(3601)
    await send(firmware)
    assert sent(firmware) == []


async def send(world: Running) -> None:
    """What is due goes out, as it would within a second."""
    await part(world, "commands").send()


def part(world: Running, task: str) -> Any:
    """The part of the service whose task that is."""
    step: Any = world.service.tasks[task]
    return step.__self__
