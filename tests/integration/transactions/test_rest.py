"""What an operator reads: transactions, their samples, what lies outside of them, orphans."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from services.common.postgres.database import Database
from services.transactions import reads
from services.transactions.api import selection
from tests.integration.transactions.running import System, bearer, call, token
from tests.integration.transactions.test_session import START, metered, stop
from voltbus.v1 import events_pb2 as pb

COUNT = itertools.count(1)


async def start(system: System, station: str, **more: Any) -> int:
    """A new transaction; its id."""
    told = START | {"meterStart": 1000 + next(COUNT)} | more
    number: int = (await system.ask(station, "StartTransaction", told))["transactionId"]
    return number


async def get(system: System, path: str, **query: Any) -> Any:
    response = await system.client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_transaction_is_read_with_all_that_is_known(system: System, station: str) -> None:
    await system.bus.publish([token("cafe01")])
    number = await start(system, station, meterStart=1000, reservationId=7)
    await system.ask(station, "StopTransaction", stop(number, reason="Remote"))
    found = await get(system, f"/v1/transactions/{number}")
    expected = {
        "id": number,
        "station_id": station,
        "evse_id": 1,
        "connector_id": 1,
        "transaction_id": str(number),
        "id_token": "CAFE01",
        "status": "ended",
        "started_at": "2026-03-01T10:00:00Z",
        "stopped_at": "2026-03-01T11:00:00Z",
        "energy_wh": 7500,
        "meter_start_wh": 1000,
        "meter_stop_wh": 8500,
        "stop_reason": "Remote",
        "ended_by": "station",
        "reservation_id": 7,
        "authorization": "Accepted",
        "missing_seq_nos": [],
        "complete": True,
        "offline": False,
        "register_jumped_back": False,
    }
    assert expected.items() <= found.items()


@pytest.mark.parametrize("year", [1970, 2099])
async def test_a_session_whose_clock_was_wrong_is_found_by_when_it_was_received(
    system: System, station: str, year: int
) -> None:
    """No day of the calendar has it; it is marked."""
    began = datetime.now(UTC)
    number = await start(system, station, timestamp=f"{year}-01-01T00:00:00Z")
    today = {"station_id": station, "received_after": began.isoformat()}
    [found] = (await get(system, "/v1/transactions", **today))["items"]
    assert (found["id"], found["doubts"]) == (number, ["clock"])
    until = today | {"received_before": found["started_received_at"]}
    assert (await get(system, "/v1/transactions", **until))["items"] == []
    [event] = await system.until(lambda: system.events(station))
    assert event.transaction.doubts == [pb.DOUBT_CLOCK]


async def test_a_stop_before_its_start_is_marked(system: System, database: Database, station: str) -> None:
    number = await start(system, station)
    await system.ask(station, "StopTransaction", stop(number, timestamp="2026-03-01T09:00:00Z"))
    assert (await get(system, f"/v1/transactions/{number}"))["doubts"] == ["stop_before_start"]
    async with database.connection() as db:
        stored = await db.fetchval("select doubts from transaction where id = $1", number)
    assert stored == '["stop_before_start"]'


async def test_lists_are_filtered_and_paged_while_rows_are_added(system: System, station: str) -> None:
    numbers = [await start(system, station, idTag=f"Tag{n}") for n in range(5)]
    await system.ask(station, "StopTransaction", stop(numbers[0]))
    first = await get(system, "/v1/transactions", station_id=station, limit=2)
    assert [item["id"] for item in first["items"]] == numbers[:2:-1]
    numbers.append(await start(system, station))
    second = await get(system, "/v1/transactions", station_id=station, limit=10, cursor=first["next"])
    assert [item["id"] for item in second["items"]] == numbers[2::-1]
    assert second["next"] is None
    ended = await get(system, "/v1/transactions", station_id=station, status="ended")
    assert [item["id"] for item in ended["items"]] == numbers[:1]
    tagged = await get(system, "/v1/transactions", station_id=station, id_token="tAG3", status="active")
    assert [item["id"] for item in tagged["items"]] == [numbers[3]]
    times = {"started_after": "2026-03-01T09:59:59Z", "started_before": "2026-03-01T10:00:01Z"}
    assert len((await get(system, "/v1/transactions", station_id=station, **times))["items"]) == 6
    times["started_before"] = times["started_after"]
    assert (await get(system, "/v1/transactions", station_id=station, **times))["items"] == []


async def ids(system: System, **query: Any) -> list[int]:
    """Of the transactions that a query finds, in their order."""
    return [item["id"] for item in (await get(system, "/v1/transactions", **query))["items"]]


async def test_what_ended_in_a_month_and_what_is_complete(system: System, station: str) -> None:
    """As billing asks; a session that another one ended is not complete, for its own end has not come."""
    first, second, third = [await start(system, station, timestamp=f"2026-03-0{day}T10:00:00Z") for day in (1, 2, 3)]
    await system.ask(station, "StopTransaction", stop(third, timestamp="2026-04-01T00:00:00Z"))
    march = {"stopped_after": "2026-03-01T00:00:00Z", "stopped_before": "2026-04-01T00:00:00Z"}
    assert await ids(system, station_id=station, **march) == [second, first]
    assert await ids(system, station_id=station, stopped_after=march["stopped_before"]) == [third]
    assert await ids(system, station_id=station, complete=True) == [third]
    assert await ids(system, station_id=station, complete=False) == [second, first]


async def test_by_the_verdict_on_their_idtoken(system: System, station: str) -> None:
    """Whoever bills asks for those somebody was accepted for: a refused card has a session, too (1.6 §4.8)."""
    await system.bus.publish([token("cafe11"), token("cafe12", "Blocked")])
    accepted, blocked, unknown = [await start(system, station, idTag=f"CAFE1{n}") for n in (1, 2, 3)]
    assert await ids(system, station_id=station, authorization="Accepted") == [accepted]
    assert await ids(system, station_id=station, authorization="Blocked") == [blocked]
    assert await ids(system, station_id=station, authorization="Unknown") == [unknown]
    assert (await system.client.get("/v1/transactions", params={"authorization": "accepted"})).status_code == 422


async def test_a_start_told_again_after_its_card_was_registered_is_paid(system: System, station: str) -> None:
    """1.6 §4.8: the station was told Accepted the second time, and energy flows on that; each verdict is kept."""
    begin = START | {"idTag": f"NEW-{station}", "meterStart": 1000}
    first = await system.ask(station, "StartTransaction", begin)
    assert first["idTagInfo"]["status"] == "Invalid"
    await system.bus.publish([token(f"new-{station}")])
    again = await system.ask(station, "StartTransaction", begin)
    assert again == {"transactionId": first["transactionId"], "idTagInfo": {"status": "Accepted"}}
    ended = await system.ask(station, "StopTransaction", stop(first["transactionId"], idTag=f"NEW-{station}"))
    assert ended["idTagInfo"]["status"] == "Accepted"
    found = await get(system, f"/v1/transactions/{first['transactionId']}")
    assert (found["authorization"], found["review"], found["energy_wh"]) == ("Accepted", "none", 7500)
    decided = (await get(system, "/v1/decisions", station_id=station))["items"]
    assert [one["rule"] for one in decided] == ["registered", "registered", "unknown_token"]
    events = await system.until(lambda: len(e := system.events(station)) == 3 and e)
    assert [type(e) for e in events] == [pb.TransactionStarted, pb.TransactionUpdated, pb.TransactionEnded]


async def test_a_record_that_is_read_again_leaves_one_decision(system: System, station: str) -> None:
    """In its batch, and in a later one: nothing else than the transaction that it has changed keeps it from that."""
    begin = call(station, "StartTransaction", START)
    await system.bus.publish([begin, begin])
    await system.until(lambda: system.events(station))
    (number,) = await ids(system, station_id=station)
    end = call(station, "StopTransaction", stop(number, idTag="CAFE01"))
    await system.bus.publish([begin, end, end])
    await system.until(lambda: len(system.events(station)) == 2)
    await system.bus.publish([begin, end])
    await start(system, station)
    decided = (await get(system, "/v1/decisions", station_id=station))["items"]
    assert [one["action"] for one in decided] == ["StartTransaction", "StopTransaction", "StartTransaction"]


async def test_what_has_changed_since_it_was_asked_last(system: System, station: str) -> None:
    """Also what ended long ago and was corrected by a late word of its station."""
    corrected, told, goes_on = [await start(system, f"{station}-{name}") for name in ("a", "b", "c")]
    for name, number in (("a", corrected), ("b", told)):
        await system.ask(f"{station}-{name}", "StopTransaction", stop(number))
    asked = await get(system, "/v1/transactions", updated_after="2026-01-01T00:00:00Z", limit=1000)
    assert {corrected, told, goes_on} <= {item["id"] for item in asked["items"]}
    since = {"updated_after": asked["updated_until"]}
    assert await ids(system, **since) == []
    await system.ask(f"{station}-a", "StopTransaction", stop(corrected, meterStop=9000))
    await system.tell(f"{station}-c", "MeterValues", metered(goes_on, "2000"))
    await system.until(lambda: len(system.events(f"{station}-c")) == 2)
    assert {corrected, told, goes_on} & {*await ids(system, **since)} == {corrected, goes_on}
    assert await ids(system, station_id=f"{station}-a", **since) == [corrected]


async def test_what_is_stored_late_is_not_missed(
    system: System, station: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an end is written that another overtakes, nobody is told that all is known up to the other."""
    held, other = await start(system, f"{station}-held"), await start(system, f"{station}-other")
    asked = await get(system, "/v1/transactions", updated_after="2026-01-01T00:00:00Z", limit=1)
    since = {"updated_after": asked["updated_until"]}
    monkeypatch.setattr(reads, "STORED_WITHIN", 0.05)
    async with database.transaction() as db:
        await db.execute(
            "insert into transaction_revision (transaction_id, revision, reason, at, changes) "
            "values ($1, 1, 'ended', $2, '[]')",
            held,
            datetime(2026, 1, 1, tzinfo=UTC),
        )
        await system.ask(f"{station}-other", "StopTransaction", stop(other))
        assert (await system.client.get("/v1/transactions", params=since)).status_code == 503
    assert {*await ids(system, **since)} == {held, other}


async def test_who_asks_first_is_told_from_when_on_nothing_is_missed(
    system: System, station: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without updated_after a list does not wait long for what is being stored: then it does not say."""
    number = await start(system, station)
    monkeypatch.setattr(selection, "STORED_SOON", 0.05)
    async with database.transaction() as db:
        await db.execute("lock table transaction in row exclusive mode")
        asked = await get(system, "/v1/transactions", station_id=station)
        assert ([one["id"] for one in asked["items"]], asked["updated_until"]) == ([number], None)
        file = await system.client.get("/v1/transactions/export", params={"station_id": station})
        assert "Updated-Until" not in file.headers
    monkeypatch.undo()
    asked = await get(system, "/v1/transactions", station_id=station)
    since = {"station_id": station, "updated_after": asked["updated_until"]}
    assert await ids(system, **since) == []
    await system.ask(station, "StopTransaction", stop(number))
    assert await ids(system, **since) == [number]


async def test_a_question_of_the_future_is_told_what_is_known_now(
    system: System, station: str, database: Database
) -> None:
    number = await start(system, station)
    asked = await get(system, "/v1/transactions", station_id=station, updated_after="2999-01-01T00:00:00Z")
    async with database.connection() as db:
        now = await db.fetchval("select clock_timestamp()")
    assert asked["items"] == []
    assert datetime.fromisoformat(asked["updated_until"]) <= now
    await system.ask(station, "StopTransaction", stop(number))
    since = {"updated_after": asked["updated_until"]}
    assert await ids(system, station_id=station, **since) == [number]


async def test_samples_are_read_in_pages_with_their_defaults(system: System, station: str) -> None:
    number = await start(system, station)
    for minute in range(3):
        await system.tell(station, "MeterValues", metered(number, "2000", f"2026-03-01T10:0{minute}:00Z"))
    path = f"/v1/transactions/{number}/samples"
    await system.until(lambda: len(system.events(station)) == 4)
    first = await get(system, path, limit=2)
    assert [item["taken_at"][11:16] for item in first["items"]] == ["10:00", "10:01"]
    second = await get(system, path, cursor=first["next"])
    assert [item["taken_at"][11:16] for item in second["items"]] == ["10:02"]
    energy, power = first["items"][0]["readings"]
    assert (energy["measurand"], energy["value"], energy["unit"]) == ("Energy.Active.Import.Register", 2000, "Wh")
    assert (energy["context"], energy["location"]) == ("Sample.Periodic", "Outlet")
    assert (power["value"], power["unit"]) == (7400, "W")


async def test_meter_values_outside_transactions(system: System, station: str) -> None:
    """1.6 §4.7: without a transaction; with one that is unknown; 2.0.1 J01: of the main meter."""
    await system.tell(station, "MeterValues", metered(None, "1"))
    await system.tell(station, "MeterValues", metered(-1, "2"))
    await system.tell(station, "MeterValues", metered(2**40, "3"))
    sampled = {"value": 4.0, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}
    main = {"evseId": 0, "meterValue": [{"timestamp": "2026-03-01T10:00:00Z", "sampledValue": [sampled]}]}
    await system.tell(station, "MeterValues", main, "2.0.1")
    await system.until(lambda: len(system.events(station)) == 4)
    items = (await get(system, f"/v1/stations/{station}/samples"))["items"]
    values = {item["readings"][0]["value"]: item["transaction_id"] for item in items}
    assert values == {1: None, 2: "-1", 3: str(2**40), 4000: None}
    assert (await get(system, "/v1/transactions", station_id=station))["items"] == []


async def test_orphans_are_answered_kept_and_listed(system: System, station: str) -> None:
    """1.6 §4.10 and errata 3.18: unknown, 0 and -1, which say the same."""
    for number in (4_000_000, 0, -1, 2**62):
        assert "idTagInfo" in await system.ask(station, "StopTransaction", stop(number))
        assert "idTagInfo" in await system.ask(station, "StopTransaction", stop(number))
    items = (await get(system, "/v1/orphans", station_id=station))["items"]
    assert len(items) == 3
    assert {"meter_stop_wh": 8500, "stop_reason": "Local", "id_token": "CAFE01"}.items() <= items[0].items()
    await system.until(lambda: len(system.events(station)) == 3)


async def test_a_stop_for_the_transaction_of_another_station_is_an_orphan(system: System, station: str) -> None:
    number = await start(system, station)
    await system.ask(f"{station}-other", "StopTransaction", stop(number))
    assert (await get(system, f"/v1/transactions/{number}"))["status"] == "active"
    assert len((await get(system, "/v1/orphans", station_id=f"{station}-other"))["items"]) == 1


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/v1/transactions/0", 422, "path.id"),
        ("/v1/transactions/999999999", 404, None),
        ("/v1/transactions/999999999/samples", 404, None),
        ("/v1/transactions?status=gone", 422, "query.status"),
        ("/v1/transactions?station_id=%00", 422, None),
        ("/v1/transactions?started_after=yesterday", 422, "query.started_after"),
        ("/v1/transactions?cursor=nonsense", 422, "query.cursor"),
        ("/v1/orphans?limit=0", 422, "query.limit"),
        ("/v1/commands/none", 404, None),
    ],
)
async def test_problems_name_the_field(system: System, path: str, status: int, field: str | None) -> None:
    response = await system.client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert field is None or response.json()["errors"][0]["field"] == field


async def test_rest_is_closed(system: System, station: str) -> None:
    nobody = await system.client.get("/v1/transactions", headers={"Authorization": ""})
    assert nobody.status_code == 401
    reader = bearer("transactions:read")
    refused = await system.client.post(f"/v1/stations/{station}/start", json={"id_token": "A"}, headers=reader)
    assert refused.status_code == 403
