"""Lists cut into messages that a station takes. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

# Bytes of the frame around a payload: type, message id, action, commas and brackets.
FRAME = 128
# Bytes of one message, whatever its station takes: what a gateway takes of a station is a good measure.
LARGEST_MESSAGE = 256 * 1024


@dataclass(frozen=True, slots=True)
class MessageLimit:
    """How much one message may hold, as far as the station says so: items of its list; bytes with its frame."""

    items: int | None = None
    bytes: int | None = None


def message_size(payload: Mapping[str, Any]) -> int:
    """Bytes of a message with this payload, as it is written, and its frame."""
    return FRAME + len(orjson.dumps(dict(payload)))


def fitting(items: Sequence[Any], limit: MessageLimit, around: int, start: int = 0) -> int:
    """How many of the items from start on one message can hold; 0 if not even the first.

    around: bytes of the message without items.
    """
    most = len(items) - start if limit.items is None else min(limit.items, len(items) - start)
    if limit.bytes is None:
        return most
    # No comma stands before the first.
    size = around - 1
    for count in range(most):
        size += 1 + len(orjson.dumps(items[start + count]))
        if size > limit.bytes:
            return count
    return most


def chunks(items: Sequence[Any], limit: MessageLimit, around: int) -> Iterator[list[Any]]:
    """All items in order, in as few messages as hold them; one that none can hold has a message of its own."""
    start = 0
    while start < len(items):
        end = start + max(1, fitting(items, limit, around, start))
        yield list(items[start:end])
        start = end
