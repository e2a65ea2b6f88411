"""How the messages of one connection have deviated from their schemas since that was last told."""

from collections import Counter
from collections.abc import Iterable

from services.gateway.ocppj.reading import deviation_record
from services.ocpp.deviations import Deviation, Told
from voltbus.v1.bus_pb2 import Deviation as DeviationRecord

# So many kinds of deviation, by action and field, are told apart on one connection.
MOST_KINDS = 64
# So many refused messages are kept between two reports of a connection; of all of them, how many they were is told.
MOST_REFUSED = 20

Key = tuple[str, Deviation, str]


class Deviations:
    """Bounded, whatever a station sends; made when a station deviates first."""

    __slots__ = ("_counts", "_known", "_refused")

    def __init__(self) -> None:
        self._known: set[Key] = set()
        self._counts: Counter[Key] = Counter()
        self._refused = 0

    def add(self, action: str, deviations: Iterable[Told]) -> bool:
        """Whether there is one among them that was not seen on this connection before."""
        before = len(self._known)
        for deviation, path, times in deviations:
            key = (action, deviation, path)
            if key not in self._known and len(self._known) >= MOST_KINDS:
                key = ("", deviation, "")
            self._known.add(key)
            self._counts[key] += times
        return len(self._known) > before

    def keeps_refused(self) -> bool:
        """Whether one more refused message is kept whole."""
        self._refused += 1
        return self._refused <= MOST_REFUSED

    def take(self) -> list[DeviationRecord]:
        """What is to be told; it starts anew."""
        counts, self._counts, self._refused = self._counts, Counter(), 0
        return [deviation_record(Told(kind, path, times), action) for (action, kind, path), times in counts.items()]
