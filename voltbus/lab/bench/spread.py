"""How work is spread over processes, and what they make others wait: from the numbers of a scaling."""

from collections.abc import Mapping, Sequence

from voltbus.lab.bench.results import Disturbance, ScalingPhase


def balance(counts: Mapping[str, int]) -> str:
    """`52 / 48 %`."""
    whole = max(1, sum(counts.values()))
    return " / ".join(f"{count / whole:.0%}".removesuffix("%") for count in counts.values()) + " %"


def cost(share: ScalingPhase, kind: str) -> float:
    """CPU µs a message of all processes of a kind, such as "gateway"."""
    return sum(used for name, used in share.cpu_us.items() if name.partition("-")[0] == kind)


def longest(moves: Sequence[Disturbance]) -> Disturbance | None:
    """The longest wait of those that keep a promise: all but a kill."""
    kept = [move for move in moves if "killed" not in move.what and move.what != "nothing"]
    return max(kept, key=lambda move: move.max_ms, default=None)
