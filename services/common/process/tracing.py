"""Traces: what a share of frames and requests leads to, as spans with a common id. Off, nothing of OpenTelemetry runs.

Whoever begins something decides whether it is traced; whoever goes on with it follows `traceparent` (W3C Trace
Context), which is there only where it is.
"""

import random
from collections.abc import Callable, Hashable, Mapping
from contextvars import ContextVar
from typing import Literal, Protocol

from services.common.process.settings import CommonSettings

TRACEPARENT = "traceparent"

Kind = Literal["server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int]
"""Never an idToken, a password, or what may have one in it, such as a payload or a path."""


class Span(Protocol):
    """A part of a trace. Moments are seconds since 1970; None: now."""

    trace_id: str
    traceparent: str
    """For what comes of it elsewhere."""

    def rename(self, name: str) -> None: ...

    def set(self, attributes: Attributes) -> None: ...

    def note(self, what: str, at: float | None = None) -> None:
        """Something happened meanwhile."""

    def fail(self, why: str) -> None:
        """It ends as an error. why: a word or two of ours, such as the class of an exception."""

    def end(self, at: float | None = None) -> None:
        """What comes after the end has no effect."""


class Spans(Protocol):
    """Where spans begin, and where they go when they have ended."""

    def start(
        self, name: str, kind: Kind, attributes: Attributes, at: float | None = None, traceparent: str | None = None
    ) -> Span | None:
        """traceparent: of what it is a part of; None: a trace begins. Nothing where that is not traced."""

    async def close(self) -> None:
        """Sends what has ended, for as long as a process that ends can wait."""


class Tracing:
    """share: of what begins here. chance: a number from 0 up to 1."""

    def __init__(self, spans: Spans, share: float, chance: Callable[[], float] = random.random) -> None:
        self._spans, self._share, self._chance = spans, share, chance
        self.start, self.close = spans.start, spans.close

    @classmethod
    def of(cls, settings: CommonSettings, process: str) -> "Tracing | None":
        """None where nothing is traced. process: its name, such as gateway."""
        if settings.traces is None:
            return None
        # Costs an untraced process neither time nor memory.
        from services.common.process.otlp import OtlpSpans

        return cls(OtlpSpans(settings, process), settings.traces)

    def chosen(self) -> bool:
        """Whether what begins here is traced."""
        return self._chance() < self._share

    def begin(self, name: str, kind: Kind, attributes: Attributes, traceparent: str | None) -> Span | None:
        """A part of what is traced elsewhere; where nothing is said of that, the share decides."""
        return self.start(name, kind, attributes, None, traceparent) if traceparent or self.chosen() else None


class Traced:
    """The spans of what a task is at. whole: that of everything; or else each thing has its own, by its names."""

    __slots__ = ("_named", "_whole")

    def __init__(self, whole: Span | None = None) -> None:
        self._whole = whole
        self._named: dict[Hashable, Span] = {}

    @property
    def whole(self) -> Span | None:
        return self._whole

    def name(self, span: Span, *names: Hashable) -> None:
        self._named.update(dict.fromkeys(names, span))

    def find(self, *names: Hashable) -> Span | None:
        """Of the first name that is known."""
        return next((self._named[name] for name in names if name in self._named), self._whole)


TRACED: ContextVar[Traced | None] = ContextVar("traced", default=None)
"""None where nothing of what a task is at is traced."""
