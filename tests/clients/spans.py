"""Spans in memory, instead of those that OpenTelemetry makes."""

from dataclasses import dataclass, field

from services.common.process.tracing import Attributes, Kind, Span, Spans, Tracing


@dataclass(eq=False)
class MemorySpan(Span):
    """parent: the id of the span that it is a part of; empty: it begins a trace. ends: when it was ended."""

    id: str
    trace_id: str
    parent: str
    name: str
    kind: Kind
    attributes: dict[str, str | int]
    at: float | None
    traceparent: str = ""
    notes: list[str] = field(default_factory=list)
    failure: str = ""
    ends: list[float | None] = field(default_factory=list)

    def rename(self, name: str) -> None:
        self.name = name

    def set(self, attributes: Attributes) -> None:
        self.attributes |= attributes

    def note(self, what: str, at: float | None = None) -> None:  # noqa: ARG002
        self.notes.append(what)

    def fail(self, why: str) -> None:
        self.failure = self.failure or why

    def end(self, at: float | None = None) -> None:
        self.ends.append(at)


class MemorySpans(Spans):
    """all: in the order in which they began."""

    def __init__(self) -> None:
        self.all: list[MemorySpan] = []

    def start(
        self, name: str, kind: Kind, attributes: Attributes, at: float | None = None, traceparent: str | None = None
    ) -> Span | None:
        id_ = f"{len(self.all) + 1:016x}"
        _, trace_id, parent, flags = (traceparent or f"00-{'a' * 16}{id_}--01").split("-")
        if flags != "01":
            return None
        span = MemorySpan(id_, trace_id, parent, name, kind, dict(attributes), at, f"00-{trace_id}-{id_}-01")
        self.all.append(span)
        return span

    async def close(self) -> None:
        pass

    def tracing(self, share: float = 1) -> Tracing:
        return Tracing(self, share)

    def names(self) -> list[str]:
        return [span.name for span in self.all]
