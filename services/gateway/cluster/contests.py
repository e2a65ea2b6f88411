"""Two devices with one id would throw each other out for ever: which ids that is so of. Pure, for one gateway.

A newer connection replaces an older one, for mostly the older one is dead. That it was not is seen from what still
comes on it after it was replaced: the answer to our close, or its end. A dead one answers nothing.
"""

from dataclasses import dataclass

# Seconds after which an id of which nothing more was seen is forgotten; ids that are remembered.
FORGOTTEN_AFTER, MOST = 600.0, 10_000
# Seconds for which an id is let in when nobody else has it, and between two questions about that.
FREE_FOR, ASKED_EVERY = 60.0, 5.0
# Seconds that a refused device is told to wait: the first time, and at the most. Each time twice as long.
FIRST_WAIT, LONGEST_WAIT = 10, 300


@dataclass(slots=True)
class _Contest:
    """Of one id. All times are seconds of the monotonic clock. asked_at: when others were asked who has it.

    other: where the last one came from that took it over; empty: not known.
    """

    takeovers: int
    seen_at: float
    refused: int = 0
    asked_at: float = 0.0
    free_until: float = 0.0
    other: str = ""


class Contests:
    """takeovers: of connections that were alive, after which the one that is there stays; 0: the newer always wins."""

    def __init__(self, takeovers: int) -> None:
        self._takeovers = takeovers
        self._contests: dict[str, _Contest] = {}

    @property
    def count(self) -> int:
        """Ids that several devices have."""
        return sum(self._is(contest) for contest in self._contests.values())

    def taken_over(self, station_id: str, now: float, by: str = "") -> int:
        """A connection that was alive was replaced; how often that has happened. by: where the newer one comes from."""
        contest = self._contests.pop(station_id, None) or _Contest(0, now)
        contest.takeovers, contest.seen_at = contest.takeovers + 1, now
        contest.other = by or contest.other
        self._contests[station_id] = contest
        if len(self._contests) > MOST:
            del self._contests[next(iter(self._contests))]
        return contest.takeovers

    def contested(self, station_id: str, now: float) -> bool:
        """Whether a newer connection of this id is not let in while there is one that answers."""
        contest = self._contests.get(station_id)
        return contest is not None and self._is(contest) and now - contest.seen_at < FORGOTTEN_AFTER

    def refused(self, station_id: str, now: float, alive: bool) -> int:
        """A device is not let in: how long it is told to wait. alive: the other one has just answered."""
        contest = self._contests[station_id]
        if alive:
            self.seen(station_id, now)
        contest.refused += 1
        return int(min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(contest.refused - 1, 10)))

    def seen(self, station_id: str, now: float) -> None:
        """Another device wants the id, and the one that has it is alive."""
        if contest := self._contests.get(station_id):
            contest.seen_at = now

    def free(self, station_id: str, now: float) -> None:
        """Nobody else has it: who comes next is let in."""
        if contest := self._contests.get(station_id):
            contest.free_until = now + FREE_FOR

    def other(self, station_id: str) -> str:
        """Where the one that has it came from when it took it over, on whichever gateway; empty: not known."""
        return self._contests[station_id].other

    def is_free(self, station_id: str, now: float) -> bool:
        return now < self._contests[station_id].free_until

    def asks(self, station_id: str, now: float) -> bool:
        """Whether others are to be asked now whether they have it."""
        contest = self._contests[station_id]
        due = not contest.asked_at or now - contest.asked_at >= ASKED_EVERY
        if due:
            contest.asked_at = now
        return due

    def forget(self, now: float) -> None:
        """Those of which nothing more was seen."""
        for station_id in [one for one, it in self._contests.items() if now - it.seen_at >= FORGOTTEN_AFTER]:
            del self._contests[station_id]

    def _is(self, contest: _Contest) -> bool:
        return 0 < self._takeovers <= contest.takeovers
