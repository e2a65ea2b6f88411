"""What is traced, and what it costs where nothing is; how spans leave, and what becomes of those that cannot."""

import asyncio
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace.export import SpanExportResult
from prometheus_client import REGISTRY

from services.common.process import otlp
from services.common.process.errors import Misconfigured
from services.common.process.otlp import OtlpSpans
from services.common.process.settings import CommonSettings
from services.common.process.tracing import TRACED, Traced, Tracing
from services.ocpp.services import SERVICES
from tests.clients.collector import Collector, collecting
from tests.clients.spans import MemorySpans
from tests.patience import GIVE_UP
from voltbus.local.ports import free_ports

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as one:
        yield one


def spans(url: str, **settings: Any) -> OtlpSpans:
    return OtlpSpans(CommonSettings(traces=1, traces_endpoint=url, **settings), "gateway")


def tell(sending: OtlpSpans, name: str = "a") -> None:
    span = sending.start(name, "server", {})
    assert span is not None
    span.end()


def lost() -> float:
    return REGISTRY.get_sample_value("voltbus_spans_total", {"outcome": "lost"}) or 0


async def until(condition: Any) -> None:
    async with asyncio.timeout(GIVE_UP):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_an_untraced_process_loads_nothing_for_traces() -> None:
    # As a process begins: see __main__ of each.
    apps = ", ".join(f"services.{name}.app" for name in (*SERVICES, "gateway"))
    script = f"""
import sys
import services.common.process.collector
import {apps}
from services.common.process.settings import CommonSettings
from services.common.process.tracing import Tracing
assert Tracing.of(CommonSettings(), "auth") is None
heavy = "opentelemetry.sdk", "opentelemetry.exporter", "requests", "urllib3"
print([name for name in heavy if sys.modules.get(name)])
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_the_share_says_what_begins() -> None:
    told = iter([0.0, 0.099, 0.1, 0.9])
    tracing = Tracing(MemorySpans(), 0.1, lambda: next(told))
    assert [tracing.chosen() for _ in range(4)] == [True, True, False, False]
    assert not Tracing(MemorySpans(), 0).chosen()
    assert Tracing(MemorySpans(), 1).chosen()


def test_what_goes_on_follows_what_began_whatever_the_share() -> None:
    none, everything = MemorySpans().tracing(0), MemorySpans().tracing(1)
    assert none.begin("a", "server", {}, f"{CALLER}-01") is not None
    assert none.begin("a", "server", {}, None) is None
    assert everything.begin("a", "server", {}, f"{CALLER}-00") is None
    assert everything.begin("a", "server", {}, None) is not None


def test_a_span_is_found_by_its_names_or_is_that_of_all() -> None:
    made = MemorySpans()
    one, whole = made.start("a", "server", {}), made.start("b", "server", {})
    assert one is not None
    traced = Traced()
    traced.name(one, "x", ("y", 1))
    assert (traced.find("x"), traced.find("z", ("y", 1)), traced.find("z")) == (one, one, None)
    assert Traced(whole).find("x") is whole


async def test_spans_reach_the_collector_with_who_sends_them(collector: Collector) -> None:
    sending = spans(collector.url, instance=3, traces_headers="authorization=Bearer abc=,x-tenant=voltbus")
    begun = sending.start("frame BootNotification", "server", {"voltbus.station.id": "CP1"}, 10.5)
    assert begun is not None
    part = sending.start("decide BootNotification", "consumer", {}, None, begun.traceparent)
    assert part is not None
    part.fail("TypeError")
    part.end()
    begun.end(12.25)
    begun.end(99)
    await sending.close()
    second, first = collector.spans()
    assert (first.process, first.name, first.parent, first.attributes) == (
        "voltbus-gateway",
        "frame BootNotification",
        "",
        {"voltbus.station.id": "CP1"},
    )
    assert (first.begins, first.ends, first.failed) == (10_500_000_000, 12_250_000_000, False)
    assert (second.trace_id, second.parent, second.failed) == (first.trace_id, first.id, True)
    assert begun.traceparent == f"00-{first.trace_id}-{first.id}-01"
    assert begun.trace_id == first.trace_id
    [fields] = collector.fields
    assert (fields["authorization"], fields["x-tenant"]) == ("Bearer abc=", "voltbus")


@pytest.mark.parametrize("told", ["", "nonsense", f"{CALLER}-00", f"00-{'0' * 32}-b7ad6b7169203331-01", "é"])
async def test_what_is_not_traced_or_no_traceparent_begins_nothing(collector: Collector, told: str) -> None:
    sending = spans(collector.url)
    assert sending.start("a", "server", {}, None, told) is None
    await sending.close()
    assert collector.bodies == []


async def test_a_caller_is_followed(collector: Collector) -> None:
    sending = spans(collector.url)
    span = sending.start("a", "server", {}, None, f"{CALLER}-01")
    assert span is not None
    span.end()
    await sending.close()
    [told] = collector.spans()
    assert (told.trace_id, told.parent) == tuple(CALLER.split("-")[1:3])


async def test_standard_variables_say_where_to_what_settings_do_not(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=standard")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    sending = OtlpSpans(CommonSettings(traces=1), "auth")
    tell(sending)
    await sending.close()
    assert len(collector.spans()) == 1
    assert collector.fields[0]["x-tenant"] == "standard"


async def test_spans_that_a_collector_does_not_take_are_counted_and_said_once(collector: Collector) -> None:
    collector.status = 400
    before = lost()
    sending = spans(collector.url, traces_headers="authorization=Bearer top-secret")
    with structlog.testing.capture_logs() as lines:
        for number in range(1, 4):
            tell(sending)
            await until(lambda number=number: lost() == before + number)
        collector.status = 200
        tell(sending, "b")
        await until(lambda: len(lines) == 2)
    await sending.close()
    assert [line["event"] for line in lines] == ["spans are lost", "spans are sent again"]
    assert "400" in lines[0]["reason"]
    assert "top-secret" not in str(lines)
    assert [span.name for span in collector.spans()] == ["b"]


async def test_a_collector_that_is_away_is_said_with_the_reason() -> None:
    before = lost()
    sending = spans(f"http://127.0.0.1:{free_ports(1)[0]}")
    with structlog.testing.capture_logs() as lines:
        tell(sending)
        await sending.close()
        await until(lambda: lost() == before + 1)
    [line] = lines
    assert "refused" in line["reason"]


async def test_a_collector_that_hangs_holds_up_nobody_and_costs_spans(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "MOST_WAITING", 20)
    monkeypatch.setattr(otlp, "BATCH", 10)
    before = lost()
    collector.free.clear()
    sending = spans(collector.url)
    with structlog.testing.capture_logs() as lines:
        for _ in range(100):
            tell(sending)
        # Twenty wait; as many as a batch may be under way.
        assert lost() - before >= 70
        collector.free.set()
        await sending.close()
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["spans are lost"]
    await until(lambda: len(collector.spans()) == 100 - (lost() - before))


async def test_why_is_said_where_they_were_too_many_before(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "MOST_WAITING", 20)
    monkeypatch.setattr(otlp, "BATCH", 10)
    collector.free.clear()
    collector.status = 400
    sending = spans(collector.url)
    with structlog.testing.capture_logs() as lines:
        for _ in range(100):
            tell(sending)
        collector.free.set()
        await until(lambda: len(lines) == 2)
        await sending.close()
    assert lines[0]["reason"] == otlp.TOO_MANY
    assert "400" in lines[1]["reason"]
    assert len(lines) == 2


class Retrying:
    """An exporter that says why it tries again, and does not come back until it is free."""

    def __init__(self) -> None:
        self.trying, self.free = threading.Event(), threading.Event()

    def export(self, _: object) -> SpanExportResult:
        logging.getLogger("opentelemetry.exporter").warning("Transient error 503, retrying")
        self.trying.set()
        self.free.wait()
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None: ...


async def test_why_is_said_while_the_exporter_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "MOST_WAITING", 1)
    monkeypatch.setattr(otlp, "BATCH", 1)
    exporter, about = Retrying(), {"service": "auth", "instance": 2, "version": "1"}
    sender = otlp.Sender(exporter, about)
    with structlog.testing.capture_logs() as lines:
        sender.on_end("a")
        await until(exporter.trying.is_set)
        sender.on_end("b")
        sender.on_end("c")
        exporter.free.set()
        await until(lambda: len(lines) == 2)
        sender.shutdown()
    assert [line["event"] for line in lines] == ["spans are lost", "spans are sent again"]
    assert lines[0]["reason"] == "Transient error 503, retrying"
    assert all(about.items() <= line.items() for line in lines)


async def test_the_end_of_a_process_waits_for_no_collector(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "LAST_WORDS", 0.01)
    collector.free.clear()
    sending = spans(collector.url)
    tell(sending)
    await sending.close()
    assert collector.bodies == []


def test_a_line_of_the_log_has_the_id_of_its_trace() -> None:
    script = """
import structlog
from opentelemetry.sdk.trace.export import SpanExportResult
from services.common.process import logs
from services.common.process.tracing import TRACED, Traced
from tests.clients.spans import MemorySpans
logs.configure("auth", "info", 2)
log, spans = structlog.get_logger(), MemorySpans()
log.info("before")
TRACED.set(Traced(spans.start("request", "server", {})))
log.info("within")
batch = Traced()
batch.name(spans.start("decide", "consumer", {}), ("message", "CP1", "m1"))
TRACED.set(batch)
log.info("of one", station_id="CP1", message_id="m1")
log.info("of another", station_id="CP2", message_id="m1")
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    ids = re.findall(r'"trace_id": ?"([0-9a-f]{32})"', result.stdout)
    lines = result.stdout.splitlines()
    assert ["trace_id" in line for line in lines] == [False, True, True, False]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("TRACES", "1.5"),
        ("TRACES", "-0.1"),
        ("TRACES", "on"),
        ("TRACES_ENDPOINT", "collector:4318"),
        ("TRACES_HEADERS", "Bearer s3cret"),
        ("TRACES_HEADERS", "authorization=s3cret\r\nx: y"),
    ],
)
def test_a_wrong_setting_is_named_and_not_repeated(setting: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"VOLTBUS_{setting}", value)
    with pytest.raises(Misconfigured, match=f"^VOLTBUS_{setting}: ") as error:
        CommonSettings.read()
    assert "s3cret" not in str(error.value)


def test_nothing_is_traced_by_default() -> None:
    assert CommonSettings().traces is None
    assert TRACED.get() is None
