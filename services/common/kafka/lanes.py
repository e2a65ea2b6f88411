"""What waits to be handled, and which of it may go together: a partition is in one pair of hands at a time.

All topics of one number belong together, and so all records of a station, whose order that keeps.
"""

from collections.abc import Sequence

from services.common.kafka.bus import Record

# Below this a batch costs more by being two than by waiting.
APART = 64


class PartitionQueues:
    """Records by the number of their partition. lanes: how many batches may be in hand at a time."""

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._piles: dict[int, list[Record]] = {}
        # The numbers of each batch in hand.
        self._held: set[int] = set()
        self.busy = 0

    @property
    def waiting(self) -> int:
        """Records that nobody has in hand."""
        return sum(map(len, self._piles.values()))

    def add(self, records: Sequence[Record]) -> None:
        for record in records:
            self._piles.setdefault(record.partition or 0, []).append(record)

    def clear(self) -> None:
        """Forgets what nobody has in hand."""
        self._piles.clear()

    def take(self) -> list[list[Record]]:
        """A batch for each lane that is free, as far as there is much; little waits for what is in hand, and grows."""
        batches: list[list[Record]] = []
        while self.busy < self._lanes and (numbers := [number for number in self._piles if number not in self._held]):
            if sum(len(self._piles[number]) for number in numbers) >= APART:
                numbers = numbers[:: self._lanes - self.busy]
            elif self.busy:
                break
            batches.append([record for number in numbers for record in self._piles.pop(number)])
            self._held.update(numbers)
            self.busy += 1
        return batches

    def give_back(self, batch: Sequence[Record]) -> None:
        """A batch is done."""
        self._held.difference_update(record.partition or 0 for record in batch)
        self.busy -= 1
