"""One dead letter, and the record that it becomes when it is sent back."""

from dataclasses import dataclass
from datetime import datetime

from services.common.kafka import dead_letters
from services.common.kafka.bus import Header, Record


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """service: of its topic, where it is at partition and offset.

    topic, origin: where the record was. at: when it was put aside, if known. replayed: how often the record had
    been sent back before. left_out: bytes of a value that was too large to keep.
    """

    service: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    reason: str
    topic: str
    origin: tuple[int, int]
    at: datetime | None
    replayed: int
    left_out: int | None

    @property
    def id(self) -> str:
        """`<service>-<partition>-<offset>`, its place among the dead letters."""
        return f"{self.service}-{self.partition}-{self.offset}"

    @property
    def station(self) -> str:
        """The station that it is from: the key of nearly all topics."""
        return (self.key or b"").decode(errors="replace")


def read(service: str, record: Record) -> DeadLetter:
    """A record of a topic of dead letters. What its headers do not say is empty, -1 or None."""
    headers = {name: value.decode(errors="replace") for name, value in record.headers if value is not None}
    return DeadLetter(
        service=service,
        partition=record.partition or 0,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=record.headers,
        reason=headers.get(dead_letters.REASON, ""),
        topic=headers.get(dead_letters.TOPIC, ""),
        origin=(_number(headers.get(dead_letters.PARTITION), -1), _number(headers.get(dead_letters.OFFSET), -1)),
        at=_time(headers.get(dead_letters.AT, "")),
        replayed=_number(headers.get(dead_letters.REPLAYED), 0),
        left_out=_number(headers.get(dead_letters.LEFT_OUT), 0) if dead_letters.LEFT_OUT in headers else None,
    )


def original_record(letter: DeadLetter) -> Record:
    """The record as it was before it died; the header `replayed` says how often it was sent back, this time included.

    Its key leads it to its partition; without a key it goes back to the one it had.
    """
    kept = [
        (name, value)
        for name, value in letter.headers
        if not name.startswith(dead_letters.PREFIX) and name != dead_letters.REPLAYED
    ]
    partition = letter.origin[0] if letter.key is None else None
    headers = (*kept, (dead_letters.REPLAYED, b"%d" % (letter.replayed + 1)))
    return Record(letter.topic, letter.key, letter.value, headers, partition)


def _number(text: str | None, otherwise: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return otherwise


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
