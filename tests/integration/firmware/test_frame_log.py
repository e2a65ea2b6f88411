"""The station log on the real Postgres: what is kept of what the topics say, once, and how it is read."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.common.postgres.retention import Retention
from services.firmware.app import build
from services.firmware.frame_log import reads, store, tail, writer
from services.firmware.frame_log.compaction import SPARED, Compaction
from services.firmware.frame_log.reads import LogFilter
from services.firmware.settings import Settings
from tests.conftest import Stack
from tests.integration.common.running import Running, Time, running, settings_of
from tests.patience import GIVE_UP
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, Frame, Outbound, Reply

LOG = "/v1/stations/CP1/log"


@pytest.fixture(scope="module")
async def logged(environment: dict[str, str]) -> AsyncIterator[Running]:
    """firmware, with the log of all stations."""
    settings = settings_of(Settings, environment, frame_log="all")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "INTERVAL", 0.01)
        async with running("firmware", build, settings, clock=Time(datetime.now(UTC))) as world:
            yield world


@pytest.fixture(autouse=True)
async def fresh(logged: Running) -> None:
    """No frames of other tests."""
    await logged.settled()
    logged.time.now = datetime.now(UTC)
    async with logged.database.connection() as db:
        # Truncating would lock whole tables against what drops their partitions, and each wait for the other.
        await db.execute("delete from frame_batch")
        await db.execute("delete from frame_segment")


def answered(world: Running, number: int, after: float, **more: Any) -> list[Record]:
    """An Authorize and its answer. number: of the message. after: seconds from now."""
    at = world.time() + timedelta(seconds=after)
    call = world.call("Authorize", {"idTag": f"CARD-000{number}"}, received_at=at, message_id=f"m{number}", **more)
    body = Reply(message_id=call.message_id, action=call.action, call_id=call.id, payload=b'{"n":%d}' % number)
    reply = Outbound(station_id=call.station_id, connection_id=call.connection_id, reply=body)
    return [
        Record("ocpp.calls.auth", call.station_id.encode(), call.SerializeToString()),
        Record("ocpp.outbound", call.connection_id.encode(), reply.SerializeToString(), partition=1),
    ]


def refused(world: Running, after: float, frame: bytes = b'[2,"x",') -> Record:
    said = Frame(station_id="CP1", connection_id="CP1-a", frame=frame, size=len(frame), code="FormatViolation")
    said.at.FromDatetime(world.time() + timedelta(seconds=after))
    return Record("ocpp.frames", b"CP1", said.SerializeToString())


async def compact(world: Running) -> int:
    """Makes segments of all batches."""
    return await Compaction(world.database, timedelta(0), timedelta(0)).once()


async def ids(world: Running, **query: Any) -> list[str]:
    """Message ids of the log, newest first, over all its pages."""
    found, cursor = list[str](), dict[str, str]()
    while True:
        page = await world.get(LOG, query={**query, **cursor})
        found += [item["message_id"] for item in page["items"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


async def test_a_frame_is_shown_with_its_answer_and_without_the_card(logged: Running) -> None:
    connected = logged.change(CONNECTION_STATE_CONNECTED)
    await logged.put(connected, *answered(logged, 1, 1), refused(logged, 2))
    items = (await logged.get(LOG))["items"]
    assert [item["kind"] for item in items] == ["refused", "call", "connected"]
    call = items[1]
    assert (call["payload"], call["answer"], call["answered_by"]) == ({"idTag": "…"}, {"n": 1}, "service")
    assert (items[0]["payload"], items[0]["error_code"]) == ('[2,"x",', "FormatViolation")
    assert [item["kind"] for item in (await logged.get(LOG, order="oldest"))["items"]] == [
        "connected",
        "call",
        "refused",
    ]


async def test_what_is_read_again_is_kept_once(logged: Running) -> None:
    await logged.put(*answered(logged, 1, 0))
    await logged.restart(commit=False)
    await logged.settled()
    await logged.put(*answered(logged, 2, 1))
    assert await ids(logged) == ["m2", "m1"]
    async with logged.database.connection() as db:
        assert await db.fetchval("select sum(count) from frame_batch") == 4


async def test_of_two_that_keep_the_same_the_second_keeps_nothing(logged: Running) -> None:
    place = ("a topic", 3)
    async with logged.database.transaction() as db:
        before = await store.positions(db, [place])
        await store.advance(db, before, {place: store.Position(5, 100)})
    with pytest.raises(store.PositionMoved):
        async with logged.database.transaction() as db:
            await store.advance(db, before, {place: store.Position(7, 100)})
    async with logged.database.transaction() as db:
        assert await store.positions(db, [place]) == {place: store.Position(5, 100)}


async def test_what_postgres_does_not_take_costs_frames_and_nothing_else(logged: Running) -> None:
    """No station has such an id, for the gateway lets none in."""
    bad = Frame(station_id="CP\0", connection_id="c", frame=b"x", size=1, code="FormatViolation")
    bad.at.FromDatetime(logged.time())
    await logged.put(Record("ocpp.frames", b"CP1", bad.SerializeToString()))
    await logged.put(*answered(logged, 1, 0))
    assert await ids(logged) == ["m1"]


async def test_pages_hold_all_frames_once_whether_sorted_by_station_or_not(logged: Running) -> None:
    for turn in range(4):
        numbers = range(turn * 10, turn * 10 + 10)
        await logged.put(*(record for n in numbers for record in answered(logged, n, n)))
        await logged.put(*answered(logged, 99, 99, station_id="CP2"))
        if turn == 1:
            assert await compact(logged) >= 2
    expected = [f"m{number}" for number in reversed(range(40))]
    for limit in (1, 7, 40, 100):
        assert await ids(logged, limit=limit) == expected
        assert await ids(logged, limit=limit, order="oldest") == expected[::-1]
    since, until = (logged.time() + timedelta(seconds=at) for at in (5, 8))
    times = {"since": since.isoformat(), "until": until.isoformat()}
    assert await ids(logged, limit=2, **times) == ["m8", "m7", "m6", "m5"]


async def test_many_segments_at_one_time_are_read_to_the_end(logged: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.firmware.frame_log.reads.AT_ONCE", 2)
    for turn in range(7):
        await logged.put(*(record for n in (turn, 50 + turn) for record in answered(logged, n, n)))
        await compact(logged)
    expected = [f"m{n}" for n in (*reversed(range(50, 57)), *reversed(range(7)))]
    assert await ids(logged, limit=3) == expected
    assert await ids(logged, limit=3, order="oldest") == expected[::-1]


async def test_an_answer_in_another_segment_finds_its_call(logged: Running) -> None:
    call, reply = answered(logged, 1, 0)
    await logged.put(reply)
    assert await compact(logged) == 1
    await logged.put(call)
    assert await compact(logged) == 1
    async with logged.database.connection() as db:
        assert await db.fetchval("select count(*) from frame_segment where station_id = 'CP1'") == 2
    [item] = (await logged.get(LOG))["items"]
    assert (item["outcome"], item["answer"]) == ("answered", {"n": 1})


async def test_filters_choose_and_an_error_brings_its_call(logged: Running) -> None:
    call, _ = answered(logged, 1, 0)
    await logged.put(call, *answered(logged, 2, 1))
    sent = await logged.get(LOG, message_id="m1")
    assert sent["items"][0]["outcome"] == "unanswered"
    await compact(logged)
    said = Frame(station_id="CP1", connection_id="CP1-a", message_id="m1", dropped="unanswered")
    said.at.FromDatetime(logged.time() + timedelta(seconds=30))
    await logged.put(Record("ocpp.frames", b"CP1", said.SerializeToString()), refused(logged, 31))
    assert await ids(logged, errors=True) == ["", "m1"]
    assert await ids(logged, action="Authorize") == ["m2", "m1"]
    assert await ids(logged, direction="out") == []
    assert await ids(logged, text="FORMATVIOLATION") == [""]
    assert await ids(logged, transaction_id="7") == []


async def test_the_log_is_a_file_as_well(logged: Running) -> None:
    await logged.put(*(record for n in range(3) for record in answered(logged, n, n)))
    answer = await logged.http.get(f"{LOG}/export", headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["station_id"], line["message_id"], line["answer"]) for line in lines] == [
        ("CP1", f"m{n}", {"n": n}) for n in range(3)
    ]
    table = (await logged.http.get(f"{LOG}/export", params={"action": "Authorize"})).text.splitlines()
    assert table[0].startswith("station_id,id,at,kind,direction,action")
    assert len(table) == 4


async def test_who_follows_is_told_of_what_is_new(logged: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "INTERVAL", 0.02)
    await logged.put(*answered(logged, 1, 0))
    seen: set[int] = set()
    async with logged.database.connection() as db:
        await reads.new_entries(db, "CP1", seen, SPARED)
    stopping = asyncio.Event()
    parts = tail.follow(logged.database, "CP1", LogFilter(), seen, stopping)
    async with asyncio.timeout(GIVE_UP):
        assert (await anext(parts)).startswith(b":")
        await logged.put(*answered(logged, 2, 1), *answered(logged, 3, 1, station_id="CP2"))
        told = json.loads((await anext(parts)).removeprefix(b"data: "))
        assert (told["message_id"], told["outcome"]) == ("m2", "answered")
        stopping.set()
        assert (await anext(parts)).startswith(b"event: closed")


async def test_days_are_dropped_when_they_are_old(logged: Running) -> None:
    await logged.put(*answered(logged, 1, 0))
    await compact(logged)
    assert await ids(logged) == ["m1"]
    step: Any = logged.service.tasks["retention"]
    kept: Retention = step.__self__
    later = logged.time() + timedelta(days=20)
    await replace(kept, clock=lambda: later).remove()
    assert await ids(logged) == []
    await kept.prepare()


async def test_of_stations_that_are_not_named_what_fails_is_kept(stack: Stack) -> None:
    environment = await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
    settings = settings_of(Settings, environment, frame_log="some", frame_log_stations="CP2")
    async with running("firmware", build, settings, clock=Time(datetime.now(UTC))) as world:
        named = answered(world, 2, 1, station_id="CP2")
        await world.put(*answered(world, 1, 0), *named, refused(world, 2))
        assert await ids(world) == [""]
        assert [item["message_id"] for item in (await world.get("/v1/stations/CP2/log"))["items"]] == ["m2"]
