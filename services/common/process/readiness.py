"""What a check of a process answers, where no is not the whole answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NotReady:
    """False, and why: one line for operators, which anybody may read."""

    reason: str

    def __bool__(self) -> bool:
        return False
