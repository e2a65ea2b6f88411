"""What a station has to say: in order, kept while it is offline where the CSMS must hear of it, repeated until then."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.local.station.facts import Call, Clock, Payload

ATTEMPTS = 3
PAUSE = timedelta(seconds=5)
# Offline for long, readings between first and last are dropped (E04.FR.05, 1.6 §3.7.1 bound it by memory alone).
MOST = 500


@dataclass(slots=True, eq=False)
class Letter:
    """One CALL to be. make: called when it is first sent; None from it: there is nothing to say after all.

    kept: it concerns a session and outlives the connection. spare: it may be dropped where there are too many.
    """

    make: Callable[[], Call | None]
    answered: Callable[[Payload], None]
    kept: bool = False
    spare: bool = False
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
        return any(letter.kept for letter in self._letters)

    def put(self, letter: Letter) -> None:
        """To be sent after those that wait."""
        if not (letter.spare and len(self._letters) >= MOST):
            self._letters.append(letter)

    def next(self) -> Letter | None:
        """The one to send now; it stays until it is `done`."""
        while self._letters:
            head = self._letters[0]
            if head.not_before and head.not_before > self._clock():
                return None
            head.call = head.call or head.make()
            if head.call is not None:
                return head
            self._letters.popleft()
        return None

    def done(self, letter: Letter) -> None:
        """It was answered."""
        if self._letters and self._letters[0] is letter:
            self._letters.popleft()

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
