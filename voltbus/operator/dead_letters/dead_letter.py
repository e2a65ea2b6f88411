"""One dead letter as an operator sees it, and the record that it becomes when it is sent back."""

from dataclasses import dataclass
from datetime import datetime

from services.common.kafka import dead_letters
from services.common.kafka.bus import Header, Record

# On a record that was sent back: how often it has been. It stays on the letter, should the record die again.
REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Letter:
    """service: whose topic of dead letters it lies on, at partition and offset.

    topic, came_from: where the record stood. at: when it was put aside; None where it does not say so. replayed: how
    often the record had been sent back before it came here. left_out: bytes of a value that was too large to keep.
    """

    service: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    reason: str
    topic: str
    came_from: tuple[int, int]
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


def read(service: str, record: Record) -> Letter:
    """A record of a topic of dead letters. What its headers do not say is empty, -1 or None."""
    said = {name: value.decode(errors="replace") for name, value in record.headers if value is not None}
    return Letter(
        service=service,
        partition=record.partition or 0,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=record.headers,
        reason=said.get(dead_letters.REASON, ""),
        topic=said.get(dead_letters.TOPIC, ""),
        came_from=(_number(said.get(dead_letters.PARTITION), -1), _number(said.get(dead_letters.OFFSET), -1)),
        at=_moment(said.get(dead_letters.AT, "")),
        replayed=_number(said.get(REPLAYED), 0),
        left_out=_number(said.get(dead_letters.LEFT_OUT), 0) if dead_letters.LEFT_OUT in said else None,
    )


def revived(letter: Letter) -> Record:
    """The record as it was before it died; the header `replayed` says how often it was sent back, this time included.

    Its key leads it to its partition; without a key it goes back to the one it had.
    """
    kept = [
        (name, value) for name, value in letter.headers if not name.startswith(dead_letters.PREFIX) and name != REPLAYED
    ]
    partition = letter.came_from[0] if letter.key is None else None
    headers = (*kept, (REPLAYED, b"%d" % (letter.replayed + 1)))
    return Record(letter.topic, letter.key, letter.value, headers, partition)


def _number(text: str | None, otherwise: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return otherwise


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
