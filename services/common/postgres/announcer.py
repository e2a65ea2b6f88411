"""What operators have done, told as events: kept in the outbox with what they tell of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from google.protobuf.message import Message

from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection


@dataclass(frozen=True, slots=True)
class Announcer:
    """wake: called when the outbox has rows (after a commit)."""

    events: Events
    wake: Callable[[], None]

    async def add(self, db: Connection, event: Message, subject: str, at: datetime) -> None:
        """Within the caller's transaction. Each time is an event of its own. subject: see Events.record."""
        await outbox.add(db, [self.events.record(event, subject, uuid4().hex, at)])
