"""What takes the place of a service reads what it reads and answers what waits for an answer."""

from datetime import UTC, datetime

from services.common.calls.replies import Replies
from services.common.kafka.bus import Record
from services.common.testing.memory import MemoryBus
from voltbus.lab.bench.echo import Echo, Settings, build, read_by
from voltbus.v1.bus_pb2 import Call, Outbound

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def call(action: str, answered: bool = False) -> Record:
    body = Call(id=f"c.{action}", station_id="CP1", connection_id="c", slot=3, message_id="17", action=action)
    body.version, body.payload, body.answered = "1.6", b"{}", answered
    return Record("calls", b"CP1", body.SerializeToString())


async def test_answers_to_the_slot_of_the_connection() -> None:
    echo = Echo("calls", Replies("outbound"), lambda: NOW)
    (record,) = await echo.handle([call("StartTransaction"), call("MeterValues", answered=True)])
    outbound = Outbound.FromString(record.value or b"")
    assert (record.topic, record.partition, outbound.connection_id) == ("outbound", 3, "c")
    assert outbound.reply.message_id == "17"
    assert b'"Accepted"' in outbound.reply.payload


async def test_refuses_what_it_does_not_know_and_leaves_other_records_alone() -> None:
    echo = Echo("calls", Replies("outbound"), lambda: NOW)
    (record,) = await echo.handle([call("DataTransfer"), Record("results", b"CP1", b"\xff")])
    assert Outbound.FromString(record.value or b"").reply.refusal.code == "NotSupported"


def test_reads_all_that_the_service_reads() -> None:
    assert {topic.name for topic in read_by("transactions")} == {"ocpp.calls.transactions", "ocpp.results.transactions"}
    expected = {"ocpp.calls.firmware", "ocpp.connections", "ocpp.results.firmware"}
    assert {topic.name for topic in read_by("firmware")} == expected


def test_serves_where_the_service_does() -> None:
    settings = Settings(transactions_port=1234)
    assert build("transactions", settings, MemoryBus(), lambda: NOW).port == 1234
