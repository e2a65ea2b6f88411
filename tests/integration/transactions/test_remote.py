"""Remote start and stop, version-neutral: what reaches the station, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from services.common.kafka.bus import Record
from services.common.postgres.database import Database
from services.ocpp import topics
from services.transactions.settings import Settings
from tests.clients.events import enum_word
from tests.integration.common.running import GATEWAY, connected, registered
from tests.integration.transactions.running import OUTBOUND, System, token
from tests.integration.transactions.test_session import START, stop
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_REFUSED, Command, Outbound, Outcome, Result
from voltbus.v1.events_pb2 import CommandChanged, TransactionEnded
from voltbus.v1.state_pb2 import Registration

Connect = Callable[[str, str], Awaitable[None]]


@pytest.fixture
async def connect(settings: Settings) -> AsyncIterator[Connect]:
    """Makes a station be where a gateway would say that it is."""
    async with Redis.from_url(settings.redis_url) as redis:
        yield partial(connected, redis)


@pytest.fixture(autouse=True)
async def _registered(system: System, station: str) -> None:
    await system.bus.publish(registered(station))


def commands(system: System, station: str) -> list[Command]:
    """What was sent to the connection of a station."""
    found = [Outbound.FromString(record.value or b"") for record in system.bus.all(OUTBOUND)]
    return [out.command for out in found if out.connection_id == f"{GATEWAY}-{station}" and out.HasField("command")]


async def conclude(system: System, station: str, command: Command, outcome: Outcome, **more: Any) -> None:
    """The gateway tells what became of a command."""
    result = Result(command_id=command.id, station_id=station, outcome=outcome, at=datetime.now(UTC), **more)
    topic = topics.results("transactions").name
    await system.bus.publish([Record(topic, station.encode(), result.SerializeToString())])


async def post(system: System, station: str, what: str, body: Any, **more: Any) -> Any:
    return await system.client.post(f"/v1/stations/{station}/{what}", json=body, **more)


async def command(system: System, station: str, action: str, payload: Any) -> str:
    """Sends a command in the words of the station's version; its id."""
    answer = await post(system, station, f"commands/{action}", payload)
    assert answer.status_code == 202, answer.text
    id_: str = answer.json()["command_id"]
    return id_


async def test_a_start_of_1_6_is_answered_and_found_again_in_its_transaction(
    system: System, station: str, connect: Connect
) -> None:
    """1.6 §5.11: the transaction is that of the idTag on the connector."""
    await connect(station, "1.6")
    body = {"id_token": "cafe01", "connector_id": 1}
    asked = asyncio.create_task(post(system, station, "start", body, params={"wait": 10}))
    [command] = await system.until(lambda: commands(system, station))
    assert (command.action, command.service) == ("RemoteStartTransaction", "transactions")
    assert orjson.loads(command.payload) == {"idTag": "cafe01", "connectorId": 1}
    await conclude(system, station, command, OUTCOME_ANSWERED, payload=b'{"status":"Accepted"}')
    response = await asked
    assert response.status_code == 200
    answered = response.json()
    assert (answered["status"], answered["response"]) == ("answered", {"status": "Accepted"})
    begun = await system.ask(station, "StartTransaction", START)
    again = await system.ask(station, "StartTransaction", START | {"meterStart": 2000})
    found = [
        (await system.client.get(f"/v1/transactions/{told['transactionId']}")).json()["command_id"]
        for told in (begun, again)
    ]
    assert found == [answered["command_id"], None]
    changes = [enum_word(e) for e in system.events(station) if isinstance(e, CommandChanged)]
    assert changes == ["accepted", "sent", "answered"]


async def test_a_start_of_2_0_1_carries_type_group_and_number(system: System, station: str, connect: Connect) -> None:
    """F01.FR.04, F01.FR.06, F02.FR.21: the remoteStartId leads back."""
    await connect(station, "2.0.1")
    await system.bus.publish([token("beef02", kind="eMAID", group_id="FLEET")])
    await system.ask(station, "TransactionEvent", _event("before", 0), "2.0.1")
    accepted = await post(system, station, "start", {"id_token": "beef02", "evse_id": 3})
    assert accepted.status_code == 202
    [command] = await system.until(lambda: commands(system, station))
    payload = orjson.loads(command.payload)
    remote_start_id = payload.pop("remoteStartId")
    assert payload == {
        "evseId": 3,
        "idToken": {"idToken": "beef02", "type": "eMAID"},
        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
    }
    told = _event("remote", 0) | {"transactionInfo": {"transactionId": "remote", "remoteStartId": remote_start_id}}
    await system.ask(station, "TransactionEvent", told, "2.0.1")
    items = (await system.client.get("/v1/transactions", params={"station_id": station})).json()["items"]
    found = {item["transaction_id"]: item["command_id"] for item in items}
    assert found == {"before": None, "remote": accepted.json()["command_id"]}


async def test_a_remote_start_id_is_of_a_start_alone(
    system: System, station: str, connect: Connect, database: Database
) -> None:
    """F02.FR.01: the number of another command, or of one that only has it, leads to none."""
    await connect(station, "2.0.1")
    raw = {"remoteStartId": 4_000_000_001, "idToken": {"idToken": "beef02", "type": "eMAID"}}
    [first, second] = [await command(system, station, "RequestStartTransaction", raw | {"evseId": n}) for n in (1, 2)]
    other = await command(system, station, "GetTransactionStatus", {})
    shown = (await system.client.get("/v1/commands", params={"station_id": station})).json()["items"]
    assert [one["command_id"] for one in shown] == [other, second, first]
    async with database.connection() as db:
        number = await db.fetchval("select number from command where id = $1", other)
    for name, remote_start_id in (("raw", 4_000_000_001), ("other", number)):
        told = _event(name, 0) | {"transactionInfo": {"transactionId": name, "remoteStartId": remote_start_id}}
        await system.ask(station, "TransactionEvent", told, "2.0.1")
    items = (await system.client.get("/v1/transactions", params={"station_id": station})).json()["items"]
    assert {item["transaction_id"]: item["command_id"] for item in items} == {"raw": second, "other": None}


async def test_a_remote_start_as_1_6_has_it_is_found_again(system: System, station: str, connect: Connect) -> None:
    await connect(station, "1.6")
    sent = await command(system, station, "RemoteStartTransaction", {"idTag": START["idTag"], "connectorId": 1})
    told = await system.ask(station, "StartTransaction", START)
    found = (await system.client.get(f"/v1/transactions/{told['transactionId']}")).json()
    assert found["command_id"] == sent


@pytest.mark.parametrize("ours", [True, False])
async def test_a_stop_names_the_transaction_as_the_station_does(
    system: System, station: str, connect: Connect, ours: bool
) -> None:
    """F03.FR.01."""
    await connect(station, "2.0.1")
    await system.ask(station, "TransactionEvent", _event("tx-9", 0), "2.0.1")
    [item] = (await system.client.get("/v1/transactions", params={"station_id": station})).json()["items"]
    body = {"id": item["id"]} if ours else {"transaction_id": "tx-9"}
    assert (await post(system, station, "stop", body)).status_code == 202
    [command] = await system.until(lambda: commands(system, station))
    assert command.action == "RequestStopTransaction"
    assert orjson.loads(command.payload) == {"transactionId": "tx-9"}


async def test_a_stop_asked_for_again_after_the_end_is_the_same(system: System, station: str, connect: Connect) -> None:
    await connect(station, "2.0.1")
    await system.ask(station, "TransactionEvent", _event("tx-9", 0), "2.0.1")
    body, key = {"transaction_id": "tx-9"}, {"Idempotency-Key": station}
    first = await post(system, station, "stop", body, headers=key)
    ended = _event("tx-9", 1) | {"eventType": "Ended", "triggerReason": "RemoteStop"}
    await system.ask(station, "TransactionEvent", ended, "2.0.1")
    again = await post(system, station, "stop", body, headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["command_id"] == first.json()["command_id"]
    other = await post(system, station, "stop", {"transaction_id": "tx-8"}, headers=key)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "header.idempotency-key")


async def test_a_command_shows_what_the_station_was_sent(system: System, station: str, connect: Connect) -> None:
    await connect(station, "1.6")
    accepted = (await post(system, station, "start", {"id_token": "A", "evse_id": 2})).json()
    shown = (await system.client.get(f"/v1/commands/{accepted['command_id']}")).json()
    assert shown["request"] == {"action": "RemoteStartTransaction", "payload": {"connectorId": 2, "idTag": "A"}}
    assert (shown["payload"]["id_token"], shown["payload"]["evse_id"]) == ("A", 2)


async def test_a_stop_of_1_6(system: System, station: str, connect: Connect) -> None:
    """1.6 §5.12."""
    await connect(station, "1.6")
    number = (await system.ask(station, "StartTransaction", START))["transactionId"]
    asked = asyncio.create_task(post(system, station, "stop", {"transaction_id": str(number)}, params={"wait": 10}))
    [command] = await system.until(lambda: commands(system, station))
    assert (command.action, orjson.loads(command.payload)) == ("RemoteStopTransaction", {"transactionId": number})
    await conclude(system, station, command, OUTCOME_REFUSED, error_code="InternalError", error_description="busy")
    refused = (await asked).json()
    assert (refused["status"], refused["error_code"], refused["error_description"]) == (
        "rejected",
        "InternalError",
        "busy",
    )


async def test_a_command_waits_for_a_station_that_is_away(system: System, station: str, connect: Connect) -> None:
    accepted = await post(system, station, "start", {"id_token": "A"}, headers={"Idempotency-Key": station})
    assert (accepted.status_code, accepted.json()["status"]) == (202, "accepted")
    again = await post(system, station, "start", {"id_token": "A"}, headers={"Idempotency-Key": station})
    assert again.json()["command_id"] == accepted.json()["command_id"]
    other = await post(system, station, "start", {"id_token": "B"}, headers={"Idempotency-Key": station})
    assert other.status_code == 409
    await connect(station, "1.6")
    await system.until(lambda: commands(system, station))
    assert len(commands(system, station)) == 1


async def test_a_command_expires(system: System, station: str) -> None:
    body = {"id_token": "A", "expires_in": 0.2}
    response = await post(system, station, "start", body, params={"wait": 10})
    assert (response.status_code, response.json()["status"]) == (200, "expired")


async def test_what_the_version_cannot_say_is_refused_at_once(system: System, station: str, connect: Connect) -> None:
    await connect(station, "1.6")
    response = await post(system, station, "start", {"id_token": "X" * 21})
    assert response.status_code == 422
    assert (
        response.json()["detail"] == "body: idTag: must have 20 characters at most (RemoteStartTransaction of OCPP 1.6)"
    )
    assert commands(system, station) == []


async def test_what_turns_out_not_to_be_sayable_is_rejected(system: System, station: str, connect: Connect) -> None:
    command = (await post(system, station, "start", {"id_token": "X" * 21})).json()
    await connect(station, "1.6")
    ended = (await system.client.get(f"/v1/commands/{command['command_id']}", params={"wait": 10})).json()
    assert (ended["status"], ended["error_code"]) == ("rejected", "TypeConstraintViolation")


async def refused(system: System, station: str, body: Any) -> tuple[int, str]:
    """The status of a stop, and the field at fault."""
    response = await post(system, station, "stop", body)
    return response.status_code, response.json()["errors"][0]["field"]


async def test_names_of_ours_and_of_the_station_never_mix(system: System, station: str, connect: Connect) -> None:
    """Our number of one session is the station's own name of another: nobody else's driver is stopped."""
    await connect(station, "2.0.1")
    await system.ask(station, "TransactionEvent", _event("first", 0), "2.0.1")
    [first] = (await system.client.get("/v1/transactions", params={"station_id": station})).json()["items"]
    await system.ask(station, "TransactionEvent", _event(str(first["id"]), 0), "2.0.1")
    for body in ({"transaction_id": first["id"]}, {"transaction_id": str(first["id"])}, {"id": first["id"]}):
        assert (await post(system, station, "stop", body)).status_code == 202
    sent = await system.until(lambda: len(c := commands(system, station)) == 3 and c)
    named = [orjson.loads(command.payload)["transactionId"] for command in sent]
    assert named == [str(first["id"]), str(first["id"]), "first"]


async def test_what_has_ended_is_no_candidate(system: System, station: str) -> None:
    number = (await system.ask(station, "StartTransaction", START))["transactionId"]
    await system.ask(station, "StopTransaction", stop(number))
    assert await refused(system, station, {"transaction_id": number}) == (404, "body.transaction_id")
    assert await refused(system, station, {"id": number}) == (409, "body.id")


async def test_a_stop_of_nothing_is_a_problem(system: System, station: str) -> None:
    assert await refused(system, station, {"transaction_id": "none"}) == (404, "body.transaction_id")
    assert await refused(system, station, {"id": 2**31 - 1}) == (404, "body.id")
    number = (await system.ask(f"{station}-other", "StartTransaction", START))["transactionId"]
    assert await refused(system, station, {"id": number}) == (404, "body.id")


@pytest.mark.parametrize("body", [{}, {"id": 1, "transaction_id": 1}, {"id": None}])
async def test_a_stop_names_one_transaction_in_one_way(system: System, station: str, body: Any) -> None:
    assert await refused(system, station, body) == (422, "body")


def _event(transaction_id: str, seq_no: int) -> dict[str, Any]:
    return {
        "eventType": "Started",
        "timestamp": "2026-03-01T10:00:00Z",
        "triggerReason": "RemoteStart",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": transaction_id},
    }


async def test_a_start_that_is_refused_says_by_which_rule(system: System, station: str) -> None:
    """Told again, it is the same decision."""
    await system.bus.publish([token("cafe01", "Blocked")])
    begun = await system.ask(station, "StartTransaction", START)
    await system.ask(station, "StartTransaction", START)
    await system.ask(station, "StopTransaction", stop(begun["transactionId"]) | {"idTag": "other"})
    items = (await system.client.get("/v1/decisions", params={"station_id": station})).json()["items"]
    assert [(one["action"], one["rule"], one["transaction_id"]) for one in items] == [
        ("StopTransaction", "unknown_token", begun["transactionId"]),
        ("StartTransaction", "blocked", begun["transactionId"]),
    ]


async def test_a_session_says_that_it_was_free_vend_and_on_whose_account(system: System, station: str) -> None:
    """As it was when it began, whatever becomes of its station; any card and none."""
    said = Registration(station_id=station, free_vend=True, free_vend_account="ACME")
    record = Record("registrations", station.encode(), said.SerializeToString())
    await system.bus.publish([token("cafe01", "Blocked"), record])
    begun = await system.ask(station, "StartTransaction", START)
    assert begun["idTagInfo"] == {"status": "Accepted"}
    await system.ask(station, "TransactionEvent", _event("none", 0), "2.0.1")
    await system.bus.publish([*registered(station)])
    await system.ask(station, "StopTransaction", stop(begun["transactionId"]))
    await system.ask(station, "StartTransaction", START | {"meterStart": 9000, "timestamp": "2026-03-01T12:00:00Z"})
    items = (await system.client.get("/v1/transactions", params={"station_id": station})).json()["items"]
    assert [one["free_vend"] for one in items] == [None, {"account": "ACME"}, {"account": "ACME"}]
    assert [one["billable"] for one in items] == [False, False, True]
    told = [event.transaction for event in system.events(station) if isinstance(event, TransactionEnded)]
    assert [(one.free_vend, one.free_vend_account) for one in told] == [(True, "ACME")]
    decided = (await system.client.get("/v1/decisions", params={"station_id": station})).json()["items"]
    assert [one["rule"] for one in decided] == ["blocked", "blocked", "free_vend"]
