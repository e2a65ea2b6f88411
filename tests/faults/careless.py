"""python -m tests.faults.careless: transactions, which breaks two promises on purpose, so that it shows who sees that.

It commits offsets first, and dies before it does the rest; and it leaves one CALL without an answer.
"""

import itertools
import os
import signal
from collections.abc import Iterable, Sequence
from datetime import datetime
from unittest.mock import patch

from services.common.calls import batch, call, replies
from services.common.kafka import broker
from services.common.kafka.bus import Record
from services.common.kafka.readers import KafkaSubscription
from services.common.process.service import main
from services.common.wiring import real
from services.transactions import app
from services.transactions.settings import Settings

# It dies after so many batches, with the next that has a message which the gateway has answered.
BATCHES = 40
DROPPED = 20
COUNT = itertools.count(1)


class Hasty(KafkaSubscription):
    """What it hands out counts as done."""

    polls = 0

    async def poll(self) -> Sequence[Record]:
        if records := await super().poll():
            await self.commit({(record.topic, record.partition or 0): record.offset + 1 for record in records})
            self.polls += 1
            if self.polls > BATCHES and any(b"MeterValues" in (record.value or b"") for record in records):
                os.kill(os.getpid(), signal.SIGKILL)
        return records


class Silent(replies.Replies):
    """All replies but one."""

    def settle(self, answers: Iterable[tuple[call.Call, call.Answer]], now: datetime) -> list[Record]:
        return [reply for reply in super().settle(answers, now) if next(COUNT) != DROPPED]


if __name__ == "__main__":
    with patch.object(broker, "KafkaSubscription", Hasty), patch.object(batch, "Replies", Silent):
        main(lambda: real(app.NAME, Settings, app.build))
