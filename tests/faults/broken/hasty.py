"""python -m tests.faults.broken.hasty: transactions, which commits offsets first, and dies before it does the rest."""

import os
import signal
from collections.abc import Sequence

from services.common import kafka
from services.common.bus import Record
from services.common.service import main
from services.transactions.__main__ import real

# It dies after so many batches, with the next that has a message which the gateway has answered.
BATCHES = 40


class Hasty(kafka.KafkaSubscription):
    """What it hands out counts as done."""

    polls = 0

    async def poll(self) -> Sequence[Record]:
        if records := await super().poll():
            await self.commit()
            self.polls += 1
            if self.polls > BATCHES and any(b"MeterValues" in (record.value or b"") for record in records):
                os.kill(os.getpid(), signal.SIGKILL)
        return records


if __name__ == "__main__":
    kafka.KafkaSubscription = Hasty  # type: ignore[misc]
    main(real)
