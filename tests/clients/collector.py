"""A collector of traces: what OTLP over HTTP brings, read by the messages of opentelemetry-proto."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Collected:
    """A span. parent: the id of what it is a part of; empty: it begins a trace."""

    process: str
    name: str
    trace_id: str
    id: str
    parent: str
    attributes: dict[str, Any]
    failed: bool
    begins: int
    ends: int


@dataclass
class Collector:
    """bodies: of requests, as they came. fields: of their heads. status: of what is answered."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    fields: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    free: threading.Event = field(default_factory=threading.Event)

    def spans(self) -> list[Collected]:
        return [span for body in list(self.bodies) for span in _read(body)]

    def of(self, name: str, value: Any) -> list[Collected]:
        """All of the traces of which a span has this attribute, in their order in time."""
        spans = self.spans()
        traces = {span.trace_id for span in spans if span.attributes.get(name) == value}
        return sorted((span for span in spans if span.trace_id in traces), key=lambda span: span.begins)


@contextmanager
def collecting() -> Iterator[Collector]:
    """On a free port, until it is left. Requests are answered while `free` is set, as it is at first."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.fields.append({name.lower(): value for name, value in self.headers.items()})
            collector.free.wait()
            if collector.status == 200 and self.path == "/v1/traces":
                collector.bodies.append(body)
            self.send_response(collector.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    collector.free.set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield collector
    finally:
        collector.free.set()
        server.shutdown()
        server.server_close()


def _read(body: bytes) -> Iterator[Collected]:
    request: Any = ExportTraceServiceRequest.FromString(body)
    for one in request.resource_spans:
        process = _attributes(one.resource)["service.name"]
        for scope in one.scope_spans:
            for span in scope.spans:
                yield Collected(
                    process,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    _attributes(span),
                    span.status.code == 2,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                )


def _attributes(told: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in told.attributes}
