"""The results of a run: a row a fault, and every violation. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from voltbus.lab.chaos.expected import Expected, Message
from voltbus.lab.chaos.observed import CommandRow, Observed, StoredState
from voltbus.lab.chaos.violation import Violation

# Seconds: a CALL that waits longer is not being served; and how long that may last after a target's return.
SLOW = 1.0
RECOVERY = 10.0


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault. began, back, ended: the injection, the target's return, and the next injection; seconds since 1970.

    down: seconds between the first two; 0 without a target. recovery: from the return to the last answer
    that took longer than SLOW; None if that did not come. wait: the longest of a station.
    fell: processes that ended by themselves meanwhile.
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
    violations: Mapping[str, int] = field(default_factory=dict)

    @property
    def recovered(self) -> bool:
        return self.recovery is not None and self.recovery <= RECOVERY


@dataclass(slots=True)
class ChaosResults:
    """facts: of the machine. totals: of the whole run, by name. load: a sentence about the stations."""

    seed: int
    facts: Mapping[str, str]
    rows: list[FaultRow] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    load: str = ""

    @property
    def kept(self) -> bool:
        """Whether nothing was violated and every target recovered in time."""
        return not self.violations and all(row.recovered for row in self.rows)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "seed": self.seed,
            "facts": dict(self.facts),
            "load": self.load,
            "rows": [asdict(row) for row in self.rows],
            "violations": [asdict(violation) for violation in self.violations],
            "totals": self.totals,
        }


def with_counts(
    row: FaultRow, expected: Expected, commands: Sequence[CommandRow], violations: Iterable[Violation]
) -> FaultRow:
    """The row with its counts: every command and violation belongs to the row in which it began.

    A message belongs to the row in which it was answered: one that is under way at the next injection is counted there.
    """
    messages = [one for one in expected.messages() if row.began <= (one.done or one.due) < row.ended]
    found = Counter(violation.what for violation in violations if row.began <= violation.at < row.ended)
    return replace(
        row,
        sent=sum(len(one.attempts) for one in messages),
        acknowledged=sum(one.acknowledged for one in messages),
        repeated=sum(len(one.attempts) - 1 for one in messages if one.attempts),
        commands=sum(row.began <= one.created_at.timestamp() < row.ended for one in commands),
        wait=max((one.waited for one in messages if one.done), default=0.0),
        violations=dict(found),
    )


def summary(row: FaultRow, violations: Iterable[Violation]) -> str:
    """One line about a row whose time has just ended."""
    back = "not served again" if row.recovery is None else f"served again after {row.recovery:.1f} s"
    found = Counter(violation.what for violation in violations if violation.at >= row.began)
    wrong = "".join(f", {count} {what}" for what, count in found.items())
    fell = f", fell: {', '.join(row.fell)}" if row.fell else ""
    return f"down {row.down:.1f} s, {back}{wrong}{fell}"


def recovery(messages: Iterable[Message], back: float) -> float:
    """Seconds from a target's return to the last slow answer. messages: since the injection."""
    slow = [one.done for one in messages if one.done and one.waited > SLOW and one.done > back]
    return max(slow, default=back) - back


def totals(expected: Expected, whole: StoredState, observed: Observed) -> dict[str, int]:
    """The sums of a run."""
    messages = list(expected.messages())
    return {
        "sessions": len(expected.sessions),
        **{
            f"of them {habit}": count for habit, count in Counter(it.habit for it in expected.sessions).items() if habit
        },
        "messages": len(messages),
        "CALLs": sum(len(one.attempts) for one in messages),
        "messages acknowledged": sum(one.acknowledged for one in messages),
        "transactions": len(whole.kept.transactions),
        "samples": whole.kept.samples.total(),
        "events": len(observed.events),
        "commands": len(whole.commands),
        "commands received": len(expected.received),
        **{
            f"commands {end}": count for end, count in Counter(it.outcome or it.status for it in whole.commands).items()
        },
    }
