"""Records that wait to be handled, and which of them go together: a partition is in one lane at a time.

The partitions of one number belong together for all topics, and so all records of a station, whose order that keeps.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from services.common.kafka.bus import Record

# With fewer records than this, two batches cost more than waiting for one.
MIN_SPLIT = 64
# Bytes of the values of a batch, which one record alone may have more of. A large record can be thousands of rows: a
# batch of many would take longer than Kafka waits for a sign of life.
MAX_BATCH = 1 << 20


def size_of(records: Sequence[Record]) -> int:
    """Bytes of their values, which is what large records are large by."""
    return sum([len(record.value or b"") for record in records])


class PartitionQueues:
    """Records by the number of their partition. lanes: batches that may be handled at a time."""

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._queues: dict[int, list[Record]] = {}
        # The partitions of the batches that are being handled, and how many batches these are.
        self._taken: set[int] = set()
        self._busy = 0

    @property
    def waiting(self) -> int:
        """Records that are in no batch yet."""
        return sum(map(len, self._queues.values()))

    def waiting_by_topic(self) -> Mapping[str, int]:
        """The same, of each topic."""
        return Counter(record.topic for records in self._queues.values() for record in records)

    def add(self, records: Sequence[Record]) -> None:
        for record in records:
            self._queues.setdefault(record.partition or 0, []).append(record)

    def clear(self) -> None:
        """Forgets the records that are in no batch yet."""
        self._queues.clear()

    def take(self) -> list[list[Record]]:
        """A batch for each free lane if many records wait; a few wait for the batch that is being handled, and grow."""
        batches: list[list[Record]] = []
        while self._busy < self._lanes and (free := [number for number in self._queues if number not in self._taken]):
            if sum(len(self._queues[number]) for number in free) >= MIN_SPLIT:
                free = free[:: self._lanes - self._busy]
            elif self._busy:
                break
            batches.append(self._batch_of(free))
            self._busy += 1
        return batches

    def _batch_of(self, partitions: Sequence[int]) -> list[Record]:
        """Their records, as many as a batch may have; what is left of a partition comes after the others."""
        batch: list[Record] = []
        room = MAX_BATCH
        for number in partitions:
            records = self._queues.pop(number)
            if (size := size_of(records)) > room:
                fitting = _fitting(records, room) or (0 if batch else 1)
                records, self._queues[number] = records[:fitting], records[fitting:]
            batch += records
            if records:
                self._taken.add(number)
            room -= size
            if room <= 0:
                break
        return batch

    def release(self, batch: Sequence[Record]) -> None:
        """A batch is handled."""
        self._taken.difference_update(record.partition or 0 for record in batch)
        self._busy -= 1


def _fitting(records: Sequence[Record], room: int) -> int:
    """How many of them there is room for."""
    for count, record in enumerate(records):
        room -= len(record.value or b"")
        if room < 0:
            return count
    return len(records)
