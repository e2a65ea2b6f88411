"""Spans by the SDK of OpenTelemetry, sent by OTLP over HTTP. Only this module knows it; imported where traces are on.

They are sent by a thread of its own, a batch at a time. What a collector does not take in time is lost, and counted.
"""

import asyncio
import logging
import socket
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, cast

if sys.modules.get("opentelemetry.sdk", sys) is None:
    del sys.modules["opentelemetry.sdk"]

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.common.process import metrics
from services.common.process.settings import CommonSettings
from services.common.process.tracing import TRACEPARENT, Attributes, Kind, Span, Spans

# Spans that wait: with as many, no more are taken. One is 2 KB.
MOST_WAITING = 4096
# Spans in a request, and the seconds that fewer wait for more.
BATCH, DELAY = 512, 1.0
LONGEST_REASON = 300
TOO_MANY = "there are more than the collector takes"
# Seconds that the end of a process may wait for a collector.
LAST_WORDS = 2.0
KINDS: Mapping[Kind, Any] = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
PROPAGATOR = TraceContextTextMapPropagator()

log = structlog.get_logger()


class OtlpSpans(Spans):
    """process: its name. settings: where spans go; what they do not say, OTEL_EXPORTER_OTLP_… do."""

    def __init__(self, settings: CommonSettings, process: str) -> None:
        about = {"service": process, "instance": settings.instance, "version": version("voltbus")}
        resource = Resource.create(
            {
                "service.namespace": "voltbus",
                "service.name": f"voltbus-{process}",
                "service.version": version("voltbus"),
                "service.instance.id": f"{socket.gethostname()}/{settings.instance}",
            }
        )
        endpoint = settings.traces_endpoint and f"{settings.traces_endpoint.rstrip('/')}/v1/traces"
        exporter = OTLPSpanExporter(endpoint=endpoint, headers=settings.traces_header_fields)
        # What is traced is decided before a span begins.
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(cast(Any, Sender(exporter, about)))
        self._tracer = self._provider.get_tracer("voltbus", version("voltbus"))

    def start(
        self, name: str, kind: Kind, attributes: Attributes, at: float | None = None, traceparent: str | None = None
    ) -> Span | None:
        context = Context()
        if traceparent is not None:
            context = PROPAGATOR.extract({TRACEPARENT: traceparent}, context)
            if not get_current_span(context).get_span_context().trace_flags.sampled:
                return None
        return OtlpSpan(
            self._tracer.start_span(
                name, context, KINDS[kind], attributes=dict(attributes), start_time=_nanoseconds(at)
            )
        )

    async def close(self) -> None:
        await asyncio.to_thread(self._provider.shutdown)


class OtlpSpan(Span):
    """span: of the SDK."""

    __slots__ = ("_span", "trace_id", "traceparent")

    def __init__(self, span: Any) -> None:
        self._span, context = span, span.get_span_context()
        self.trace_id = f"{context.trace_id:032x}"
        self.traceparent = f"00-{self.trace_id}-{context.span_id:016x}-01"

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def note(self, what: str, at: float | None = None) -> None:
        self._span.add_event(what, timestamp=_nanoseconds(at))

    def fail(self, why: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, why))

    def end(self, at: float | None = None) -> None:
        if self._span.is_recording():
            self._span.end(_nanoseconds(at))


class Sender:
    """A processor of spans, with a thread that hands them to an exporter. What is lost is counted, and said once.

    about: the process, as its log has it: the thread begins before that knows.
    """

    def __init__(self, exporter: Any, about: Mapping[str, object]) -> None:
        self._exporter, self._waiting, self._said = exporter, deque[Any](), Said()
        self._due, self._closing, self._about = threading.Event(), False, about
        # Why they are lost, as it was said; empty: they are not.
        self._reason = ""
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        for outcome in ("sent", "lost"):
            metrics.SPANS.labels(outcome)
        self._thread.start()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """As the SDK calls it."""

    def _on_ending(self, span: Any) -> None:
        """As the SDK calls it."""

    def on_end(self, span: Any) -> None:
        """Never waits."""
        if len(self._waiting) >= MOST_WAITING:
            self._lose(1, self._said.first or TOO_MANY)
            return
        self._waiting.append(span)
        if len(self._waiting) >= BATCH:
            self._due.set()

    def force_flush(self, _: int = 0) -> bool:
        """As the SDK calls it."""
        return False

    def shutdown(self) -> None:
        self._closing = True
        self._due.set()
        self._thread.join(LAST_WORDS)
        self._exporter.shutdown()

    def _run(self) -> None:
        while not self._closing:
            self._due.wait(DELAY)
            self._due.clear()
            while self._waiting:
                self._send([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])

    def _send(self, spans: Sequence[Any]) -> None:
        self._said.first = ""
        if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
            self._lose(len(spans), self._said.first or "the collector did not take them")
            return
        metrics.SPANS.labels("sent").inc(len(spans))
        if self._reason:
            self._reason = ""
            log.info("spans are sent again", **self._about)

    def _lose(self, count: int, reason: str) -> None:
        metrics.SPANS.labels("lost").inc(count)
        # That they are too many may be known before why the collector does not take them.
        if self._reason in ("", TOO_MANY) and reason != self._reason:
            self._reason = reason
            log.warning("spans are lost", reason=reason, **self._about)


class Said(logging.Handler):
    """Hears what the exporter would log with every batch. first: of what it said since that was emptied."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.first = ""
        logger = logging.getLogger("opentelemetry")
        logger.handlers, logger.propagate = [self], False

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()[:LONGEST_REASON]


def _nanoseconds(moment: float | None) -> int | None:
    return None if moment is None else int(moment * 1e9)
