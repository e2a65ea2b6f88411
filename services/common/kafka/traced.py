"""Traces across Kafka: a record of what is traced has `traceparent` in its headers, others have none."""

from collections import Counter
from collections.abc import Hashable, Sequence

from msgspec.structs import replace

from services.common.kafka.bus import Header, Record
from services.common.process.tracing import TRACED, TRACEPARENT, Attributes, Span, Traced, Tracing

NONE: tuple[Header, ...] = ()


def headers_of(span: Span | None) -> tuple[Header, ...]:
    """Of records that are parts of what a span tells of."""
    return NONE if span is None else ((TRACEPARENT, span.traceparent.encode()),)


def traceparent_of(record: Record) -> str | None:
    """None where it is not traced."""
    for name, value in record.headers:
        if name == TRACEPARENT:
            return value.decode(errors="replace")
    return None


def going_on(record: Record, traceparent: str | None) -> Record:
    """With that, unless it says already what it is a part of."""
    if traceparent is None or traceparent_of(record) is not None:
        return record
    return replace(record, headers=(*record.headers, (TRACEPARENT, traceparent.encode())))


class TracedBatch:
    """The records of a batch that are traced: a span each, from the beginning of the batch to its end."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans

    @classmethod
    def begin(cls, tracing: Tracing, group: str, records: Sequence[Record]) -> "TracedBatch | None":
        """From now on they are what this task is at. None where none of them is traced. group: that reads them."""
        # This task may have been begun by one that was at another batch.
        TRACED.set(None)
        spans = [
            (record, span)
            for record in records
            if (told := traceparent_of(record)) is not None
            and (span := tracing.start(f"handle {_what(record)}", "consumer", _place(record, group), None, told))
        ]
        if not spans:
            return None
        traced, counts = Traced(), Counter(record.key for record in records)
        for record, span in spans:
            traced.name(span, _name(record))
            # Of several of a station, an event says by its cause which one it is of, or does not say.
            if record.key is not None and counts[record.key] == 1:
                traced.name(span, ("subject", record.key))
        TRACED.set(traced)
        return cls([span for _, span in spans])

    def end(self) -> None:
        for span in self._spans:
            span.end()


def describe(record: Record, cause: str, name: str, attributes: Attributes, *names: Hashable) -> None:
    """Says what a record of this batch is about, if it is traced. cause: see Events.record. names: further ones."""
    if (traced := TRACED.get()) and (span := traced.find(_name(record))):
        span.rename(name)
        span.set(attributes)
        traced.name(span, ("cause", cause), *names)


def fail(record: Record, error: Exception) -> None:
    """A record of this batch cannot be handled."""
    if (traced := TRACED.get()) and (span := traced.find(_name(record))):
        span.fail(type(error).__name__)


def event_headers(traced: Traced, cause: str, key: bytes) -> tuple[Header, ...]:
    """Of an event: by what caused it, as far as that says so, or by what it is about."""
    return headers_of(traced.find(("cause", cause.partition("/")[0]), ("subject", key)))


def _what(record: Record) -> str:
    """An event by its message, else the topic."""
    kinds = (value for name, value in record.headers if name == "ce_type")
    return next(kinds, record.topic.encode()).decode(errors="replace").removeprefix("voltbus.v1.")


def _name(record: Record) -> Hashable:
    return record.topic, record.partition, record.offset


def _place(record: Record, group: str) -> Attributes:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
        "messaging.consumer.group.name": group,
    }
