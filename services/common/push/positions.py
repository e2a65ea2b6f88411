"""Where a reader of a topic is: by partition, the offset of the next record."""

from collections.abc import Iterable, Mapping

from services.common.kafka.bus import Bounds
from services.common.kafka.cloud_events import CloudEvent

Positions = dict[int, int]


def write_position(service: str, positions: Mapping[int, int]) -> str:
    """The id of a server-sent event: opaque to the client. service: whose topic it is."""
    return f"{service}:{'.'.join(str(positions[number]) for number in sorted(positions))}"


def read_position(service: str, written: str) -> Positions | None:
    """None if it is not one of this service."""
    name, _, offsets = written.partition(":")
    numbers = offsets.split(".")
    if name != service or not all(number.isascii() and number.isdigit() and len(number) < 20 for number in numbers):
        return None
    return {partition: int(number) for partition, number in enumerate(numbers)}


def resume(positions: Mapping[int, int], bounds: Mapping[int, Bounds]) -> tuple[Positions, int]:
    """Where to read on in what a topic has now, and how many records in between are gone.

    A partition that is new is read from its start. One that ends before the position is another topic by the same name:
    it is read from its start, and all that was before counts as gone.
    """
    on, gone = dict[int, int](), 0
    for number, held in bounds.items():
        wanted = positions.get(number, 0)
        on[number] = wanted if held.start <= wanted <= held.end else held.start
        gone += max(held.start - wanted, 0) if wanted <= held.end else wanted
    gone += sum(offset for number, offset in positions.items() if number not in bounds)
    return on, gone


def skips(positions: Mapping[int, int], events: Iterable[CloudEvent]) -> bool:
    """Whether offsets are missing: after retention has overtaken a reader, it goes on behind what is gone."""
    expected = dict(positions)
    for event in events:
        if event.offset != expected.get(event.partition):
            return True
        expected[event.partition] = event.offset + 1
    return False
