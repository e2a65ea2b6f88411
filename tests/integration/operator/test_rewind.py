"""What a restored schema is made to forget, and to know, before its service reads again what came since."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from services.auth import rows as rows_of
from services.auth.domain.stations import Station
from services.auth.domain.tokens import RegisteredToken
from services.auth.publication import Publication
from services.auth.store import SAVE_STATION, SAVE_TOKEN
from services.common.commands import store
from services.common.commands.restoring import count_as_sent, release
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.commit_marks import CommitMarks
from services.common.postgres.database import Database
from services.common.process.backoff import retry_until_available
from services.common.process.errors import Misconfigured, Unavailable
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.acls import groups
from services.ocpp.id_tokens import Authorization, Token
from services.ocpp.services import SERVICES
from services.smartcharging.restoring import doubt_limits
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.restoring import Renumbering, Told, keep, settle
from tests.conftest import Stack, settings_of
from voltbus.operator.rewind import SETTLED, NotYet, Reader, Settled, main, rewind
from voltbus.operator.rewind import settle as settled
from voltbus.v1 import events_pb2 as pb

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
COMMAND = """
insert into command (
    id, station_id, action, payload, status, created_at, expires_at, sent_at, not_before, parts, outcome)
values ($1, 'CP1', 'Reset', '{}', $2, $3, $4, $5, $6, $7, $8)"""


@pytest.fixture(scope="module")
async def settings(stack: Stack) -> CommonSettings:
    return settings_of(CommonSettings, await stack.fresh())


async def schema(settings: CommonSettings, name: str) -> AsyncIterator[Database]:
    database = Database(settings, name)
    await database.start()
    yield database
    await database.close()


@pytest.fixture
async def fresh(stack: Stack) -> CommonSettings:
    """Of a system in which nothing was read or told."""
    return settings_of(CommonSettings, await stack.fresh())


@pytest.fixture
async def transactions(settings: CommonSettings) -> AsyncIterator[Database]:
    async for database in schema(settings, "transactions"):
        yield database


@pytest.fixture
async def smartcharging(settings: CommonSettings) -> AsyncIterator[Database]:
    async for database in schema(settings, "smartcharging"):
        yield database


@pytest.fixture
async def bus(settings: CommonSettings) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(settings)
    await bus.start()
    yield bus
    await bus.close()


async def rows(database: Database, query: str) -> list[asyncpg.Record]:
    async with database.connection() as db:
        return list(await db.fetch(query))


async def test_commands_that_waited_count_as_sent(smartcharging: Database) -> None:
    """To a connection that is gone, at the time at which they could have been; their numbers are not given again."""
    tonight, due = NOW + HOUR, '{"due": true, "count": 1}'
    async with smartcharging.transaction() as db:
        await db.execute(COMMAND, "waits", "accepted", NOW - HOUR, tonight, None, None, None, None)
        await db.execute(COMMAND, "tonight", "accepted", NOW - HOUR, tonight, None, tonight, None, None)
        await db.execute(COMMAND, "in parts", "sent", NOW - HOUR, tonight, NOW - HOUR, None, due, None)
        await db.execute(COMMAND, "answered", "answered", NOW - HOUR, tonight, NOW, None, None, "answered")
        before = await db.fetchval("select max(number) from command")
        await db.execute(COMMAND, "soon", "accepted", NOW - HOUR, tonight, None, NOW, None, None)
        await db.execute(COMMAND, "on its way", "sent", NOW - HOUR, NOW - HOUR, NOW - HOUR, None, None, None)
        assert await count_as_sent(db) == 4
        await db.execute(COMMAND, "new", "accepted", NOW, tonight, None, None, None, None)
    found = {row["id"]: row for row in await rows(smartcharging, "select * from command")}
    assert {name: row["status"] for name, row in found.items()} == {
        **dict.fromkeys(("waits", "soon", "in parts", "on its way"), "sent"),
        "tonight": "accepted",
        "answered": "answered",
        "new": "accepted",
    }
    assert found["waits"]["sent_at"] == NOW - HOUR
    assert found["soon"]["sent_at"] <= datetime.now(UTC)
    # However late it is, none of them ends before all is read again.
    later = datetime.now(UTC) + 2 * HOUR
    async with smartcharging.transaction() as db:
        assert [one.id for one in await store.claim_silent(db, later)] == []
        assert await store.silent(db, later) == []
        unheard = {id_ for id_, _, _ in await release(db)}
        assert unheard == {"waits", "soon", "in parts", "on its way"}
        assert {one for one, _, _ in await store.silent(db, later)} == unheard
        assert await release(db) == []
    assert (found["waits"]["connection_id"], found["in parts"]["parts"]) == ("", '{"due": false, "count": 1}')
    assert found["new"]["number"] > before + 1_000_000


async def test_what_was_taken_back_since_then_does_not_wait_again(fresh: CommonSettings) -> None:
    """By the events of its service; of another command, or another end of one, they say nothing here."""
    events, bus = Events(fresh, "smartcharging", lambda _: ((), "")), KafkaBus(fresh)
    await bus.start()
    ends = {"back": pb.COMMAND_STATUS_CANCELLED, "away": pb.COMMAND_STATUS_EXPIRED, "sent": pb.COMMAND_STATUS_CANCELLED}
    changed = [
        pb.CommandChanged(command_id=id_, station_id="CP1", status=status, at=NOW) for id_, status in ends.items()
    ]
    await bus.publish([events.record(one, "CP1", one.command_id, NOW) for one in changed])
    await bus.close()
    async for database in schema(fresh, "smartcharging"):
        async with database.transaction() as db:
            for id_ in ("back", "away", "stays"):
                await db.execute(COMMAND, id_, "accepted", NOW - HOUR, NOW + HOUR, None, NOW + HOUR, None, None)
            await db.execute(COMMAND, "sent", "sent", NOW - HOUR, NOW + HOUR, NOW - HOUR, None, None, None)
        await rewind(fresh, "smartcharging", NOW)
        found = {row["id"]: row for row in await rows(database, "select * from command")}
        assert {id_: row["status"] for id_, row in found.items()} == {
            "back": "cancelled",
            "away": "accepted",
            "stays": "accepted",
            "sent": "sent",
        }
        assert (found["back"]["outcome"], found["back"]["ended_at"]) == ("cancelled", NOW)


async def test_limits_of_sites_are_in_doubt(smartcharging: Database) -> None:
    """A station may have confirmed a higher limit since: it counts with all that it can draw, and is asked again."""
    async with smartcharging.transaction() as db:
        await db.execute(
            """insert into site (site_id, limit_value, limit_unit, phases, voltage, created_at, changed_at)
            values ('garage', 32, 'A', 3, 230, now(), now())"""
        )
        await db.execute(
            """insert into member (station_id, site_id, place, phases, minimum, maximum, priority, unit)
            values ('CP1', 'garage', 0, '{L1}', 60, 320, 0, 'A')"""
        )
        await db.execute(
            """insert into hold (station_id, evse_id, session_id, held, asked, doubtful, failures, refused, lows, peak,
            patience, seen) values ('CP1', 1, 7, 100, 120, 0, 0, false, 0, 0, 0, 0)"""
        )
        await doubt_limits(db)
    [hold] = await rows(smartcharging, "select held, asked, doubtful from hold")
    assert tuple(hold) == (None, None, 320)
    [site] = await rows(smartcharging, "select look_at <= now() as due from site")
    assert site["due"]


def told(number: int, event_id: str, key: str | None = None, **more: Any) -> Told:
    about: dict[str, Any] = {"revision": 1, "status": "ended", "review": "none", "energy_wh": 3200.0}
    return Told(number, event_id, "CP1", key, **{**about, **more})


def start(call_id: str, key: str) -> Report:
    return Report(ReportKind.STARTED, call_id, "CP1", NOW, NOW, 0, key)


def command(monkeypatch: pytest.MonkeyPatch, settings: CommonSettings, *arguments: str) -> None:
    """As it is typed."""
    monkeypatch.setattr(sys, "argv", ["rewind", *arguments])
    monkeypatch.setattr(CommonSettings, "read", lambda: settings)
    main()


async def test_what_is_read_again_has_the_number_that_was_told(
    settings: CommonSettings,
    transactions: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By its call; where its end was told first, by what its station calls it. Each number is given once."""
    events = Events(settings, "transactions", lambda _: ((), ""))
    known = [
        told(7, events.id(pb.TransactionStarted, "CP1", "call-1")),
        told(9, "of the number", "id:abc"),
        told(12, events.id(pb.TransactionUpdated, "CP1", "call-3"), "id:abc"),
    ]
    starting = [start("call-1", "start:1"), start("call-2", "id:abc"), start("call-3", "id:abc"), start("new", "id:x")]
    async with transactions.transaction() as db:
        await keep(db, {one.id: one for one in known})
        found = await Renumbering(events).numbers(db, starting)
        assert found == {"call-1": 7, "call-2": 9, "call-3": 12}
        assert await db.fetchval("select nextval('transaction_id')") > 10_000
        # Again, as when the command is repeated.
        await keep(db, {one.id: one for one in known})
        missing = [(7, ""), (9, ""), (12, "")]
        assert [(one.id, one.now) for one in await settle(db)] == missing
        # They may be there when more is read again.
        assert [(one.id, one.now) for one in await settle(db)] == missing
    with pytest.raises(SystemExit, match="3 sessions that were told are not there"):
        await asyncio.to_thread(command, monkeypatch, settings, "transactions", "--settle")
    with pytest.raises(SystemExit):
        await asyncio.to_thread(command, monkeypatch, settings, "transactions", "--to", "10m", "--give-up")
    await asyncio.to_thread(command, monkeypatch, settings, "transactions", "--settle", "--give-up")
    assert "transaction 7 of CP1: told as ended, review none, 3200 Wh; now not there" in capsys.readouterr().out
    await asyncio.to_thread(command, monkeypatch, settings, "transactions", "--settle")
    assert capsys.readouterr().out == f"{SETTLED}\n"
    async with transactions.transaction() as db:
        assert await Renumbering(events).numbers(db, starting) == {}


async def test_state_that_stood_in_the_outbox_is_not_published_over_newer_state(smartcharging: Database) -> None:
    """What has happened is told again."""
    event, state = Record("events", b"CP1", b"e", (("ce_id", b"1"),)), Record("inventory", b"CP1", b"older")
    async with smartcharging.transaction() as db:
        await outbox.add(db, [state, event])
        await outbox.add(db, [state])
        await outbox.drop_state(db)
        left = [outbox.UNPACK.decode(row["records"]) for row in await db.fetch("select records from outbox")]
        await db.execute("delete from outbox")
    assert left == [[event]]


async def test_a_schema_that_was_restored_is_noticed_until_its_service_is_set_back(
    fresh: CommonSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what stands beside the offsets: it has counted to less. Where nothing was read there is nothing to notice."""
    bus = KafkaBus(fresh)
    await bus.start()
    calls, read = fresh.topic(topics.calls("firmware").name), dict[str, list[str]]()
    async for database in schema(fresh, "firmware"):
        marks = CommitMarks(database)
        read["firmware"] = [calls]
        # A broker that is new finds coordinators a moment later.
        await retry_until_available(partial(marks.require_all, bus, read))
        member = await bus.subscribe("firmware", [calls], note=marks.next)
        for number in range(2):
            await bus.publish([Record(calls, b"CP1", b"")])
            while not (taken := await member.poll()):
                pass
            await member.commit({(calls, one.partition or 0): one.offset + 1 for one in taken})
            await marks.require_all(bus, read)
            if number == 0:
                [row] = await rows(database, "select mark from commit_mark")
        await member.close()
        # A crash between the two: Postgres has counted, Kafka has not heard of it.
        await marks.next()
        await marks.require_all(bus, read)

        async with database.connection() as db:
            await db.execute("update commit_mark set mark = $1", row["mark"])
        with pytest.raises(Misconfigured, match=r"rewind firmware --to TIME` first \(docs/backup.md\)"):
            await marks.require_all(bus, read)
        # Nothing is left to read, which says nothing here.
        with pytest.raises(Misconfigured, match="rewind firmware --to TIME` first"):
            await settled(fresh, "firmware")
        with monkeypatch.context() as patch:
            patch.setattr("voltbus.operator.rewind.count_as_sent", cut_off)
            with pytest.raises(Unavailable):
                await rewind(fresh, "firmware", NOW, looks=1000)
        with pytest.raises(Misconfigured):
            await marks.require_all(bus, read)
        # Also where there is nothing to go back to.
        await rewind(fresh, "firmware", datetime.now(UTC) + HOUR, looks=1000)
        await marks.require_all(bus, read)
        assert await settled(fresh, "firmware") == Settled([])
    await bus.close()


async def cut_off(_: object) -> None:
    raise Unavailable("Postgres: it is restarted")


async def test_nobody_may_read_or_ask_meanwhile(
    settings: CommonSettings, bus: KafkaBus, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.set("slot:3", "gateway", ex=600)
        with pytest.raises(NotYet, match="stop all gateways"):
            await rewind(settings, "auth", NOW)
        await redis.delete("slot:3")
    calls = settings.topic(topics.calls("auth").name)
    await bus.publish([Record(calls, b"CP%d" % number, b"") for number in range(20)])
    member = await bus.subscribe("auth", [calls])
    read = 0
    while read < 20:
        read += len(await member.poll())
    with pytest.raises(NotYet, match="yet to read 20 records"):
        await settled(settings, "auth")
    await member.commit({(calls, number): held.end for number, held in (await bus.bounds(calls)).items()})
    assert await settled(settings, "auth") == Settled([])
    with pytest.raises(NotYet, match="somebody reads on"):
        await rewind(settings, "auth", NOW, looks=1)
    await member.close()
    # A static member that closes stays in its group for some seconds.
    again = await rewind(settings, "auth", NOW, looks=1000)
    assert {one.topic: count for one, count in again.items() if count} == {calls: 20}
    assert await rewind(settings, "auth", NOW) == {Reader(one.group, one.topic): 0 for one in again}
    # Also when it is run again.
    await asyncio.to_thread(command, monkeypatch, settings, "auth", "--to", "10m")
    assert f"will read 20 records of {calls}" in capsys.readouterr().out
    with pytest.raises(NotYet, match="yet to read 20 records"):
        await settled(settings, "auth")


async def test_what_topics_say_otherwise_than_the_tables_of_auth_is_listed(
    fresh: CommonSettings,
) -> None:
    """They are newer: a card that was blocked since, a station that was registered since, one that was removed."""
    bus = KafkaBus(fresh)
    await bus.start()
    publication = Publication(fresh, Events(fresh, "auth", lambda _: ((), "")))
    same, removed, new = (Station(name, None, None, (), None, NOW, NOW) for name in ("SAME", "REMOVED", "NEW"))
    card = RegisteredToken(Token("04A2B3C4D5E6F7", "ISO14443", Authorization.ACCEPTED), NOW, NOW)
    blocked = replace(card, token=replace(card.token, status=Authorization.BLOCKED))
    async for database in schema(fresh, "auth"):
        async with database.transaction() as db:
            await db.executemany(SAVE_STATION, [rows_of.station_row(one) for one in (same, removed)])
            await db.executemany(SAVE_TOKEN, [rows_of.token_row(card)])
        for each in (same, removed, new):
            await bus.publish(publication.station(each, None))
        await bus.publish([*publication.station_tombstone("REMOVED", NOW), publication.token(blocked)])
        found = await settled(fresh, "auth")
        assert found.missing == 0
        assert found.lines == [
            "password of station NEW: not in the tables of auth, and on its topic",
            "password of station REMOVED: not on its topic, and in the tables of auth",
            "station NEW: not in the tables of auth, and on its topic",
            "station REMOVED: not on its topic, and in the tables of auth",
            "idToken …e6f7 (ISO14443): otherwise on its topic than in the tables of auth",
        ]
        assert await rows(database, "select from outbox") == []
    await bus.close()


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "auth"])
async def test_each_service_can_be_set_back(settings: CommonSettings, service: str) -> None:
    """Where its groups have read nothing there is nothing to go back from."""
    again = await rewind(settings, service, NOW)
    assert {one.group for one in again} == {settings.topic(name) for name in groups(service)}
    assert sum(again.values()) == 0
