"""Stations that are back (ocpp.connections): what they have of their local lists is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.message import DecodeError

from services.auth import local_lists_store as lists_store
from services.auth.store import Store
from services.common.kafka.bus import Record
from services.common.kafka.dead_letters import dead_letter
from services.common.process.clock import Clock
from services.common.process.errors import Unprocessable
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, ConnectionChange

# Seconds for which records are gathered.
LINGER = 0.5
# A station that boots has been let in by then.
SETTLES = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class LocalListReturns:
    """Handles batches. dead: the topic of dead letters."""

    store: Store
    dead: str
    clock: Clock

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """A station that boots connects anew, so that one record tells both."""
        now, back, dead = self.clock(), set[str](), list[Record]()
        for record in records:
            try:
                back |= _back(record)
            except Unprocessable as error:
                dead.append(dead_letter(record, self.dead, error, now))
        if back:
            async with self.store.unit_of_work() as work:
                await lists_store.returned(work.db, back, now + SETTLES)
        return dead


def _back(record: Record) -> set[str]:
    """The station that has connected, if one has and is let in. Raises Unprocessable."""
    try:
        change = ConnectionChange.FromString(record.value or b"")
    except DecodeError:
        raise Unprocessable("not a voltbus.v1.ConnectionChange") from None
    connected = change.state == CONNECTION_STATE_CONNECTED and not change.quarantined
    return {change.station_id} if connected else set()
