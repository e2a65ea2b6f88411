"""Traces across Kafka: a span for each record of a batch that is traced; what comes of a record goes on with it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest

from services.common.calls.batch import BatchShell
from services.common.calls.dialects import Dialect, Dialects
from services.common.kafka import traced
from services.common.kafka.bus import Record
from services.common.kafka.consumer import Consumer, ConsumerTiming
from services.common.kafka.events import Events
from services.common.kafka.lanes import MAX_BATCH
from services.common.kafka.traced import traceparent_of
from services.common.process.backoff import Backoff
from services.common.process.errors import Unavailable, Unprocessable
from services.common.process.settings import CommonSettings
from services.common.process.tracing import TRACED
from services.common.testing.assignments import unassigned
from services.common.testing.memory import MemoryBus
from services.ocpp.topics import Topics
from tests.clients.spans import MemorySpans
from tests.patience import GIVE_UP
from voltbus.v1.bus_pb2 import Call as CallRecord
from voltbus.v1.events_pb2 import AuthorizationDecided

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TOPICS = Topics.of(CommonSettings(), "auth")
EVENTS = Events(CommonSettings(), "auth", unassigned)
CALLER = f"00-{'c' * 32}-{'d' * 16}"
Handler = Callable[[Sequence[Record]], Awaitable[Sequence[Record]]]


def record(id_: str, station_id: str = "CP1", flags: str | None = "01", value: bytes | None = None) -> Record:
    """A call; flags: of its traceparent, if it has one."""
    call = CallRecord(id=id_, station_id=station_id, message_id=f"m{id_}", version="1.6", action="Authorize")
    headers = (("traceparent", f"{CALLER}-{flags}".encode()),) if flags else ()
    return Record(TOPICS.calls, station_id.encode(), value or call.SerializeToString(), headers)


def event(cause: str, station_id: str = "CP1") -> Record:
    return EVENTS.record(AuthorizationDecided(station_id=station_id), station_id, cause, NOW)


def shell() -> BatchShell[str]:
    dialect: Dialect[str] = Dialect({"Authorize": lambda _: "authorize"}, {str: lambda _: {}})
    results: object = None
    return BatchShell(dialects=Dialects({"1.6": dialect}), topics=TOPICS, results=results, clock=lambda: NOW)  # type: ignore[arg-type]


async def handled(handle: Handler, spans: MemorySpans, records: Sequence[Record]) -> MemoryBus:
    """Has a consumer handle records until all is committed."""
    bus = MemoryBus(1)
    consumer = Consumer(
        bus,
        "auth",
        [TOPICS.calls],
        handle=handle,
        dead_topic=TOPICS.dead,
        clock=lambda: NOW,
        timing=ConsumerTiming(backoff=Backoff(0.001, 0.001)),
        tracing=spans.tracing(0),
    )
    await bus.publish(records)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(GIVE_UP):
        while bus.committed["auth", (TOPICS.calls, 0)] < len(records):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await consumer.stop()
        await running
    return bus


async def announced(records: Sequence[Record]) -> Sequence[Record]:
    """Reads calls as services do; an event of each."""
    read = shell().read(records)
    return [event(call.id, call.station_id) for call, _ in read.calls]


async def test_a_record_that_is_traced_has_a_span_from_the_beginning_of_its_batch_to_its_end() -> None:
    spans = MemorySpans()

    async def handle(records: Sequence[Record]) -> Sequence[Record]:
        replies = await announced(records)
        assert [span.ends for span in spans.all] == [[]]
        return replies

    await handled(handle, spans, [record("a")])
    [span] = spans.all
    assert (span.name, span.kind, span.trace_id, span.parent) == ("decide Authorize", "consumer", "c" * 32, "d" * 16)
    assert len(span.ends) == 1
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.destination.name": "ocpp.calls.auth",
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
        "messaging.consumer.group.name": "auth",
        "voltbus.station.id": "CP1",
        "voltbus.message.id": "ma",
        "voltbus.ocpp.action": "Authorize",
        "voltbus.ocpp.version": "1.6",
    }


async def test_events_go_on_with_the_call_that_caused_them_and_no_other() -> None:
    spans = MemorySpans()
    batch = [record("a"), record("b", flags=None), record("c", "CP2"), record("d", "CP3", flags="00"), record("e")]
    bus = await handled(announced, spans, batch)
    first, second, third = spans.all
    told = [traceparent_of(one) for one in bus.all("events.auth")]
    assert told == [first.traceparent, None, second.traceparent, None, third.traceparent]


async def test_an_event_with_another_cause_goes_on_with_the_only_record_of_its_station() -> None:
    spans = MemorySpans()

    async def handle(records: Sequence[Record]) -> Sequence[Record]:
        await announced(records)
        return [event("17/2", station_id) for station_id in ("CP1", "CP2", "CP3")]

    bus = await handled(handle, spans, [record("a"), record("b", flags=None), record("c", "CP2")])
    told = [traceparent_of(one) for one in bus.all("events.auth")]
    assert told == [None, spans.all[1].traceparent, None]


async def test_what_is_tried_again_is_one_span() -> None:
    spans, failures = MemorySpans(), iter([True, True, False])

    async def handle(records: Sequence[Record]) -> Sequence[Record]:
        if next(failures):
            raise Unavailable("Postgres")
        return await announced(records)

    await handled(handle, spans, [record("a")])
    [span] = spans.all
    assert (len(span.ends), span.failure) == (1, "")


async def test_what_is_put_aside_fails_and_keeps_its_trace() -> None:
    spans = MemorySpans()

    async def handle(records: Sequence[Record]) -> Sequence[Record]:
        if any(one.value == b"poison" for one in records):
            raise Unprocessable("the text of an error may be a secret")
        return await announced(records)

    bus = await handled(handle, spans, [record("a"), record("b", "CP2", value=b"poison")])
    assert [span.failure for span in spans.all] == ["", "Unprocessable"]
    assert [len(span.ends) for span in spans.all] == [1, 1]
    [letter] = bus.all(TOPICS.dead)
    assert traceparent_of(letter) == f"{CALLER}-01"


async def test_a_call_that_cannot_be_read_fails() -> None:
    spans, made = MemorySpans(), shell()

    async def handle(records: Sequence[Record]) -> Sequence[Record]:
        return made.read(records).dead

    await handled(handle, spans, [record("a", value=b"\xff")])
    assert [span.failure for span in spans.all] == ["Unprocessable"]


async def test_a_batch_knows_nothing_of_the_one_whose_end_began_it() -> None:
    spans, seen = MemorySpans(), list[str | None]()

    async def handle(_: Sequence[Record]) -> Sequence[Record]:
        seen.append(traceparent_of(event("of none")))
        return ()

    # Together they are more than a batch takes: the second is begun when the first is handled.
    half = b"x" * (MAX_BATCH * 2 // 3)
    await handled(handle, spans, [record("a", value=half), record("b", flags=None, value=half)])
    assert seen == [spans.all[0].traceparent, None]


async def test_nothing_is_left_of_it_outside() -> None:
    await handled(announced, MemorySpans(), [record("a")])
    assert TRACED.get() is None
    assert traceparent_of(event("a")) is None


@pytest.mark.parametrize("told", [b"", b"\xff\xfe", b"00"])
def test_a_header_of_any_bytes_is_read(told: bytes) -> None:
    assert traceparent_of(Record("t", b"k", b"v", (("other", b"1"), ("traceparent", told)))) is not None


def test_outside_of_a_batch_nothing_is_described() -> None:
    traced.describe(record("a"), "a", "decide", {})
    traced.fail(record("a"), ValueError())
    assert traced.headers_of(None) == ()
