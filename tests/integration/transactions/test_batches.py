"""Batches as the handler takes them: what they cost, what is repeated, and two processes that have the same."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.common.calls.batch import BatchShell
from services.common.commands.command import Status
from services.common.commands.service import CommandRequest
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.kafka.table import CompactedTable
from services.common.postgres import outbox
from services.common.postgres.database import Database
from services.common.process.clock import now
from services.common.process.errors import Unavailable
from services.common.testing.assignments import unassigned
from services.ocpp import topics
from services.ocpp.topics import Topics
from services.transactions.batch import Changes
from services.transactions.dialects import DIALECTS
from services.transactions.handlers import Handler
from services.transactions.restoring import Renumbering
from services.transactions.settings import Settings
from services.transactions.store import EXISTING_SAMPLES, LOAD, RESERVE, WRITE, Store, UnitOfWork
from services.transactions.tokens import read_token
from tests.integration.transactions.running import answer, call, event
from tests.integration.transactions.test_command_service import Office
from tests.integration.transactions.test_edges import energy
from tests.integration.transactions.test_edges import event as transaction_event
from tests.integration.transactions.test_session import START, metered, stop
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, Result

RESULTS = topics.results("transactions").name


class Held(UnitOfWork):
    """Says when everything is read and decided, and writes when it may."""

    decided: asyncio.Event
    go: asyncio.Event

    async def write(self, changes: Changes, events: Sequence[Record]) -> None:
        self.decided.set()
        await self.go.wait()
        await super().write(changes, events)


class Watched(Store):
    """statements: what batches have sent to Postgres."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, unassigned)
        self.statements: list[str] = []
        self.decided, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()

    def hold(self) -> None:
        """What is decided from now on is not written before `go` is set."""
        self.decided.clear()
        self.go.clear()

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        async with super().unit_of_work() as work:
            held = Held(work.db, self._ids, unassigned)
            held.decided, held.go = self.decided, self.go
            with work.db.query_logger(lambda query: self.statements.append(query.query)):
                yield held


class Process:
    """One that handles batches, of any number on the same database."""

    def __init__(self, database: Database, settings: Settings) -> None:
        office = Office(database, settings)
        self.database, self.store, self.command_service = database, Watched(database), office.command_service()
        self.office = office
        tokens = self.tokens = CompactedTable(office.bus, "tokens", read_token)
        own = Topics.of(settings, "transactions")
        shell = BatchShell(dialects=DIALECTS, topics=own, results=self.command_service, clock=now)
        events = Events(settings, "transactions", unassigned)
        self.handler = Handler(
            store=self.store,
            tokens=tokens,
            stations=self.command_service.stations,
            shell=shell,
            events=events,
            renumbering=Renumbering(events),
        )

    @asynccontextmanager
    async def reads_tokens(self) -> AsyncIterator[None]:
        reading = asyncio.create_task(self.tokens.run())
        yield
        reading.cancel()

    async def handle(self, *records: Record) -> Sequence[Record]:
        self.store.statements.clear()
        reading = asyncio.create_task(self.handler.stations.run())
        try:
            return await self.handler.handle(records)
        finally:
            reading.cancel()

    async def begin(self, station: str) -> int:
        """A session of 1.6 with a meter value, the first of which says where it is from."""
        [reply] = await self.handle(call(station, "StartTransaction", START))
        number: int = answer(reply)["transactionId"]
        await self.handle(call(station, "MeterValues", voltage(number, 220)))
        return number

    async def kept(self, station: str, number: int) -> tuple[int, int, list[Any]]:
        """The revision of a transaction, how many samples it has, and the events of the station in their order."""
        async with self.database.connection() as db:
            revision = await db.fetchval("select revision from transaction where id = $1", number)
            samples = await db.fetchval("select count(*) from sample where transaction_id = $1", number)
        return revision, samples, [one for row in await self.announced(station) for one in row]

    async def announced(self, station: str) -> list[list[Any]]:
        """By row of the outbox, the events of a station."""
        async with self.database.connection() as db:
            rows = await db.fetch("select records from outbox order by seq")
        events = [outbox.UNPACK.decode(row["records"]) for row in rows]
        of_station = [[event(one) for one in row if one.key == station.encode()] for row in events]
        return [row for row in of_station if row]


@pytest.fixture
async def process(database: Database, settings: Settings) -> AsyncIterator[Process]:
    process = Process(database, settings)
    async with process.reads_tokens():
        yield process
    process.store.go.set()


@pytest.fixture
async def rival(database: Database, settings: Settings) -> AsyncIterator[Process]:
    process = Process(database, settings)
    async with process.reads_tokens():
        yield process


def voltage(number: int, *volts: float) -> dict[str, Any]:
    """Meter values that change nothing of their transaction."""
    values = [
        {"timestamp": f"2026-03-01T10:{n:02}:00Z", "sampledValue": [{"value": str(value), "measurand": "Voltage"}]}
        for n, value in enumerate(volts)
    ]
    return {"connectorId": 1, "transactionId": number, "meterValue": values}


async def test_reports_are_read_by_one_statement_and_written_by_one(process: Process, station: str) -> None:
    """However many; one more is for ids where none are left, and one where only the table knows what is new."""
    stations = [f"{station}-{n}" for n in range(5)]
    started = [call(one, "TransactionEvent", transaction_event("Started", 0, **energy(1)), "2.0.1") for one in stations]
    later = [call(one, "TransactionEvent", transaction_event("Updated", 1, **energy(2)), "2.0.1") for one in stations]
    quiet = [call(one, "TransactionEvent", transaction_event("Updated", 2), "2.0.1") for one in stations]
    # asyncpg asks for the types that it does not know, once a connection.
    await process.begin(station)
    for batch, statements in (
        (started, [LOAD, WRITE]),
        (later, [LOAD, WRITE]),
        (quiet, [LOAD, WRITE]),
        (later, [LOAD, EXISTING_SAMPLES]),
        (quiet, [LOAD]),
    ):
        await process.handle(*batch)
        assert process.store.statements == statements
    await process.handle(
        *(call(f"{one}-b", "TransactionEvent", transaction_event("Started", 0), "2.0.1") for one in stations)
    )
    assert process.store.statements == [LOAD, RESERVE, WRITE]


async def test_what_is_read_again_is_announced_and_stored_once(process: Process, station: str) -> None:
    number = await process.begin(station)
    records = [
        call(station, "MeterValues", metered(number, "2000")),
        call(station, "MeterValues", voltage(number, 230, 231)),
        call(station, "StopTransaction", stop(number, transactionData=metered(1, "3000")["meterValue"])),
    ]
    replies = await process.handle(*records)
    before = await process.kept(station, number)
    assert (before[1], [type(one) for one in before[2]]) == (
        5,
        [pb.TransactionStarted, *[pb.TransactionUpdated] * 3, pb.TransactionEnded],
    )
    for again in (records, records[1:2], [*records, *records]):
        assert [reply for reply in await process.handle(*again) if reply not in replies] == []
        assert await process.kept(station, number) == before


async def test_meter_values_that_change_nothing_are_announced_once(process: Process, station: str) -> None:
    number = await process.begin(station)
    first, second = (
        call(station, "MeterValues", voltage(number, 230)),
        call(station, "MeterValues", voltage(number, 230)),
    )
    more = call(station, "MeterValues", voltage(number, 230, 231))
    await process.handle(first)
    assert (await process.kept(station, number))[:2] == (3, 2)
    await process.handle(first, second, more)
    await process.handle(second, more)
    revision, samples, events = await process.kept(station, number)
    assert (revision, samples) == (4, 3)
    assert [len(one.meter_values) for one in events] == [0, 1, 1, 2]


@pytest.mark.parametrize("again", ["the same", "changed"])
async def test_two_processes_handle_the_same_meter_values(
    process: Process, rival: Process, station: str, again: str
) -> None:
    """A station moves to another process while the first is at it: one writes, the other looks again."""
    number = await process.begin(station)
    record = call(station, "MeterValues", voltage(number, 230))
    others = {"the same": [record], "changed": [record, call(station, "StopTransaction", stop(number))]}[again]
    process.store.hold()
    late = asyncio.create_task(process.handle(record))
    await process.store.decided.wait()
    await rival.handle(*others)
    before = await process.kept(station, number)
    process.store.go.set()
    with pytest.raises(Unavailable):
        await late
    await process.handle(record)
    assert await process.kept(station, number) == before
    assert before[1] == 2
    assert len(before[2]) == 2 + len(others)


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_reads_what_is_announced_once_and_in_order(
    process: Process, rival: Process, station: str, seed: int
) -> None:
    """Two processes read the same from the beginning, side by side, in batches of their own, parts of it again."""
    number = await process.begin(station)
    records = [
        call(station, "MeterValues", body)
        for n in range(10)
        for body in (
            metered(number, str(2000 + n), f"2026-03-01T11:{n:02}:00Z"),
            voltage(number, *range(n, n + 2)),
            metered(None, str(n)),
        )
    ]
    chance = random.Random(seed)

    async def read(process: Process) -> None:
        place = 0
        while place < len(records):
            batch = records[max(0, place - chance.randrange(3)) : place + chance.randrange(1, 8)]
            with contextlib.suppress(Unavailable):
                await process.handle(*batch)
                place = records.index(batch[-1]) + 1

    await asyncio.gather(read(process), read(rival))
    _, samples, events = await process.kept(station, number)
    values = [one.meter_values[0].readings[0].value for one in events[2:]]
    assert values == [float(n) for k in range(10) for n in (2000 + k, k, k)]
    assert samples == 1 + 10 + 20


async def test_everything_of_a_mixed_batch_is_one_transaction(process: Process, rival: Process, station: str) -> None:
    """Where the last of it cannot be written, nothing is; tried again, everything is, in the order of its calls."""
    number = await process.begin(station)
    process.office.connect(station)
    command = await process.command_service.accept(CommandRequest(station, "Reset", {}))
    result = Result(command_id=command.id, station_id=station, outcome=OUTCOME_ANSWERED, payload=b"{}", at=now())
    records = [
        call(station, "MeterValues", metered(None, "5")),
        call(station, "MeterValues", metered(number, "2000")),
        call(station, "ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"}, "2.0.1"),
        call(station, "StopTransaction", stop(0, idTag="other", transactionData=metered(1, "3000")["meterValue"])),
        call(station, "MeterValues", voltage(number, 230)),
        Record(RESULTS, station.encode(), result.SerializeToString()),
    ]
    process.store.hold()
    late = asyncio.create_task(process.handle(*records))
    await process.store.decided.wait()
    await rival.handle(call(station, "MeterValues", metered(number, "1500", "2026-03-01T10:15:00Z")))
    before = await everything(process, station, number, command.id)
    assert before[:4] == (0, 0, 0, Status.SENT)
    process.store.go.set()
    with pytest.raises(Unavailable):
        await late
    assert await everything(process, station, number, command.id) == before
    await process.handle(*records)
    *counts, (revision, samples, _) = await everything(process, station, number, command.id)
    assert (counts, revision, samples) == ([1, 2, 1, Status.ANSWERED], 4, 4)
    concluded, events = (await process.announced(station))[-2:]
    assert [type(one) for one in concluded] == [pb.CommandChanged]
    assert [type(one) for one in events] == [
        *(pb.MeterValuesRecorded, pb.TransactionUpdated, pb.MessageRecorded),
        *(pb.OrphanStopRecorded, pb.MeterValuesRecorded, pb.TransactionUpdated),
    ]
    await process.handle(*records)
    assert (await process.announced(station))[-1] == events


async def everything(process: Process, station: str, number: int, command_id: str) -> tuple[Any, ...]:
    """How many orphans, station samples, and messages a station has; the command; and kept()."""
    tables = ("orphan_stop", "station_sample", "recorded_message")
    async with process.database.connection() as db:
        counts = [await db.fetchval(f"select count(*) from {table} where station_id = $1", station) for table in tables]
    command = await process.command_service.get(command_id)
    return *counts, command and command.status, await process.kept(station, number)
