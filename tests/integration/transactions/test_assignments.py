"""Where the station of a session was: as it was registered when the first report came, whatever came later."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.common.kafka.bus import Record
from services.common.postgres.database import Connection, Database
from services.transactions import backfill, reads
from services.transactions.backfill import AssignmentBackfill
from services.transactions.reads import TransactionFilter
from tests.integration.transactions.running import System, bearer, token
from tests.integration.transactions.test_rest import get, ids, start
from tests.integration.transactions.test_session import START, metered, stop
from voltbus.v1.state_pb2 import Registration

NORTH, SOUTH = (("north", "vip"), "garage"), (("south",), "roof")
# As processes of the release before write sessions.
OF_BEFORE = "update transaction set groups = null, location_id = null where station_id = $1"


async def register(system: System, station: str, assigned: tuple[tuple[str, ...], str] | None) -> None:
    """None: the registration is removed. Returns when it is known: a station that is not has transactions look."""
    value = None
    if assigned is not None:
        value = Registration(station_id=station, groups=assigned[0], location_id=assigned[1]).SerializeToString()
    await system.bus.publish([Record("registrations", station.encode(), value)])
    await start(system, f"{station}-stranger")


def assignment(shown: Any) -> tuple[tuple[str, ...], str | None]:
    return tuple(shown["groups"]), shown["location_id"]


async def assignment_of(system: System, number: int) -> tuple[tuple[str, ...], str | None]:
    return assignment(await get(system, f"/v1/transactions/{number}"))


def told(system: System, station: str) -> list[tuple[tuple[str, ...], str]]:
    """What events say of it, in order."""
    said = [event.transaction for event in system.events(station)]
    return [(tuple(one.groups), one.location_id) for one in said]


async def test_those_of_a_group_and_of_a_location(system: System, station: str) -> None:
    names = [f"{station}-{name}" for name in ("a", "b", "c")]
    await register(system, names[0], (("north", station), f"garage-{station}"))
    await register(system, names[1], ((station,), f"roof-{station}"))
    a, b, c = [await start(system, name) for name in names]
    assert await ids(system, group=station) == [b, a]
    assert await ids(system, group=station, limit=1) == [b]
    assert await ids(system, group="nobody") == []
    assert await ids(system, location_id=f"garage-{station}") == [a]
    assert await ids(system, group=station, location_id=f"roof-{station}") == [b]
    assert await ids(system, group=station, station_id=names[0]) == [a]
    assert await assignment_of(system, a) == (("north", station), f"garage-{station}")
    assert await assignment_of(system, c) == ((), None)


@pytest.mark.parametrize("later", [SOUTH, None], ids=["moved", "removed"])
async def test_past_sessions_stay_where_they_were(system: System, station: str, later: Any) -> None:
    """A station that is moved or removed does not take them along: a bill would be of another place."""
    await register(system, station, NORTH)
    before = await start(system, station)
    await system.ask(station, "StopTransaction", stop(before))
    await register(system, station, later)
    after = await start(system, station, timestamp="2026-03-02T10:00:00Z")
    assert await assignment_of(system, before) == NORTH
    assert await assignment_of(system, after) == (later or ((), None))
    assert await ids(system, station_id=station, group="north") == [before]
    assert await ids(system, station_id=station, location_id="garage") == [before]


async def test_a_session_stays_where_it_began_whatever_is_told_of_it_later(system: System, station: str) -> None:
    """Its end, a correction of that, its start told again: after the station was moved, all say where it began."""
    await register(system, station, NORTH)
    number = await start(system, station, meterStart=1000)
    await register(system, station, SOUTH)
    await system.tell(station, "MeterValues", metered(number, "2000"))
    assert (await system.ask(station, "StartTransaction", START | {"meterStart": 1000}))["transactionId"] == number
    await system.ask(station, "StopTransaction", stop(number))
    await system.ask(station, "StopTransaction", stop(number, meterStop=9000))
    await system.until(lambda: len(system.events(station)) == 4)
    assert told(system, station) == [NORTH] * 4
    assert await assignment_of(system, number) == NORTH
    assert await ids(system, station_id=station, group="south") == []


async def test_what_was_offline_counts_where_its_station_is_when_it_is_told(system: System, station: str) -> None:
    """Where a station was at the time that its clock says nobody knows here; it was there when it could tell."""
    await register(system, station, SOUTH)
    event = {
        "eventType": "Started",
        "timestamp": "2020-01-01T00:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "offline": True,
        "evse": {"id": 1},
        "transactionInfo": {"transactionId": "t1"},
    }
    await system.ask(station, "TransactionEvent", event, "2.0.1")
    [shown] = (await get(system, "/v1/transactions", station_id=station))["items"]
    assert (assignment(shown), shown["offline"]) == (SOUTH, True)


async def test_the_report_that_comes_first_counts_whichever_it_is(system: System, station: str) -> None:
    """E §1.3.2: the end may come before the start, and the station be moved between them."""
    told_of = {"triggerReason": "RemoteStop", "evse": {"id": 1}, "transactionInfo": {"transactionId": "t1"}}
    ended = {"eventType": "Ended", "timestamp": "2026-03-01T11:00:00Z", "seqNo": 1, **told_of}
    started = {"eventType": "Started", "timestamp": "2026-03-01T10:00:00Z", "seqNo": 0, "offline": True, **told_of}
    await register(system, station, NORTH)
    await system.ask(station, "TransactionEvent", ended, "2.0.1")
    await register(system, station, SOUTH)
    await system.ask(station, "TransactionEvent", started, "2.0.1")
    await system.until(lambda: len(system.events(station)) == 2)
    assert told(system, station) == [NORTH, NORTH]
    [shown] = (await get(system, "/v1/transactions", station_id=station))["items"]
    assert (assignment(shown), shown["complete"]) == (NORTH, True)


async def test_a_session_of_before_the_registration_stays_without(system: System, station: str) -> None:
    number = await start(system, station)
    await register(system, station, NORTH)
    await system.ask(station, "StopTransaction", stop(number))
    assert await assignment_of(system, number) == ((), None)
    await system.until(lambda: len(system.events(station)) == 2)
    assert told(system, station) == [((), "")] * 2


async def test_who_was_registered_just_now_starts_there(system: System, station: str) -> None:
    """The registration is on its topic, and may not have been read: it is, before a session begins without."""
    value = Registration(station_id=station, groups=["north", "vip"], location_id="garage").SerializeToString()
    await system.bus.publish([token("cafe01"), Record("registrations", station.encode(), value)])
    assert await assignment_of(system, await start(system, station)) == NORTH


async def test_lists_and_files_show_it_alike(system: System, station: str) -> None:
    await register(system, station, NORTH)
    number = await start(system, station)
    query = {"station_id": station, "group": "vip", "location_id": "garage"}
    [listed] = (await get(system, "/v1/transactions", **query))["items"]
    response = await system.client.get("/v1/transactions/export", params=query)
    names, values = response.text.splitlines()
    assert names.endswith(",revision,groups,location_id,billable")
    assert values.endswith(",0,north|vip,garage,false")
    assert (listed["id"], assignment(listed)) == (number, NORTH)
    samples = await system.client.get("/v1/samples/export", params=query)
    assert samples.status_code == 200


class Limited:
    """Reads with a token that is limited to groups."""

    def __init__(self, system: System, *groups: str) -> None:
        self._client, self._headers = system.client, bearer(voltbus_groups=groups)

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        response = await self._client.get(path, params=query, headers=self._headers)
        assert response.status_code == status, response.text
        return response.json()

    async def ids(self, **query: Any) -> list[int]:
        return [item["id"] for item in (await self.get("/v1/transactions", **query))["items"]]

    async def exported(self, path: str, **query: Any) -> list[Any]:
        headers = self._headers | {"Accept": "application/x-ndjson"}
        response = await self._client.get(path, params=query, headers=headers)
        assert response.status_code == 200, response.text
        return [orjson.loads(line) for line in response.content.splitlines()]


async def test_a_token_that_is_limited_to_groups_reads_their_sessions(system: System, station: str) -> None:
    """By the groups that are kept with them, wherever their stations are now."""
    ours, theirs = f"{station}-ours", f"{station}-theirs"
    both, mine, other, nobody = (f"{station}-{name}" for name in ("both", "mine", "other", "nobody"))
    for name, groups in ((both, (theirs, ours)), (mine, (ours,)), (other, (theirs,))):
        await register(system, name, (groups, ""))
    numbers = a, b, c, d = [await start(system, name) for name in (both, mine, other, nobody)]
    for name, number in zip((both, mine, other, nobody), numbers, strict=True):
        await system.tell(name, "MeterValues", metered(number, "2000"))
        await system.ask(name, "StopTransaction", stop(number))
    await register(system, mine, ((theirs,), ""))
    await register(system, other, ((ours,), ""))

    limited = Limited(system, ours, "elsewhere")
    assert await limited.ids() == [b, a]
    assert await limited.ids(group=theirs) == [a]
    assert await limited.ids(station_id=other) == await limited.ids(station_id=nobody) == []
    first = await limited.get("/v1/transactions", limit=1)
    assert await limited.ids(limit=1, cursor=first["next"]) == [a]
    assert await Limited(system, ours, theirs).ids() == [c, b, a]
    assert await Limited(system).ids() == await Limited(system, "elsewhere").ids() == []
    assert await Limited(system, "elsewhere", "*").ids(station_id=nobody) == [d]

    assert [one["id"] for one in await limited.exported("/v1/transactions/export")] == [b, a]
    samples = await limited.exported("/v1/samples/export")
    assert {one["transaction_id"] for one in samples} == {b, a}
    assert await limited.exported("/v1/samples/export", station_id=other) == []

    for below in ("", "/samples", "/revisions"):
        for number in (a, b):
            shown = await limited.get(f"/v1/transactions/{number}{below}")
            assert shown == await get(system, f"/v1/transactions/{number}{below}")
        unknown = await limited.get(f"/v1/transactions/{2**31 - 1}{below}", 404)
        for number in (c, d):
            assert await limited.get(f"/v1/transactions/{number}{below}", 404) == unknown
    await limited.get("/v1/orphans", 403)


async def stored(database: Database, number: int) -> tuple[Any, ...]:
    async with database.connection() as db:
        [row] = await db.fetch("select stored_at, revision from transaction where id = $1", number)
    return tuple(row)


async def test_sessions_of_before_get_the_assignment_of_the_day(
    system: System, station: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, a lot at a time; nobody is told that they have changed, and what is known stays as it is."""
    monkeypatch.setattr(backfill, "AT_ONCE", 2)
    known = await start(system, f"{station}-known")
    numbers = [await start(system, station, timestamp=f"2026-03-0{day}T10:00:00Z") for day in (1, 2, 3)]
    async with database.connection() as db:
        await db.execute(OF_BEFORE, station)
    assert await assignment_of(system, numbers[0]) == ((), None)
    before = [await stored(database, number) for number in numbers]
    filling = AssignmentBackfill(database, lambda _: ((station, "vip"), "garage"))
    while await filling.once():
        pass
    assert await ids(system, group=station) == numbers[::-1]
    assert await ids(system, station_id=station, location_id="garage") == numbers[::-1]
    assert await assignment_of(system, known) == ((), None)
    assert [await stored(database, number) for number in numbers] == before
    assert not await AssignmentBackfill(database, lambda _: (("other",), "")).once()
    assert await ids(system, group="other") == []


async def test_a_session_of_before_is_told_where_its_station_is(
    system: System, station: str, database: Database
) -> None:
    """Until that is filled in; what is written of it meanwhile does not settle it, nor is it lost."""
    await register(system, station, NORTH)
    number = await start(system, station)
    async with database.connection() as db:
        await db.execute(OF_BEFORE, station)
        await db.execute("delete from transaction_group where transaction_id = $1", number)
    await system.ask(station, "StopTransaction", stop(number))
    await system.until(lambda: len(system.events(station)) == 2)
    assert told(system, station) == [NORTH, NORTH]
    await AssignmentBackfill(database, lambda _: NORTH).once()
    assert await assignment_of(system, number) == NORTH
    assert await ids(system, station_id=station, group="vip") == [number]


async def test_what_somebody_writes_is_left_to_the_next_look(system: System, station: str, database: Database) -> None:
    """Two that waited for each other's rows would be a deadlock."""
    number = await start(system, station)
    filling = AssignmentBackfill(database, lambda _: NORTH)
    async with database.connection() as db:
        await db.execute(OF_BEFORE, station)
    async with database.transaction() as db:
        await db.execute("select from transaction where id = $1 for update", number)
        await filling.once()
        assert await assignment_of(system, number) == ((), None)
    await filling.once()
    assert await assignment_of(system, number) == NORTH


MANY = 20_000
FILL = """
insert into transaction (id, station_id, key, transaction_id, started_at, started_received_at, updated_at, offline,
    occurrence, register_jumped_back, details, state, revision, groups, location_id)
select n, $1, 'k' || n, n::text, $3, $3, $3, false, 1, false, '{}', '{"seen": [], "told": {}, "meters": {}}', 1,
    case when n % 1000000 <= 100 then array['closed', 'all'] else array['all'] end, 'hall'
from generate_series($2::bigint, $2::bigint + $4) as n"""


async def plan(db: Connection, **wanted: Any) -> str:
    """How the newest of a filter are found."""
    sql, values = reads.statement(TransactionFilter(**wanted))
    rows = await db.fetch(f"explain (analyze, timing off) {sql}", 50, *values)
    return "\n".join(row[0] for row in rows)


async def test_a_page_of_a_group_is_read_from_its_index(database: Database, station: str) -> None:
    """Also of a group whose sessions are all old, at a site that was closed: nothing is read through for them."""
    async with database.connection() as db:
        trial = db.transaction()
        await trial.start()
        await db.execute(FILL, station, 2_000_000_000, datetime(2026, 3, 1, tzinfo=UTC), MANY)
        await db.execute(
            "insert into transaction_group select unnest(groups), id from transaction where station_id = $1", station
        )
        await db.execute("analyze transaction, transaction_group")
        plans = [
            await plan(db, **wanted) for wanted in ({"group": "closed"}, {"group": "all"}, {"location_id": "hall"})
        ]
        plans += [await plan(db, within=frozenset(groups)) for groups in ({"closed"}, {"all"}, {"closed", "nobody"})]
        await trial.rollback()
    for shown in plans:
        assert "Seq Scan" not in shown
        assert "Removed by Filter" not in shown
    assert "Sort" not in plans[1] + plans[2]
