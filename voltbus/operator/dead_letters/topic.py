"""The dead letters of one service, and who sends which of them back: what its topic says, folded in its order.

Whoever wants to send a letter back first writes a claim behind it, on its partition; of several claims with the same
number the first in the log's order holds, and all who read the partition see the same one. Then the record is sent,
and then a note that it was. So two operators at once send nothing twice, and a run that breaks off leaves a claim
without a note: perhaps sent, which is shown, and sent again only when it is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.common.kafka.bus import Record
from services.common.kafka.dead_letters import PREFIX
from voltbus.operator.dead_letters.dead_letter import Letter, read

CLAIM, SENT = b"claimed", b"sent"
STEP, OFFSET = f"{PREFIX}replay", f"{PREFIX}replay-offset"
NUMBER, RUN, AT = f"{PREFIX}replay-number", f"{PREFIX}replay-run", f"{PREFIX}replay-at"

Place = tuple[int, int]


class State(StrEnum):
    """What became of a letter: nothing yet; claimed, and perhaps sent; sent back."""

    OPEN = "open"
    REPLAYING = "replaying"
    REPLAYED = "replayed"


@dataclass(slots=True)
class Claim:
    """The one that holds among those with its number. run: whose it is. sent: whether that run says so."""

    run: str
    at: str
    sent: bool = False


@dataclass(slots=True)
class Box:
    """What stands on the topic of dead letters of a service, as far as it `fits`.

    claims: of each letter, the first number first.
    """

    service: str
    fits: Callable[[Letter], bool]
    letters: dict[Place, Letter] = field(default_factory=dict)
    claims: dict[Place, list[Claim]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """The next record of a partition."""
        said = dict(record.headers)
        if STEP not in said:
            letter = read(self.service, record)
            if self.fits(letter):
                self.letters[letter.partition, letter.offset] = letter
            return
        try:
            place, number = (record.partition or 0, int(said[OFFSET])), int(said[NUMBER])
            step, run, at = said[STEP], said[RUN].decode(), said[AT].decode()
        except (KeyError, ValueError):
            return  # no note of ours
        claims = self.claims.setdefault(place, [])
        if step == CLAIM and number == len(claims) + 1:
            claims.append(Claim(run, at))
        elif step == SENT and 0 < number <= len(claims) and claims[number - 1].run == run:
            claims[number - 1].sent = True

    def state(self, letter: Letter) -> State:
        """Of its last claim; one that has none is open."""
        claims = self._of(letter)
        return State.OPEN if not claims else State.REPLAYED if claims[-1].sent else State.REPLAYING

    def sent_at(self, letter: Letter) -> str | None:
        """When it was last claimed, in RFC 3339."""
        claims = self._of(letter)
        return claims[-1].at if claims else None

    def next(self, letter: Letter) -> int:
        """The number of the claim that would send it back now."""
        return len(self._of(letter)) + 1

    def claimed(self, letter: Letter, number: int) -> bool:
        """Whether somebody's claim of that number holds."""
        return len(self._of(letter)) >= number

    def holder(self, letter: Letter, number: int) -> str:
        """Whose claim of that number holds."""
        return self._of(letter)[number - 1].run

    def _of(self, letter: Letter) -> list[Claim]:
        return self.claims.get((letter.partition, letter.offset), [])


def note(topic: str, letter: Letter, step: bytes, number: int, run: str, at: datetime) -> Record:
    """A claim, or the note that the record was sent, for the letter's partition of its topic."""
    headers = (
        (STEP, step),
        (OFFSET, b"%d" % letter.offset),
        (NUMBER, b"%d" % number),
        (RUN, run.encode()),
        (AT, at.isoformat().encode()),
    )
    return Record(topic, letter.key, b"", headers, letter.partition)
