"""python -m tests.faults.broken.silent: transactions, which handles everything, and leaves one CALL unanswered."""

import itertools
from collections.abc import Iterable
from datetime import datetime

from services.common import calls
from services.common.bus import Record
from services.common.service import main
from services.transactions import app
from services.transactions.__main__ import real

DROPPED = 100
COUNT = itertools.count(1)


class Silent(calls.Replies):
    """All replies but one."""

    def settle(self, answers: Iterable[tuple[calls.Call, calls.Answer]], now: datetime) -> list[Record]:
        return [reply for reply in super().settle(answers, now) if next(COUNT) != DROPPED]


if __name__ == "__main__":
    app.Replies = Silent  # type: ignore[misc]
    main(real)
