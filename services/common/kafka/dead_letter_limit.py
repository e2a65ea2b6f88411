"""How many records a consumer may put aside before it stops: dead letters are for stray records, not for a bad release.

Pure: it counts records as they are done, and knows neither Kafka nor time. A batch without letters costs an addition.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from services.common.process.errors import VoltbusError
from services.common.process.settings import CommonSettings

# A limit takes letters of at least so many stations: one that sends nonsense, or everything it kept while it was
# offline, must not stop a service for all others.
STATIONS = 4

Key = bytes | None


class DeadLetterLimitReached(VoltbusError):
    """More records cannot be handled than may be put aside; the text says which limit, and quotes no record."""


@dataclass(frozen=True)
class DeadLetterLimits:
    """What a consumer may put aside: so many records in a row, and a share (0 to 1) of the last `window` records."""

    in_a_row: int = 20
    share: float = 0.1
    window: int = 1000

    @classmethod
    def of(cls, settings: CommonSettings) -> Self:
        return cls(settings.dead_letters_in_a_row, settings.dead_letters_share, settings.dead_letters_window)


class DeadLetterLimit:
    """Counts the records of one consumer. reached: which limit was, once one was; it stays."""

    def __init__(self, limits: DeadLetterLimits) -> None:
        self._limits = limits
        self.reached: str | None = None
        self._done = 0
        # Whether anything was handled since the start. Until then nothing speaks for the release, and one station is
        # enough to reach a limit.
        self._handled = False
        # Letters since the last record that was handled, by key.
        self._row: Counter[Key] = Counter()
        # Letters among the last records: the number of the record, and its key.
        self._recent: deque[tuple[int, Key]] = deque()

    def check(self, records: int, letters: Sequence[Key], cause: str) -> None:
        """Raises DeadLetterLimitReached where the letters of a batch would be too many.

        records: how many the batch has. letters: the keys of those to be put aside. cause: the class of the last error.
        """
        if self.reached is None and (limit := self._exceeded(records, letters)):
            self.reached = f"more than {limit} cannot be handled, last: {cause}"
        if self.reached:
            raise DeadLetterLimitReached(self.reached)

    def count(self, records: int, letters: Sequence[Key] = ()) -> None:
        """A batch is done: so many records, of which these were put aside."""
        if letters:
            self._recent = deque(self._last(records, letters))
        self._done += records
        if len(letters) < records:
            self._handled = True
            self._row.clear()
        else:
            self._row.update(letters)

    def _exceeded(self, records: int, letters: Sequence[Key]) -> str | None:
        limits = self._limits
        if len(letters) >= records and self._many(self._row + Counter(letters), limits.in_a_row):
            return f"{limits.in_a_row} records in a row"
        if self._many(Counter(key for _, key in self._last(records, letters)), int(limits.share * limits.window)):
            return f"{limits.share:.0%} of the last {limits.window} records"
        return None

    def _many(self, letters: Counter[Key], limit: int) -> bool:
        """Whether these are more than the limit, of which a station has but its part."""
        part = limit // (STATIONS if self._handled else 1) + 1
        return sum(min(count, part) for count in letters.values()) > limit

    def _last(self, records: int, letters: Sequence[Key]) -> Iterable[tuple[int, Key]]:
        """The letters of the window that ends with this batch, in which they lie evenly: where, only headers tell."""
        oldest = self._done + records - self._limits.window
        spread = ((self._done + records * number // len(letters), key) for number, key in enumerate(letters))
        return [letter for letter in (*self._recent, *spread) if letter[0] >= oldest]
