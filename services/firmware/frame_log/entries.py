"""What the log keeps of one frame, or of a connection's beginning and end; many of them packed. Pure."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from operator import attrgetter

import msgspec

from services.common.process.clock import EPOCH

# The second level costs as much as the first, and the third twice as much for a tenth of the bytes.
LEVEL = 2
UNREADABLE = (zlib.error, msgspec.DecodeError)
MICROSECOND = timedelta(microseconds=1)


class Kind(IntEnum):
    """Which record it is from, and so what its fields say. The numbers are stored: only ever add to them."""

    CALL = 1
    REPLY = 2
    COMMAND = 3
    RESULT = 4
    CONNECTED = 5
    DISCONNECTED = 6
    REFUSED = 7
    DROPPED = 8
    LEFT_OUT = 9


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """at: microseconds since 1970, when it came or was sent. offset: of its record. Fields are only ever added.

    key: what a CALL and its answer have in common: the id of the Call, or of the command; else empty. payload: as it
    was, masked. size: bytes of the whole; of LEFT_OUT, how many frames. cut: payload is no more than its beginning.
    answered: the gateway answered a CALL, or told the station of a refusal; or it is a SEND. answered_at: of a CALL
    that the gateway answers, when it was put on Kafka; of a RESULT, when its command was put on the wire; else 0.
    outcome: of a RESULT, a name of Outcome without its prefix, in lower case; of DROPPED, why. error: the code of a
    CALLERROR. deviations: from its schema.
    """

    station_id: str
    at: int
    kind: int
    offset: int
    connection_id: str
    key: str = ""
    message_id: str = ""
    action: str = ""
    payload: bytes = b""
    size: int = 0
    answered: bool = False
    answered_at: int = 0
    outcome: str = ""
    error: str = ""
    description: str = ""
    deviations: tuple[str, ...] = ()
    cut: bool = False

    @property
    def is_send(self) -> bool:
        """Whether it is a SEND of 2.1, which nobody answers."""
        return self.kind == Kind.CALL and self.answered and not self.answered_at

    @property
    def failed(self) -> bool:
        """Whether it is what one looks for who looks for errors."""
        if self.kind in (Kind.REFUSED, Kind.DROPPED, Kind.LEFT_OUT):
            return True
        return bool(self.error) or (self.kind == Kind.RESULT and self.outcome != "answered")


@dataclass(frozen=True, slots=True)
class Segment:
    """Entries, packed. size: bytes of them before. station_ids, actions: of all that are in it."""

    first_at: datetime
    last_at: datetime
    count: int
    size: int
    failed: bool
    station_ids: Sequence[str]
    actions: Sequence[str]
    body: bytes


class _Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first field of an entry: to read all of them takes thrice as long."""

    station_id: str


_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[Entry])
_HEADS, _RAW = msgspec.msgpack.Decoder(list[_Head]), msgspec.msgpack.Decoder(list[msgspec.Raw])
_ONE = msgspec.msgpack.Decoder(Entry)


def pack(entries: Sequence[Entry]) -> Segment:
    """entries: one at least."""
    written = _ENCODER.encode(entries)
    times = [entry.at for entry in entries]
    actions = {entry.action for entry in entries}
    return Segment(
        first_at=to_datetime(min(times)),
        last_at=to_datetime(max(times)),
        count=len(entries),
        size=len(written),
        failed=any(entry.failed for entry in entries),
        station_ids=sorted({entry.station_id for entry in entries}),
        # What a station calls an action that there is not may be anything; Postgres takes no NUL.
        actions=sorted(action for action in actions if action.isprintable()),
        body=zlib.compress(written, LEVEL),
    )


def unpack(body: bytes) -> list[Entry]:
    """The entries of a segment; none where it cannot be read: the others of a log are shown all the same."""
    try:
        return _DECODER.decode(zlib.decompress(body))
    except UNREADABLE:
        return []


def unpack_station(body: bytes, station_id: str) -> list[Entry]:
    """Those of one station; none where it cannot be read."""
    try:
        return _unpack_station(zlib.decompress(body), station_id)
    except UNREADABLE:
        return []


def _unpack_station(written: bytes, station_id: str) -> list[Entry]:
    heads = _HEADS.decode(written)
    if all(head.station_id == station_id for head in heads):
        return _DECODER.decode(written)
    return [
        _ONE.decode(raw) for head, raw in zip(heads, _RAW.decode(written), strict=True) if head.station_id == station_id
    ]


def by_station(bodies: Iterable[bytes]) -> dict[str, list[Entry]]:
    """The entries of many segments, each station's in the order of time."""
    found: dict[str, list[Entry]] = {}
    for body in bodies:
        for entry in unpack(body):
            found.setdefault(entry.station_id, []).append(entry)
    for entries in found.values():
        entries.sort(key=attrgetter("at"))
    return found


def to_datetime(at: int) -> datetime:
    """at: microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at)


def to_microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // MICROSECOND
