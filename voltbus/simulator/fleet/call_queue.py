"""What a station has to say: in order, kept while it is offline where the CSMS must hear of it, repeated until then."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from voltbus.simulator.station.types import Call, Clock, Payload

ATTEMPTS = 3
PAUSE = timedelta(seconds=5)
# Offline for long, every second reading is dropped (E04.FR.07, E04.FR.08).
MOST = 500


@dataclass(slots=True, eq=False)
class Letter:
    """One CALL to be. make: called when it is first sent; None from it: there is nothing to say after all.

    kept: it outlives the connection. spare: it may be dropped where there are too many. asked: the CSMS wants to hear
    it, even before it has accepted the station.
    """

    make: Callable[[], Call | None]
    answered: Callable[[Payload], None]
    kept: bool = False
    spare: bool = False
    asked: bool = False
    call: Call | None = None
    attempts: int = 0
    not_before: datetime | None = None


def plain(call: Call) -> Letter:
    """A message of which nothing more is made."""
    return Letter(lambda: call, lambda _: None)


class Mailbox:
    """The letters of one station."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._letters: deque[Letter] = deque()

    def __len__(self) -> int:
        return len(self._letters)

    @property
    def keeps(self) -> bool:
        """Whether something about a session waits."""
        return any(letter.kept and not letter.asked for letter in self._letters)

    def put(self, letter: Letter) -> None:
        """To be sent after those that wait."""
        if len(self._letters) >= MOST:
            dropped = [waiting for waiting in self._letters if waiting.spare and waiting.call is None][::2]
            self._letters = deque(waiting for waiting in self._letters if waiting not in dropped)
        self._letters.append(letter)

    def next(self, asked: bool = False) -> Letter | None:
        """The one to send now, or of those that were `asked` for; it stays until it is `done`."""
        for letter in tuple(self._letters):
            if asked and not letter.asked:
                continue
            if letter.not_before and letter.not_before > self._clock():
                return None
            letter.call = letter.call or letter.make()
            if letter.call is not None:
                return letter
            self.done(letter)
        return None

    def done(self, letter: Letter) -> None:
        """It was answered, or there is nothing to say."""
        if letter in self._letters:
            self._letters.remove(letter)

    def failed(self, letter: Letter, counted: bool) -> datetime | None:
        """It was refused (`counted`) or not answered; when it is sent again, None for never (E13.FR.03)."""
        letter.attempts += counted
        if not letter.kept or letter.attempts >= ATTEMPTS:
            self.done(letter)
            return None
        letter.not_before = self._clock() + max(1, letter.attempts) * PAUSE
        return letter.not_before

    def disconnected(self) -> None:
        """Only what is kept is still to be said."""
        self._letters = deque(letter for letter in self._letters if letter.kept)
