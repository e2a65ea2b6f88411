"""The store on a real Postgres: what is saved comes back, nothing is overwritten, partitions make room."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.common.database import Database
from services.common.errors import Unavailable
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import Kind, MeterValue, Outside, Report
from services.transactions.domain.transaction import Transaction
from services.transactions.months import Months
from services.transactions.store import Sampled, Store
from tests.unit.transactions.making import NOON, metered, report, start
from tests.unit.transactions.test_any_order import folded


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


async def saved(store: Store, made: Transaction) -> Transaction:
    async with store.transaction() as work:
        await work.save([made])
    return await loaded(store, report(station_id=made.station_id, key=made.key))


async def loaded(store: Store, *reports: Report) -> Transaction:
    async with store.transaction() as work:
        [found] = await work.load(reports)
    return found


async def number(store: Store) -> int:
    async with store.transaction() as work:
        return (await work.reserve(1))[0]


async def test_what_is_saved_comes_back(store: Store, station: str) -> None:
    made = decide(None, start(station_id=station), await number(store)).transaction
    assert made is not None
    assert await saved(store, made) == replace(made, revision=1)


async def test_whole_sessions_come_back(store: Store, station: str) -> None:
    """Whatever was told, in both ways of writing it."""
    began = {"id_token": "T", "id_token_type": "eMAID", "reservation_id": 3, "remote_start_id": 4, "evse_id": 1}
    reports = [
        report(Kind.STARTED, seq_no=2, meter_values=metered(5, 6), details={"phases_used": 3}, **began),
        report(seq_no=5, connector_id=2, charging_state="Charging", offline=True),
        report(Kind.ENDED, seq_no=6, id_token="U", ends_authorization=True, stop_reason="Remote"),
    ]
    made = replace(folded(reports), id=await number(store), station_id=station)
    back = await saved(store, made)
    assert back == replace(made, revision=1)
    more = decide(back, report(seq_no=99, station_id=station, meter_values=metered(50_000))).transaction
    assert more is not None
    async with store.transaction() as work:
        await work.meter([more])
    assert await loaded(store, report(station_id=station, key=made.key)) == replace(more, revision=2)


async def test_numbers_and_keys_find_the_same_row(store: Store, station: str) -> None:
    made = await saved(store, replace(folded([start(station_id=station)]), id=await number(store)))
    by_number = report(station_id=station, key=None, number=made.id)
    assert await loaded(store, by_number) == made
    async with store.transaction() as work:
        assert await work.load([report(station_id="another", key=None, number=made.id)]) == []
        assert await work.reserve(0) == []


@pytest.mark.parametrize("way", ["save", "meter"])
async def test_another_process_was_faster(store: Store, station: str, way: str) -> None:
    """Nothing is overwritten; the batch is tried again on what is there."""
    made = await saved(store, replace(folded([start(station_id=station)]), id=await number(store)))
    newer = replace(made, charging_state="Charging")
    await saved(store, newer)
    with pytest.raises(Unavailable):
        async with store.transaction() as work:
            await getattr(work, way)([made])
    assert (await loaded(store, report(station_id=station, key=made.key))).charging_state == "Charging"


async def test_two_processes_hear_of_a_transaction_at_once(store: Store, station: str) -> None:
    first, second = [replace(folded([start(station_id=station)]), id=await number(store)) for _ in range(2)]
    await saved(store, first)
    with pytest.raises(Unavailable):
        await saved(store, second)


async def test_samples_are_kept_once(store: Store, station: str) -> None:
    told = report(station_id=station, meter_values=metered(1, 2))
    owner = await number(store)
    samples = [Sampled(owner, value, told) for value in told.meter_values]
    async with store.transaction() as work:
        assert await work.save_samples([*samples, samples[0]]) == samples
        assert await work.save_samples(samples) == []
        other = [Sampled(owner, value._replace(readings=[{"value": 9}]), told) for value in told.meter_values]
        assert await work.save_samples(other) == other


async def test_station_samples_of_two_connectors_are_two(store: Store, station: str) -> None:
    [value] = metered(1)
    one, two = [Outside("c", station, NOON, n, n, (value,)) for n in (1, 2)]
    async with store.transaction() as work:
        samples = [Sampled(station, value, source) for source in (one, two, one)]
        assert await work.save_station_samples(samples) == samples[:2]


async def test_a_month_takes_over_what_a_fast_clock_left_in_the_default(database: Database, station: str) -> None:
    """Rows of the default partition move when their month is made; rows of other times stay."""
    ahead = datetime(2031, 5, 20, tzinfo=UTC)
    values = [MeterValue(ahead + timedelta(days=n), [{"value": n}]) for n in (0, 400)]
    async with Store(database).transaction() as work:
        told: Any = Outside("c", station, NOON, 1, 1, tuple(values))
        await work.save_station_samples([Sampled(station, value, told) for value in values])
    await Months(database, lambda: datetime(2031, 4, 30, 23, tzinfo=UTC)).prepare()
    await Months(database, lambda: datetime(2031, 4, 30, 23, tzinfo=UTC)).prepare()
    where = "select tableoid::regclass::text from station_sample where station_id = $1 order by taken_at"
    async with database.connection() as db:
        rows = [row[0] for row in await db.fetch(where, station)]
    assert rows == ["station_sample_2031_05", "station_sample_default"]


async def test_every_moment_has_a_place(store: Store, station: str) -> None:
    moments = [
        datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ]
    told = report(station_id=station, meter_values=tuple(MeterValue(at, []) for at in moments))
    owner = await number(store)
    async with store.transaction() as work:
        assert len(await work.save_samples([Sampled(owner, value, told) for value in told.meter_values])) == 3
