"""Dead letters: what cannot be handled is put aside as it was, with its reason, so that its partition moves on."""

from datetime import datetime

import structlog
from msgspec.structs import replace

from services.common.kafka import metrics
from services.common.kafka.bus import Bus, Record
from services.common.process.errors import InvalidContent, Unavailable, Unprocessable

# Characters of a reason that are kept: it may quote what it complains about.
MAX_REASON_CHARACTERS = 1000
# Bytes of a key that are kept of a record that is too long to be kept whole.
MAX_KEY_BYTES = 256
PREFIX = "dead-"
# The class of the error, such as TypeError; REASON: what it said.
CAUSE, REASON, AT = "dead-cause", "dead-reason", "dead-at"
TOPIC, PARTITION, OFFSET = "dead-topic", "dead-partition", "dead-offset"
# The bytes that a value had which is left out: with it, the letter would be too long.
LEFT_OUT = "dead-value-left-out"
# On a record that was sent back: how often it has been. It stays on the letter, should the record die again.
REPLAYED = "replayed"

log = structlog.get_logger()


def dead_letter(record: Record, topic: str, error: Exception, now: datetime) -> Record:
    """The record as it was, for a topic of dead letters; why and whence in its headers."""
    where = {
        CAUSE: type(error).__name__,
        REASON: (str(error) if isinstance(error, Unprocessable) else repr(error))[:MAX_REASON_CHARACTERS],
        TOPIC: record.topic,
        PARTITION: str(record.partition),
        OFFSET: str(record.offset),
        AT: now.isoformat(),
    }
    headers = (*record.headers, *((name, value.encode()) for name, value in where.items()))
    # The client sends no record that has neither key nor value.
    value = b"" if record.key is None and record.value is None else record.value
    return replace(record, topic=topic, value=value, partition=None, headers=headers)


def cause(letter: Record) -> str:
    """The class of the error for which a record was put aside."""
    return next((value.decode(errors="replace") for name, value in reversed(letter.headers) if name == CAUSE), "")


def counts(record: Record, cause: str) -> bool:
    """Whether a record that is put aside for this cause counts for the limit.

    What a station says wrong does not, nor a letter that was sent back in vain: neither speaks for the release.
    """
    return cause != InvalidContent.__name__ and all(name != REPLAYED for name, _ in record.headers)


def without_value(letter: Record) -> Record:
    """A letter without what may be large in it: its value, and the headers that it had before."""
    own = tuple((name, value) for name, value in letter.headers if name.startswith(PREFIX))
    size = str(len(letter.value or b"")).encode()
    key = None if letter.key is None else letter.key[:MAX_KEY_BYTES]
    return replace(letter, key=key, value=b"", headers=(*own, (LEFT_OUT, size)))


async def publish_dead_letter(bus: Bus, record: Record, topic: str, error: Exception, now: datetime) -> None:
    """Publishes a record to a topic of dead letters, counts it and says so. Raises Unavailable."""
    letter = dead_letter(record, topic, error, now)
    try:
        await bus.publish([letter])
    except Unavailable:
        raise
    except Exception:
        # Too long, or of a shape that cannot be sent: what is known of it is told all the same.
        letter = without_value(letter)
        try:
            await bus.publish([letter])
        except Unprocessable as problem:
            # No fault of the record: there is no such topic.
            raise Unavailable(str(problem)) from problem
    report(letter, error)


def report(letter: Record, error: Exception | None = None) -> None:
    """Counts a letter that was published, and logs where it is from; error: with its traceback, where it has one."""
    metrics.DEAD_LETTERS.inc()
    said = {name: value.decode(errors="replace") for name, value in letter.headers if name.startswith(PREFIX)}
    where = {name: said.get(f"{PREFIX}{name}", "") for name in ("topic", "partition", "offset")}
    if where["offset"] != "-1":
        # Records that are read have stations for keys; those that were on their way out may have an idToken.
        where["key"] = (letter.key or b"").decode(errors="replace")
    known = error is None or isinstance(error, Unprocessable)
    reason = said.get(REASON, "") if known else type(error).__name__
    log.error("record put aside", reason=reason, exc_info=None if known else error, **where)
