"""The store on a real Postgres: what is saved comes back, nothing is overwritten, partitions make room."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.common.kafka.bus import Record
from services.common.postgres.database import Database
from services.common.postgres.retention import TimeTable, make_ahead
from services.common.process.errors import Unavailable
from services.common.testing.assignments import unassigned
from services.ocpp.id_tokens import Authorization
from services.transactions import reads
from services.transactions.batch import Changes
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import FREE_VEND, MeterValue, Report, ReportKind, StationSamples
from services.transactions.domain.review import Review
from services.transactions.domain.transaction import EndedBy, Transaction, new_transaction
from services.transactions.kept import TABLES
from services.transactions.reads import TransactionFilter
from services.transactions.rows import (
    METERED,
    ORPHAN_STOP,
    REVISION,
    SAMPLE,
    STATION_SAMPLE,
    WRITTEN,
    SampleRow,
    sample_key,
    sample_row,
)
from services.transactions.store import Store
from tests.unit.transactions.making import NOON, metered, report, start
from tests.unit.transactions.test_any_order import folded


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("transaction", {"stored_at", *WRITTEN}),
        ("sample", set(SAMPLE)),
        ("station_sample", set(STATION_SAMPLE)),
        ("orphan_stop", {"id", *ORPHAN_STOP}),
        ("transaction_revision", {"stored_at", *REVISION}),
    ],
)
async def test_the_declared_columns_are_those_of_the_table(database: Database, table: str, columns: set[str]) -> None:
    """What is not declared would never be written. stored_at is Postgres' own; next_release is what tests add."""
    names = "select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped"
    async with database.connection() as db:
        assert {row["attname"] for row in await db.fetch(names, table)} == columns | {"next_release"}


async def test_what_is_billable_is_found_as_the_domain_says(database: Database) -> None:
    """Whatever a row says: all that there is of each field, and words that another version may write."""
    ended = {"stopped_at": NOON, "stopped_received_at": NOON, "ended_by": EndedBy.STATION}
    fields: list[Sequence[Mapping[str, Any]]] = [
        [{}, ended],
        [{"review": one} for one in (*Review, "else")],
        [{"authorization": one} for one in (None, *Authorization)],
        [{"details": one} for one in ({}, {FREE_VEND: ""}, {FREE_VEND: "ACME"}, {FREE_VEND: 5}, {FREE_VEND: None})],
    ]
    begun = new_transaction(report(ReportKind.STARTED, station_id="BILLED"), 1)
    begun = replace(begun, field_order={})
    rows = [
        replace(begun, id=10**9 + n, key=f"billed:{n}", **{name: said for part in parts for name, said in part.items()})
        for n, parts in enumerate(itertools.product(*fields))
    ]
    async with Store(database, unassigned).unit_of_work() as work:
        await work.write(Changes(changed=rows), [])
        for billable in (True, False):
            wanted = TransactionFilter(station_id="BILLED", billable=billable)
            found = [one.id for one in await reads.transactions(work.db, wanted, len(rows))]
            assert found == [one.id for one in rows[::-1] if one.billable is billable]
            assert found


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("metered_row", METERED),
        ("assigned_transaction_row", WRITTEN),
        ("sample_row", SAMPLE),
        ("revision_row", REVISION),
    ],
)
async def test_rows_are_the_composite_types_of_the_schema(
    database: Database, kind: str, columns: Mapping[str, str]
) -> None:
    """They are written by position."""
    attributes = """
        select attname, format_type(atttypid, null) as type from pg_attribute
        where attrelid = $1::text::regclass and not attisdropped order by attnum"""
    long = {"timestamptz": "timestamp with time zone"}
    async with database.connection() as db:
        found = [tuple(row) for row in await db.fetch(attributes, kind)]
    assert found == [(name, long.get(type_, type_)) for name, type_ in columns.items()]


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database, unassigned)


async def written(store: Store, changes: Changes, *events: Record) -> None:
    async with store.unit_of_work() as work:
        await work.write(changes, events)


async def saved(store: Store, made: Transaction) -> Transaction:
    await written(store, Changes(changed=[made]))
    return await loaded(store, report(station_id=made.station_id, key=made.key))


async def loaded(store: Store, *reports: Report) -> Transaction:
    [found] = await found_by(store, *reports)
    return found


async def found_by(store: Store, *reports: Report) -> list[Transaction]:
    async with store.unit_of_work() as work:
        return await work.load(reports)


async def numbers(store: Store, count: int) -> list[int]:
    async with store.unit_of_work() as work:
        return await work.reserve(count, NOON)


async def number(store: Store) -> int:
    return (await numbers(store, 1))[0]


async def outbox(database: Database) -> int:
    async with database.connection() as db:
        count: int = await db.fetchval("select count(*) from outbox")
    return count


def sampled(owner: int, *wh: float) -> list[SampleRow]:
    made = report(meter_values=metered(*wh))
    return [sample_row(owner, value, made) for value in made.meter_values]


async def existing(store: Store, samples: list[SampleRow]) -> list[SampleRow]:
    async with store.unit_of_work() as work:
        stored = await work.existing_samples([sample_key(sample) for sample in samples])
    return [sample for sample in samples if sample_key(sample) in stored]


async def test_what_is_saved_comes_back(store: Store, station: str) -> None:
    made = decide(None, start(station_id=station), await number(store)).transaction
    assert made is not None
    assert await saved(store, made) == replace(made, row_revision=1)


async def test_whole_sessions_come_back(store: Store, station: str) -> None:
    """Whatever was reported, in both ways of writing it."""
    began = {"id_token": "T", "id_token_type": "eMAID", "reservation_id": 3, "remote_start_id": 4, "evse_id": 1}
    reports = [
        report(ReportKind.STARTED, seq_no=2, meter_values=metered(5, 6), details={"phases_used": 3}, **began),
        report(seq_no=5, connector_id=2, charging_state="Charging", offline=True, id_token="B"),
        report(ReportKind.ENDED, seq_no=6, id_token="U", ends_authorization=True, stop_reason="Remote"),
    ]
    made = replace(folded(reports), id=await number(store), station_id=station, key="ended")
    assert await saved(store, made) == replace(made, row_revision=1)
    back = await saved(store, replace(folded(reports[:2]), id=await number(store), station_id=station))
    more = decide(back, report(seq_no=99, station_id=station, meter_values=metered(700))).transaction
    assert more is not None
    await written(store, Changes(metered=[more]))
    assert await loaded(store, report(station_id=station, key=more.key)) == replace(more, row_revision=2)


async def test_a_row_of_before_was_ended_by_its_station(store: Store, database: Database, station: str) -> None:
    """Of before there was the column."""
    reports = [report(ReportKind.STARTED), report(ReportKind.ENDED, seq_no=1)]
    made = await saved(store, replace(folded(reports), id=await number(store), station_id=station))
    async with database.connection() as db:
        await db.execute("update transaction set ended_by = null where id = $1", made.id)
    assert await loaded(store, report(station_id=station, key=made.key)) == made
    assert made.ended_by == EndedBy.STATION


async def test_numbers_and_keys_find_the_same_row(store: Store, station: str) -> None:
    made = await saved(store, replace(folded([start(station_id=station)]), id=await number(store)))
    by_number = report(station_id=station, key=None, number=made.id)
    assert await loaded(store, by_number) == made
    assert await found_by(store, report(station_id="another", key=None, number=made.id)) == []


async def test_ids_are_given_once(store: Store, database: Database) -> None:
    """To batches side by side, and to processes."""
    stores = [store, store, store, Store(database, unassigned)]
    given = await asyncio.gather(*(numbers(one, count) for one in stores for count in (0, 1, 7, 30)))
    assert [len(some) for some in given] == [0, 1, 7, 30] * 4
    assert len({one for some in given for one in some}) == 4 * 38


@pytest.mark.parametrize("way", ["changed", "metered"])
async def test_another_process_was_faster(store: Store, database: Database, station: str, way: str) -> None:
    """Nothing is overwritten, and nothing else of the batch is there; it is tried again on what is there."""
    made = await saved(store, replace(folded([start(station_id=station)]), id=await number(store)))
    newer = replace(made, charging_state="Charging")
    await saved(store, newer)
    other = replace(made, id=await number(store), key="another", row_revision=0)
    changes = Changes(changed=[other], samples=sampled(other.id, 1))
    getattr(changes, way).append(made)
    before = await outbox(database)
    with pytest.raises(Unavailable):
        await written(store, changes, Record("events", b"k", b"v"))
    assert (await loaded(store, report(station_id=station, key=made.key))).charging_state == "Charging"
    assert await found_by(store, report(station_id=station, key="another")) == []
    assert await existing(store, changes.samples) == []
    assert await outbox(database) == before


@pytest.mark.parametrize("way", ["changed", "metered"])
async def test_two_processes_write_at_once(store: Store, database: Database, station: str, way: str) -> None:
    made = await saved(store, replace(folded([start(station_id=station)]), id=await number(store)))
    before = await outbox(database)
    changes: dict[str, Any] = {way: [made]}
    tries = [written(store, Changes(**changes), Record("events", b"k", b"v")) for _ in range(4)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(map(type, outcomes), key=str) == [type(None), *[Unavailable] * 3]
    assert (await loaded(store, report(station_id=station, key=made.key))).row_revision == made.row_revision + 1
    assert await outbox(database) == before + 1


async def test_two_processes_hear_of_a_transaction_at_once(store: Store, station: str) -> None:
    first, second = [replace(folded([start(station_id=station)]), id=await number(store)) for _ in range(2)]
    await saved(store, first)
    with pytest.raises(Unavailable):
        await saved(store, second)


async def test_all_parts_may_be_empty(store: Store, database: Database, station: str) -> None:
    before = await outbox(database)
    await written(store, Changes())
    assert await outbox(database) == before
    await written(store, Changes(), Record("events", b"k", b"v"))
    assert await outbox(database) == before + 1
    made = await saved(store, replace(folded([start(station_id=station)]), id=await number(store)))
    await written(store, Changes(metered=[made]))
    assert await outbox(database) == before + 1


async def test_samples_are_kept_once(store: Store, station: str) -> None:
    made = replace(folded([start(station_id=station)]), id=await number(store))
    first, second, third = sampled(made.id, 1, 2, 3)
    assert await existing(store, [first, second]) == []
    await written(store, Changes(changed=[made], samples=[first, second, first]))
    assert await existing(store, [third, second, first]) == [second, first]
    await written(store, Changes(metered=[replace(made, row_revision=1)], samples=[second, third]))
    assert await existing(store, [first, second, third]) == [first, second, third]
    assert await existing(store, [*sampled(made.id, 9), *sampled(await number(store), 1)]) == []


async def test_station_samples_of_two_connectors_are_two(store: Store, station: str) -> None:
    [value] = metered(1)
    samples = [StationSamples(call_id, station, NOON, n, n, (value,)) for call_id, n in (("a", 1), ("b", 2), ("c", 1))]
    async with store.unit_of_work() as work:
        assert await work.save_station_samples(samples) == {"a", "b"}
        assert await work.save_station_samples(samples) == set()


async def test_a_month_takes_over_what_a_fast_clock_left_in_the_default(database: Database, station: str) -> None:
    """Rows of the default partition move when their month is made; rows of other times stay."""
    ahead = datetime(2031, 5, 20, tzinfo=UTC)
    values = [MeterValue(ahead + timedelta(days=n), [{"value": n}]) for n in (0, 400)]
    async with Store(database, unassigned).unit_of_work() as work:
        assert await work.save_station_samples([StationSamples("c", station, NOON, 1, 1, tuple(values))]) == {"c"}
    async with database.connection() as db:
        await db.execute("update station_sample set next_release = 'kept' where station_id = $1", station)
    for _ in range(2):
        for table in (table for table in TABLES if isinstance(table, TimeTable)):
            await make_ahead(database, table, datetime(2031, 4, 30, 23, tzinfo=UTC))
    where = "select tableoid::regclass::text, next_release from station_sample where station_id = $1 order by taken_at"
    async with database.connection() as db:
        rows = [tuple(row) for row in await db.fetch(where, station)]
    assert rows == [("station_sample_2031_05", "kept"), ("station_sample_default", "kept")]


async def test_every_moment_has_a_place(store: Store, station: str) -> None:
    moments = [
        datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ]
    made = replace(folded([start(station_id=station)]), id=await number(store))
    samples = [sample_row(made.id, MeterValue(at, []), report()) for at in moments]
    await written(store, Changes(changed=[made], samples=samples))
    assert await existing(store, samples) == samples
