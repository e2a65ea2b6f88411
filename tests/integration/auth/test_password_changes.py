"""Passwords that are changed at their stations: from REST through the command to what gateways know."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from services.auth.settings import Settings
from services.common.kafka.bus import Record
from services.ocpp.passwords import matches
from services.ocpp.sealing import Sealing
from tests.clients.system import eventually
from tests.conftest import SECRETS
from tests.integration.auth.conftest import credentials
from tests.integration.common.running import GATEWAY, SLOT, Running, connected
from voltbus.v1.bus_pb2 import (
    OUTCOME_ANSWERED,
    OUTCOME_CONFIRMED,
    OUTCOME_LATE,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    Command,
    Outcome,
    Result,
)
from voltbus.v1.state_pb2 import Inventory

KEY = SECRETS["VOLTBUS_PASSWORD_KEY"].encode()
HEX = "0f" * 20
PATH = "/v1/stations/CP1/password"
SET_201 = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = Redis.from_url(settings.redis_url)
    yield client
    await client.delete("route:CP1", f"slot:{SLOT}")
    await client.aclose()


@pytest.fixture
async def old(auth: Running, redis: Redis) -> str:
    """The password of CP1, which is registered and connected with 1.6."""
    made = await auth.http.put("/v1/stations/CP1")
    await connected(redis, "CP1", "1.6")
    return str(made.json()["password"])


async def change(auth: Running, status: int = 202, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await auth.http.post(f"{PATH}/change", json=body or None, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def sent(auth: Running) -> list[Command]:
    return [out.command for out in auth.replies() if out.HasField("command")]


async def answer(auth: Running, command_id: str, outcome: "Outcome", payload: Any = None, code: str = "") -> None:
    said = json.dumps(payload).encode() if payload is not None else b""
    result = Result(command_id=command_id, station_id="CP1", connection_id=f"{GATEWAY}-CP1", version="1.6")
    result.outcome, result.payload, result.error_code = outcome, said, code
    result.at.FromDatetime(auth.time())
    await auth.put(Record("ocpp.results.auth", b"CP1", result.SerializeToString()))


async def good(auth: Running, *passwords: str) -> list[bool]:
    """Whether the gateway lets the station in with each of these."""
    await auth.settled()
    known = credentials(auth)["CP1"]
    assert known
    hashes = [known.password_hash, *(one.password_hash for one in known.changes)]
    return [any(matches(password.encode(), one, KEY) for one in hashes) for password in passwords]


async def state(auth: Running) -> str:
    return str((await auth.get(PATH))["changes"][0]["state"])


async def settled(auth: Running, *passwords: str, into: list[bool]) -> None:
    await eventually(lambda: good(auth, *passwords), lambda found: found == into)


async def test_a_station_takes_a_new_password(auth: Running, old: str) -> None:
    """A01.FR.02, A01.FR.03; both are good until it says so."""
    asked = await change(auth)
    new = asked["password"]
    assert (asked["state"], len(new)) == ("asked", 40)
    assert await good(auth, old, new) == [True, True]
    [command] = sent(auth)
    payload = json.loads(command.payload)
    assert (command.id, command.action, payload["key"]) == (
        asked["command_id"],
        "ChangeConfiguration",
        "AuthorizationKey",
    )
    opened = json.loads(Sealing(KEY).open(command.payload, "auth", "CP1").payload)
    assert opened["value"] == new
    await answer(auth, command.id, OUTCOME_ANSWERED, {"status": "Accepted"})
    await settled(auth, old, new, into=[False, True])
    known = credentials(auth)["CP1"]
    assert known
    assert matches(old.encode(), known.replaced_hash, KEY)
    view = await auth.get(PATH)
    assert (view["auth"], view["changes"][0]["state"], view["changes"][0]["reason"]) == ("basic", "taken", "Accepted")
    assert "password" not in view["changes"][0]


@pytest.mark.parametrize(
    ("outcome", "payload", "code", "said"),
    [
        (OUTCOME_ANSWERED, {"status": "Rejected"}, "", "Rejected"),
        (OUTCOME_ANSWERED, {"status": "NotSupported"}, "", "NotSupported"),
        (OUTCOME_REFUSED, None, "InternalError", "InternalError"),
        (OUTCOME_UNDELIVERED, None, "", "Undelivered"),
    ],
)
async def test_a_station_that_refuses_keeps_the_old_one(
    auth: Running, old: str, outcome: "Outcome", payload: Any, code: str, said: str
) -> None:
    """A01.FR.04."""
    asked = await change(auth)
    await answer(auth, asked["command_id"], outcome, payload, code)
    await settled(auth, old, asked["password"], into=[True, False])
    [shown] = (await auth.get(PATH))["changes"]
    assert (shown["state"], shown["reason"]) == ("kept", said)


@pytest.mark.parametrize(
    ("outcome", "payload", "doubt"),
    [(OUTCOME_TIMED_OUT, None, "doubtful"), (OUTCOME_ANSWERED, {"status": "RebootRequired"}, "awaited")],
)
async def test_both_are_good_until_the_station_comes_with_the_new_one(
    auth: Running, old: str, outcome: "Outcome", payload: Any, doubt: str
) -> None:
    """A lost answer; and 1.6 §7.22, a change that is available after a reboot."""
    asked = await change(auth)
    new = asked["password"]
    await answer(auth, asked["command_id"], outcome, payload)
    await settled(auth, old, new, into=[True, True])
    assert await state(auth) == doubt
    await auth.restart()
    assert await good(auth, old, new) == [True, True]
    await answer(auth, asked["command_id"], OUTCOME_CONFIRMED)
    await settled(auth, old, new, into=[False, True])
    assert await state(auth) == "taken"


async def test_it_comes_with_the_new_one_before_its_answer_is_known(auth: Running, old: str) -> None:
    asked = await change(auth)
    await answer(auth, asked["command_id"], OUTCOME_CONFIRMED)
    await answer(auth, asked["command_id"], OUTCOME_TIMED_OUT)
    await settled(auth, old, asked["password"], into=[False, True])
    assert await state(auth) == "taken"


@pytest.mark.parametrize(("status", "into"), [("Accepted", [False, True]), ("Rejected", [True, False])])
async def test_an_answer_that_comes_late_counts(auth: Running, old: str, status: str, into: list[bool]) -> None:
    asked = await change(auth)
    await answer(auth, asked["command_id"], OUTCOME_TIMED_OUT)
    await answer(auth, asked["command_id"], OUTCOME_LATE, {"status": status})
    await settled(auth, old, asked["password"], into=into)


async def test_after_a_lost_answer_it_is_asked_again_and_all_three_are_good(auth: Running, old: str) -> None:
    first = await change(auth)
    await answer(auth, first["command_id"], OUTCOME_TIMED_OUT)
    second = await change(auth)
    assert await good(auth, old, first["password"], second["password"]) == [True, True, True]
    await answer(auth, second["command_id"], OUTCOME_ANSWERED, {"status": "Accepted"})
    await settled(auth, old, first["password"], second["password"], into=[False, False, True])
    await answer(auth, first["command_id"], OUTCOME_LATE, {"status": "Accepted"})
    await settled(auth, old, first["password"], second["password"], into=[False, False, True])


async def test_results_that_are_read_again_change_nothing(auth: Running, old: str) -> None:
    """After a crash; and a password that was given since is not taken back."""
    asked = await change(auth)
    await answer(auth, asked["command_id"], OUTCOME_CONFIRMED)
    await answer(auth, asked["command_id"], OUTCOME_ANSWERED, {"status": "Accepted"})
    await settled(auth, old, asked["password"], into=[False, True])
    by_hand = (await auth.http.post(PATH)).json()["password"]
    await auth.restart(commit=False)
    await auth.settled()
    await auth.http.patch("/v1/stations/CP1", json={"description": "seen"})
    assert await good(auth, old, asked["password"], by_hand) == [False, False, True]


async def test_one_change_at_a_time_and_not_without_end(auth: Running, old: str) -> None:
    asked = await change(auth)
    refused = await change(auth, 409)
    assert asked["command_id"] in refused["detail"]
    for _ in range(4):
        await answer(auth, asked["command_id"], OUTCOME_TIMED_OUT)
        asked = await change(auth)
    await answer(auth, asked["command_id"], OUTCOME_TIMED_OUT)
    assert "not known" in (await change(auth, 409))["detail"]
    assert await good(auth, old) == [True]
    await auth.http.post(PATH)
    await change(auth, 409)


async def test_the_same_request_again_gets_the_same_password(auth: Running, old: str) -> None:
    asked = await change(auth, key="k1")
    assert await change(auth, key="k1") == asked
    assert len(sent(auth)) == 1
    await answer(auth, asked["command_id"], OUTCOME_ANSWERED, {"status": "Accepted"})
    await settled(auth, old, into=[False])
    again = await change(auth, 200, key="k1")
    assert (again["password"], again["state"]) == (asked["password"], "taken")
    assert (await change(auth, 409, key="k1", password=HEX))["type"].endswith("key-reused")
    chosen = await change(auth, key="k2", password=HEX)
    assert chosen["password"] is None
    assert await change(auth, key="k2", password=HEX) == chosen
    await change(auth, 409, key="k2", password="1f" * 20)


@pytest.mark.usefixtures("old")
async def test_a_key_of_another_command_is_not_one_of_this(auth: Running) -> None:
    cleared = await auth.http.post("/v1/stations/CP1/clear-cache", headers={"Idempotency-Key": "k1"})
    assert cleared.status_code == 202
    assert (await change(auth, 409, key="k1"))["type"].endswith("key-reused")
    assert (await auth.get(PATH))["changes"] == []


@pytest.mark.usefixtures("old")
async def test_the_secret_is_readable_nowhere(auth: Running, capsys: pytest.CaptureFixture[str]) -> None:
    """A01.FR.08, A01.FR.09: not in tables, topics, logs or REST; not even sealed once it is over."""
    asked = await change(auth)
    new, command_id = asked["password"], asked["command_id"]
    shown = await auth.get(f"/v1/commands/{command_id}")
    assert "voltbus-sealed" not in json.dumps(shown)
    assert shown["request"]["payload"] == {"key": "AuthorizationKey", "value": "…"}
    for over in (False, True):
        async with auth.database.connection() as db:
            rows = [await db.fetch(f"select * from {table}") for table in ("command", "password_change", "outbox")]
        stored = str([dict(row) for found in rows for row in found])
        assert new not in stored
        assert ("voltbus-sealed" in stored) is not over
        if not over:
            await answer(auth, command_id, OUTCOME_ANSWERED, {"status": "Accepted"})
    topics = ("ocpp.outbound", "events.auth", "credentials", "registrations")
    assert not any(new.encode() in (record.value or b"") for topic in topics for record in auth.bus.all(topic))
    assert new not in capsys.readouterr().out
    assert (await auth.get(f"/v1/commands/{command_id}"))["status"] == "answered"


async def test_a_station_that_is_away_gets_it_when_it_is_back_or_keeps_the_old_one(
    auth: Running, old: str, redis: Redis
) -> None:
    await redis.delete("route:CP1")
    asked = await change(auth)
    assert not sent(auth)
    assert await good(auth, old, asked["password"]) == [True, True]
    auth.time.passes(61)
    await settled(auth, old, asked["password"], into=[True, False])
    assert await state(auth) == "kept"


async def test_an_operator_who_gives_it_another_password_takes_the_change_back(
    auth: Running, old: str, redis: Redis
) -> None:
    await redis.delete("route:CP1")
    asked = await change(auth)
    by_hand = (await auth.http.post(PATH)).json()["password"]
    assert await good(auth, old, asked["password"], by_hand) == [False, False, True]
    assert (await auth.get(f"/v1/commands/{asked['command_id']}"))["status"] == "cancelled"
    assert await state(auth) == "kept"


async def test_an_operator_who_puts_the_same_again_changes_nothing(auth: Running, old: str, redis: Redis) -> None:
    await redis.delete("route:CP1")
    asked = await change(auth)
    assert (await auth.http.put("/v1/stations/CP1", json={"password": old})).status_code == 200
    assert await good(auth, old, asked["password"]) == [True, True]


async def test_what_was_sent_when_the_operator_gave_it_another_one_counts_if_the_station_takes_it(
    auth: Running, old: str
) -> None:
    """Whatever anyone wants, the station has it."""
    asked = await change(auth)
    by_hand = (await auth.http.post(PATH)).json()["password"]
    await answer(auth, asked["command_id"], OUTCOME_ANSWERED, {"status": "Accepted"})
    await settled(auth, old, by_hand, asked["password"], into=[False, False, True])


@pytest.mark.usefixtures("old")
async def test_a_station_without_a_password_gets_one(auth: Running) -> None:
    await auth.http.put("/v1/stations/CP1", json={"auth": "none"})
    asked = await change(auth)
    await auth.settled()
    known = credentials(auth)["CP1"]
    assert known
    assert known.password_hash == b""
    await answer(auth, asked["command_id"], OUTCOME_ANSWERED, {"status": "Accepted"})
    await eventually(lambda: auth.get(PATH), lambda shown: shown["auth"] == "basic")
    assert await good(auth, asked["password"], "") == [True, False]
    known = credentials(auth)["CP1"]
    assert known
    assert (known.HasField("replaced_hash"), known.replaced_hash) == (True, b"")


@pytest.mark.usefixtures("old")
async def test_a_station_that_was_removed_has_no_changes(auth: Running) -> None:
    asked = await change(auth)
    await auth.http.delete("/v1/stations/CP1")
    await answer(auth, asked["command_id"], OUTCOME_ANSWERED, {"status": "Accepted"})
    assert (await auth.http.get(PATH)).status_code == 404
    await auth.http.put("/v1/stations/CP1", json={"auth": "none"})
    assert await auth.get(PATH) == {"station_id": "CP1", "auth": "none", "changes": []}


@pytest.mark.parametrize(
    ("version", "password", "status"),
    [
        (None, HEX, 202),
        (None, "a-password-of-my-own", 422),
        ("1.6", HEX[:32], 202),
        ("1.6", HEX[:30], 422),
        ("1.6", HEX[:33], 422),
        ("1.6", HEX.upper(), 202),
        ("2.0.1", "a-password-of-my-own", 202),
        ("2.0.1", "too-short", 422),
        ("2.0.1", "x" * 64, 202),
        ("2.0.1", "x" * 65, 422),
        ("2.0.1", "not/of/a/passwordString", 422),
    ],
)
@pytest.mark.usefixtures("old")
async def test_a_password_that_is_chosen_follows_the_rules_of_its_version(
    auth: Running, redis: Redis, version: str | None, password: str, status: int
) -> None:
    """A00.FR.205 of 2.0.1 (passwordString), and of the security whitepaper of 1.6 (hexadecimal)."""
    if version:
        await connected(redis, "CP1", version)
        told = Inventory(station_id="CP1", version=version).SerializeToString()
        await auth.put(Record("inventory", b"CP1", told))
    answered = await change(auth, status, password=password)
    if status == 422:
        assert answered["errors"][0]["field"] == "body.password"
        assert password not in json.dumps(answered)


async def test_an_unknown_station_has_no_password(auth: Running) -> None:
    assert (await auth.http.post("/v1/stations/CP9/password/change")).status_code == 404
    assert (await auth.http.get("/v1/stations/CP9/password")).status_code == 404


@pytest.mark.usefixtures("old")
async def test_the_answer_is_waited_for(auth: Running) -> None:
    headers = {"Idempotency-Key": "k1"}
    asked = await change(auth, key="k1")
    await answer(auth, asked["command_id"], OUTCOME_ANSWERED, {"status": "Accepted"})
    done = await auth.http.post(f"{PATH}/change", params={"wait": 10}, headers=headers)
    assert (done.status_code, done.json()["state"]) == (200, "taken")
    assert done.headers["Location"] == f"/v1/commands/{asked['command_id']}"
