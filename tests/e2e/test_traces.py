"""One trace of a frame, and of a command: through gateway, Kafka, service and back."""

from collections.abc import Sequence
from typing import Any

from tests.clients.collector import Collected, Collector
from tests.clients.system import System, eventually
from tests.e2e.conftest import Connect, Known

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
ACCEPTS = {"RemoteStartTransaction": {"status": "Accepted"}}
REQUEST = "POST /v1/stations/{station_id}/start"
SEND, CALL, CONCLUDE = (f"{what} RemoteStartTransaction" for what in ("send", "call", "conclude"))
Tree = set[tuple[str, str, str]]


def tree(spans: Sequence[Collected]) -> Tree:
    """Process and name of each span, and the name of what it is a part of."""
    names = {span.id: span.name for span in spans}
    return {(span.process.removeprefix("voltbus-"), span.name, names.get(span.parent, span.parent)) for span in spans}


def of_command(caller: str = "") -> Tree:
    """What a command by REST leads to, up to those who read its events."""
    read = {
        (reader, "handle CommandChanged", begun)
        for reader in ("smartcharging", "firmware")
        for begun in (REQUEST, CONCLUDE)
    }
    return read | {
        ("transactions", REQUEST, caller),
        ("transactions", SEND, REQUEST),
        ("gateway", CALL, SEND),
        ("transactions", CONCLUDE, CALL),
    }


async def collected(collector: Collector, name: str, value: Any, wanted: Tree) -> list[Collected]:
    """The spans of the traces in which one has that attribute, once they are those."""

    async def found() -> list[Collected]:
        return collector.of(name, value)

    return await eventually(found, lambda spans: tree(spans) == wanted)


async def test_a_frame_and_its_answer_are_one_trace(
    voltbus: System, known: Known, connect: Connect, collector: Collector, id_token: str
) -> None:
    station = await connect("ocpp1.6")
    asked = {"connectorId": 1, "idTag": id_token, "meterStart": 0, "timestamp": "2026-03-01T12:00:00Z"}
    answer = await station.call("StartTransaction", asked)
    assert answer["idTagInfo"]["status"] == "Accepted"
    [event] = await voltbus.feed.until(lambda: voltbus.feed.of(known.id, "TransactionStarted"))
    decided = "decide StartTransaction"
    spans = await collected(
        collector,
        "voltbus.station.id",
        known.id,
        {
            ("gateway", "frame StartTransaction", ""),
            ("transactions", decided, "frame StartTransaction"),
            ("smartcharging", "handle TransactionStarted", decided),
            ("firmware", "handle TransactionStarted", decided),
        },
    )
    frame, decide, *_ = spans
    assert frame.trace_id == decide.trace_id
    assert frame.begins <= decide.begins
    assert not frame.failed
    assert frame.attributes["voltbus.message.id"] == decide.attributes["voltbus.message.id"]
    # What was decided goes by the outbox, and keeps its trace.
    assert event.headers["traceparent"] == f"00-{decide.trace_id}-{decide.id}-01"
    assert id_token not in str(spans)


async def test_a_command_by_rest_is_one_trace_and_a_part_of_its_callers(
    voltbus: System, known: Known, connect: Connect, collector: Collector
) -> None:
    await connect("ocpp1.6", answers=ACCEPTS)
    asked = await voltbus.ask(
        "POST",
        "transactions",
        f"/v1/stations/{known.id}/start?wait=60",
        json={"id_token": "TAG", "type": "ISO14443", "evse_id": 1},
        headers={"traceparent": f"{CALLER}-01"},
    )
    assert asked.json()["status"] == "answered"
    command_id = asked.json()["command_id"]
    spans = await collected(collector, "voltbus.command.id", command_id, of_command(CALLER.split("-")[2]))
    assert {span.trace_id for span in spans} == {CALLER.split("-")[1]}
    by_name = {span.name: span for span in spans}
    assert by_name[CALL].attributes["voltbus.outcome"] == "OUTCOME_ANSWERED"
    told = await voltbus.life(known.id, command_id, "answered")
    parents = [step.headers["traceparent"].split("-")[2] for step in told]
    assert parents == [by_name[REQUEST].id, by_name[REQUEST].id, by_name[CONCLUDE].id]


async def test_a_command_that_waits_goes_on_with_its_trace_when_its_station_comes(
    voltbus: System, known: Known, connect: Connect, collector: Collector
) -> None:
    asked = await voltbus.ask(
        "POST",
        "transactions",
        f"/v1/stations/{known.id}/start",
        json={"id_token": "TAG", "type": "ISO14443", "evse_id": 1},
    )
    await connect("ocpp1.6", answers=ACCEPTS)
    command_id = asked.json()["command_id"]
    await voltbus.life(known.id, command_id, "answered")
    await collected(collector, "voltbus.command.id", command_id, of_command())


async def test_what_its_caller_does_not_trace_is_not_traced(voltbus: System, collector: Collector) -> None:
    untraced, traced = (f"{number:032x}" for number in (0xA, 0xB))
    for trace_id, flags in ((untraced, "00"), (traced, "01")):
        headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-{flags}"}
        await voltbus.ask("GET", "auth", "/v1/locations/nowhere", headers=headers)

    async def trace_ids() -> set[str]:
        return {span.trace_id for span in collector.spans()}

    assert untraced not in await eventually(trace_ids, lambda found: traced in found)
