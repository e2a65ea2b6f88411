"""What a run has found out: a row a fault, and every breach. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from voltbus.lab.chaos.expected import Books, Said
from voltbus.lab.chaos.observed import Command, Told, Whole
from voltbus.lab.chaos.violation import Breach

# Seconds: a CALL that waits longer is not being served; and how long after a part's return that may be so.
SLOW = 1.0
RECOVERY = 10.0


@dataclass(frozen=True, slots=True)
class Row:
    """One fault. began, back, ended: of the blow, the part's return, and the next blow, in seconds since 1970.

    down: seconds between the first two; none where nothing was struck. recovery: from the return to the last answer
    that had been waited for longer than SLOW; None where that did not come. wait: the longest of a station. fell: parts
    that ended by themselves meanwhile.
    """

    fault: str
    began: float
    back: float
    ended: float = 0.0
    down: float = 0.0
    recovery: float | None = 0.0
    wait: float = 0.0
    fell: tuple[str, ...] = ()
    sent: int = 0
    acknowledged: int = 0
    repeated: int = 0
    commands: int = 0
    breaches: Mapping[str, int] = field(default_factory=dict)

    @property
    def recovered(self) -> bool:
        return self.recovery is not None and self.recovery <= RECOVERY


@dataclass(slots=True)
class Results:
    """facts: of the machine. totals: of the whole run, by name."""

    seed: int
    facts: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        """Whether everything that was promised was kept."""
        return not self.breaches and all(row.recovered for row in self.rows)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "seed": self.seed,
            "facts": dict(self.facts),
            "rows": [asdict(row) for row in self.rows],
            "breaches": [asdict(breach) for breach in self.breaches],
            "totals": self.totals,
        }


def counted(row: Row, books: Books, commands: Sequence[Command], breaches: Iterable[Breach]) -> Row:
    """With what its time holds: every command and breach belongs to the row in which it began.

    A message belongs to the row in which it was answered: one that the next blow met under way waits for that one.
    """
    said = [one for one in books.said() if row.began <= (one.done or one.due) < row.ended]
    found = Counter(breach.what for breach in breaches if row.began <= breach.at < row.ended)
    return replace(
        row,
        sent=sum(len(one.tries) for one in said),
        acknowledged=sum(one.acknowledged for one in said),
        repeated=sum(len(one.tries) - 1 for one in said if one.tries),
        commands=sum(row.began <= one.created_at.timestamp() < row.ended for one in commands),
        wait=max((one.waited for one in said if one.done), default=0.0),
        breaches=dict(found),
    )


def told_of(row: Row, breaches: Iterable[Breach]) -> str:
    """One line about a row whose time has just ended."""
    back = "not served again" if row.recovery is None else f"served again after {row.recovery:.1f} s"
    found = Counter(breach.what for breach in breaches if breach.at >= row.began)
    wrong = "".join(f", {count} {what}" for what, count in found.items())
    fell = f", fell: {', '.join(row.fell)}" if row.fell else ""
    return f"down {row.down:.1f} s, {back}{wrong}{fell}"


def recovery(said: Iterable[Said], back: float) -> float:
    """Seconds from a part's return to the last answer that came slowly; `said`: since the blow."""
    slow = [one.done for one in said if one.done and one.waited > SLOW and one.done > back]
    return max(slow, default=back) - back


def totals(books: Books, whole: Whole, told: Told) -> dict[str, int]:
    """The sums of a run."""
    said = list(books.said())
    return {
        "sessions": len(books.charges),
        "messages": len(said),
        "CALLs": sum(len(one.tries) for one in said),
        "messages acknowledged": sum(one.acknowledged for one in said),
        "transactions": len(whole.kept.transactions),
        "samples": whole.kept.samples.total(),
        "events": len(told.events),
        "commands": len(whole.commands),
        "commands received": len(books.received),
        **{
            f"commands {end}": count for end, count in Counter(it.outcome or it.status for it in whole.commands).items()
        },
    }
