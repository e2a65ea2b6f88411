"""What of a connection is traced: a CALL until its answer is written, a command until its outcome is known."""

from collections.abc import AsyncIterator, Sequence

import pytest
import structlog
from websockets.asyncio.client import ClientConnection

from services.common.kafka.bus import Record
from tests.clients.spans import MemorySpan, MemorySpans
from tests.unit.gateway.examples import ACCEPTED, authorize, call, command, refusal, status
from tests.unit.gateway.running import QUICK, Running, ask, read, running, until
from voltbus.v1.bus_pb2 import Outbound

CALLER = f"00-{'c' * 32}-{'d' * 16}"
TRACED = (("traceparent", f"{CALLER}-01".encode()),)


@pytest.fixture
def spans() -> MemorySpans:
    return MemorySpans()


@pytest.fixture
async def one(spans: MemorySpans) -> AsyncIterator[Running]:
    async with running(tracing=spans.tracing()) as started:
        yield started


@pytest.fixture
async def socket(one: Running) -> AsyncIterator[ClientConnection]:
    async with await one.connect() as connected:
        yield connected


def traceparents(records: Sequence[Record]) -> list[str]:
    return [value.decode() for record in records for name, value in record.headers if name == "traceparent"]


async def ended(spans: MemorySpans, count: int = 1) -> MemorySpan:
    """The newest, once so many have ended, each once."""
    await until(lambda: sum(bool(span.ends) for span in spans.all) >= count)
    assert all(len(span.ends) <= 1 for span in spans.all)
    return spans.all[count - 1]


async def test_a_call_is_traced_until_its_answer_is_written(
    one: Running, socket: ClientConnection, spans: MemorySpans
) -> None:
    await socket.send(authorize("1.6").decode())
    record = await one.call("auth")
    [span] = spans.all
    assert not span.ends
    await one.reply(record, ACCEPTED["1.6"])
    assert read(await socket.recv()) == [3, "auth", ACCEPTED["1.6"]]
    await ended(spans)
    assert traceparents(one.bus.all("ocpp.calls.auth")) == [span.traceparent]
    assert (span.name, span.kind, span.parent, span.failure) == ("frame Authorize", "server", "", "")
    assert span.attributes == {
        "voltbus.station.id": "CP1",
        "voltbus.message.id": "auth",
        "voltbus.ocpp.action": "Authorize",
        "voltbus.ocpp.version": "1.6",
    }
    assert span.at == pytest.approx(record.received_at.ToNanoseconds() / 1e9, abs=1e-6)


async def test_a_notification_until_kafka_has_it_and_it_is_acknowledged(
    one: Running, socket: ClientConnection, spans: MemorySpans
) -> None:
    one.bus.held = True
    await socket.send(status("1.6").decode())
    await until(lambda: one.bus.owed)
    assert not spans.all[0].ends
    one.bus.release()
    await socket.recv()
    assert (await ended(spans)).failure == ""


async def test_a_heartbeat_has_its_answer_already(socket: ClientConnection, spans: MemorySpans) -> None:
    await ask(socket, call("hb", "Heartbeat", {}))
    assert (await ended(spans)).name == "frame Heartbeat"


async def test_each_of_several_calls_has_its_own(one: Running, socket: ClientConnection, spans: MemorySpans) -> None:
    for number in range(3):
        await socket.send(authorize("1.6", f"m{number}").decode())
    for number in range(3):
        await one.reply(await one.call("auth", number + 1), ACCEPTED["1.6"])
        await socket.recv()
        await ended(spans, number + 1)
    assert [span.attributes["voltbus.message.id"] for span in spans.all] == ["m0", "m1", "m2"]
    assert len({span.trace_id for span in spans.all}) == 3


async def test_a_refusal_is_an_answer_that_failed(one: Running, socket: ClientConnection, spans: MemorySpans) -> None:
    await socket.send(authorize("1.6").decode())
    came = await one.call("auth")
    refused = Outbound(connection_id=came.connection_id, reply=refusal("auth", "InternalError"))
    await one.outbound(refused, came.slot)
    assert read(await socket.recv())[0] == 4
    assert (await ended(spans)).failure == "CALLERROR"


async def test_what_nobody_answers_fails_and_its_line_in_the_log_names_the_trace(spans: MemorySpans) -> None:
    async with running(timing=QUICK, call_timeout=0.1, tracing=spans.tracing()) as one, await one.connect() as socket:
        with structlog.testing.capture_logs() as lines:
            await socket.send(authorize("1.6").decode())
            span = await ended(spans)
        assert span.failure == "unanswered"
        [dropped] = [line for line in lines if line["event"] == "dropped"]
        assert dropped["trace_id"] == span.trace_id
        # The late answer, and the next CALL, are none of it.
        await one.reply(await one.call("auth"), ACCEPTED["1.6"])
        await socket.send(authorize("1.6", "again").decode())
        await one.call("auth", 2)
        assert spans.all[1].parent == ""


async def test_a_connection_that_closes_ends_what_has_no_answer(
    one: Running, socket: ClientConnection, spans: MemorySpans
) -> None:
    await socket.send(authorize("1.6").decode())
    await socket.send(authorize("1.6", "queued").decode())
    await one.call("auth")
    await socket.close()
    await one.call("auth", 2)
    await ended(spans, 2)
    assert [span.failure for span in spans.all] == ["the connection was closed"] * 2


async def test_a_command_is_traced_until_its_outcome_is_known(
    one: Running, socket: ClientConnection, spans: MemorySpans
) -> None:
    connection_id = one.connection().peer.connection_id
    await one.command(command(expires=2e9), connection_id, TRACED)
    await socket.recv()
    [span] = spans.all
    assert not span.ends
    await socket.send('[3,"c1",{"status":"Accepted"}]')
    await one.result()
    assert (span.name, span.kind, span.trace_id, span.parent) == ("call ClearCache", "client", "c" * 32, "d" * 16)
    assert (span.notes, span.failure, span.attributes["voltbus.outcome"]) == (["sent"], "", "OUTCOME_ANSWERED")
    assert (span.attributes["voltbus.command.id"], len(span.ends)) == ("c1", 1)
    assert traceparents(one.bus.all("ocpp.results.auth")) == [span.traceparent]


async def test_a_command_that_nobody_answers(spans: MemorySpans) -> None:
    tracing = spans.tracing()
    async with running(timing=QUICK, command_timeout=0.1, tracing=tracing) as one, await one.connect() as socket:
        await one.command(command(expires=2e9), one.connection().peer.connection_id, TRACED)
        await one.result()
        assert spans.all[0].failure == "OUTCOME_TIMED_OUT"
        await socket.recv()
        # What comes after that is told without a trace, which has ended.
        await socket.send('[3,"c1",{"status":"Accepted"}]')
        await one.result(count=2)
        assert len(traceparents(one.bus.all("ocpp.results.auth"))) == 1


async def test_a_command_whose_connection_closes(one: Running, socket: ClientConnection, spans: MemorySpans) -> None:
    await one.command(command(expires=2e9), one.connection().peer.connection_id, TRACED)
    await one.command(command("c2", expires=2e9), one.connection().peer.connection_id, TRACED)
    await socket.recv()
    await socket.close()
    await one.result(count=2)
    assert [(span.failure, span.notes) for span in spans.all] == [
        ("OUTCOME_TIMED_OUT", ["sent"]),
        ("OUTCOME_UNDELIVERED", []),
    ]


async def test_a_command_for_a_connection_that_is_gone_keeps_its_trace(one: Running, spans: MemorySpans) -> None:
    await one.command(command(expires=2e9), f"{one.gateway.nonce}-9", TRACED)
    await one.result()
    assert spans.all == []
    assert traceparents(one.bus.all("ocpp.results.auth")) == [f"{CALLER}-01"]


@pytest.mark.parametrize("headers", [(), (("traceparent", f"{CALLER}-00".encode()),), (("other", b"x"),)])
async def test_a_command_that_is_not_traced(
    one: Running, socket: ClientConnection, spans: MemorySpans, headers: tuple[tuple[str, bytes], ...]
) -> None:
    await one.command(command(expires=2e9), one.connection().peer.connection_id, headers)
    await socket.recv()
    await socket.send('[3,"c1",{"status":"Accepted"}]')
    await one.result()
    assert spans.all == []
    assert traceparents(one.bus.all("ocpp.results.auth")) == []


async def test_a_command_with_the_id_of_a_message_is_not_taken_for_it(
    one: Running, socket: ClientConnection, spans: MemorySpans
) -> None:
    await socket.send(authorize("1.6", "c1").decode())
    record = await one.call("auth")
    await one.command(command(expires=2e9), one.connection().peer.connection_id, TRACED)
    await socket.recv()
    assert [span.notes for span in spans.all] == [[], ["sent"]]
    await one.reply(record, ACCEPTED["1.6"])
    await socket.recv()
    await ended(spans)
    assert not spans.all[1].ends


@pytest.mark.parametrize("share", [0, None])
async def test_what_is_not_chosen_has_no_header(spans: MemorySpans, share: float | None) -> None:
    tracing = None if share is None else spans.tracing(share)
    async with running(tracing=tracing) as one, await one.connect() as socket:
        await ask(socket, call("hb", "Heartbeat", {}))
        await socket.send(status("1.6").decode())
        await socket.recv()
        records = [*one.bus.all("ocpp.calls.firmware"), *one.bus.all("ocpp.connections")]
        assert records
        assert [record.headers for record in records] == [()] * len(records)
        assert spans.all == []
