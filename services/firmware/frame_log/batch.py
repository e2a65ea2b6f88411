"""What the log has read and not kept yet: entries, and how far they bring each partition. Pure."""

from collections import Counter
from collections.abc import Mapping

from services.common.kafka.bus import Record, TopicPartition
from services.firmware.frame_log.entries import Entry, Kind
from services.firmware.frame_log.store import Position, newest

# Of one station in one batch; what is more is counted.
MOST_ENTRIES, MOST_BYTES = 2000, 2 * 1024 * 1024
# With so many bytes a batch is kept at once.
FULL = 8 * 1024 * 1024
# A record below the position that was written so much later is of a topic that was made anew.
RENEWED_MS = 60_000
# What an entry costs beside its payload.
OVERHEAD = 200


class Batch:
    """Records as they are read. before: how far their partitions were kept; after: how far they will be."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.size = 0
        self.before: dict[TopicPartition, Position] = {}
        self.after: dict[TopicPartition, Position] = {}
        # By partition, what Kafka is to be told that is done: also what was kept before, and is read again.
        self.offsets: dict[TopicPartition, int] = {}
        self._counts: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()
        self._left_out: dict[str, Entry] = {}
        self._numbers: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        """Whether it is to be kept at once."""
        return self.size >= FULL

    def is_new(self, record: Record, known: Mapping[TopicPartition, Position]) -> bool:
        """Whether a record is not kept yet; from then on its partition will be kept up to it."""
        place = (record.topic, record.partition or 0)
        at = self.after.get(place) or known[place]
        self.offsets[place] = record.offset + 1
        if record.offset < at.next_offset and record.written_ms <= at.written_ms + RENEWED_MS:
            return False
        self.before.setdefault(place, known[place])
        self.after[place] = newest(at, record.offset, record.written_ms)
        return True

    def add(self, entry: Entry) -> bool:
        """False if its station has too many in it: it is counted."""
        station, size = entry.station_id, len(entry.payload) + OVERHEAD
        if self._counts[station] >= MOST_ENTRIES or self._sizes[station] >= MOST_BYTES:
            self._numbers[station] += 1
            self._left_out.setdefault(station, entry)
            return False
        self._counts[station] += 1
        self._sizes[station] += size
        self.size += size
        self.entries.append(entry)
        return True

    def all_entries(self) -> list[Entry]:
        """With one for each station of which some were left out."""
        return self.entries + [
            Entry(station, first.at, Kind.LEFT_OUT, first.offset, first.connection_id, size=self._numbers[station])
            for station, first in self._left_out.items()
        ]
