"""The dead letters of one service and their replays: the records of its topic, folded in order.

To send a dead letter back, a run first writes a claim to its partition; of several claims with the same number the
first in the log's order is valid, and all readers of the partition see the same one. Then the run sends the record, and
then writes that it did. So two operators at once send nothing twice, and a run that breaks off leaves a claim without
that record: perhaps sent, shown as such, and sent again only with --again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.common.kafka.bus import Record
from services.common.kafka.dead_letters import PREFIX
from voltbus.operator.dead_letters.dead_letter import DeadLetter, read

CLAIM, SENT = b"claimed", b"sent"
STEP, OFFSET = f"{PREFIX}replay", f"{PREFIX}replay-offset"
NUMBER, RUN, AT = f"{PREFIX}replay-number", f"{PREFIX}replay-run", f"{PREFIX}replay-at"

Position = tuple[int, int]


class State(StrEnum):
    """Of a dead letter: not sent back; claimed, and perhaps sent; sent back."""

    OPEN = "open"
    REPLAYING = "replaying"
    REPLAYED = "replayed"


@dataclass(slots=True)
class Claim:
    """The valid claim among those with its number. sent: whether its run has recorded that."""

    run: str
    at: str
    sent: bool = False


@dataclass(slots=True)
class DeadLetterTopic:
    """The dead letters on a service's topic for which `fits` is true.

    claims: of each dead letter, in the order of their numbers.
    """

    service: str
    fits: Callable[[DeadLetter], bool]
    letters: dict[Position, DeadLetter] = field(default_factory=dict)
    claims: dict[Position, list[Claim]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Adds the next record of a partition."""
        headers = dict(record.headers)
        if STEP not in headers:
            letter = read(self.service, record)
            if self.fits(letter):
                self.letters[letter.partition, letter.offset] = letter
            return
        try:
            place, number = (record.partition or 0, int(headers[OFFSET])), int(headers[NUMBER])
            step, run, at = headers[STEP], headers[RUN].decode(), headers[AT].decode()
        except (KeyError, ValueError):
            return  # not written by a replay
        claims = self.claims.setdefault(place, [])
        if step == CLAIM and number == len(claims) + 1:
            claims.append(Claim(run, at))
        elif step == SENT and 0 < number <= len(claims) and claims[number - 1].run == run:
            claims[number - 1].sent = True

    def state(self, letter: DeadLetter) -> State:
        """By its last claim; open without one."""
        claims = self._of(letter)
        return State.OPEN if not claims else State.REPLAYED if claims[-1].sent else State.REPLAYING

    def sent_at(self, letter: DeadLetter) -> str | None:
        """When it was last claimed, in RFC 3339."""
        claims = self._of(letter)
        return claims[-1].at if claims else None

    def next(self, letter: DeadLetter) -> int:
        """The number of the next claim."""
        return len(self._of(letter)) + 1

    def claimed(self, letter: DeadLetter, number: int) -> bool:
        """Whether there is a valid claim of that number."""
        return len(self._of(letter)) >= number

    def holder(self, letter: DeadLetter, number: int) -> str:
        """The run whose claim of that number is valid."""
        return self._of(letter)[number - 1].run

    def _of(self, letter: DeadLetter) -> list[Claim]:
        return self.claims.get((letter.partition, letter.offset), [])


def replay_record(topic: str, letter: DeadLetter, step: bytes, number: int, run: str, at: datetime) -> Record:
    """A claim, or the record that it was sent, for the dead letter's partition."""
    headers = (
        (STEP, step),
        (OFFSET, b"%d" % letter.offset),
        (NUMBER, b"%d" % number),
        (RUN, run.encode()),
        (AT, at.isoformat().encode()),
    )
    return Record(topic, letter.key, b"", headers, letter.partition)
