"""Events as services publish them, for the tests of what is pushed."""

from collections.abc import Sequence

from google.protobuf.message import Message

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.clock import now
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from voltbus.v1.events_pb2 import StationBooted, Transaction, TransactionStarted

FIRMWARE = "events.firmware"


def record(event: Message, subject: str, service: str = "firmware", form: str = "protobuf", cause: str = "1") -> Record:
    settings = CommonSettings(events_format=form)
    return Events(settings, service, unassigned).record(event, subject, cause, now())


def boots(station: str, numbers: Sequence[int], partition: int | None = None) -> list[Record]:
    """One event each, told apart by their reason."""
    made = (record(StationBooted(station_id=station, reason=str(n)), station, cause=str(n)) for n in numbers)
    return [Record(one.topic, one.key, one.value, one.headers, partition) for one in made]


def started(station: str, transaction_id: str = "t1", groups: Sequence[str] = ()) -> Record:
    transaction = Transaction(id=7, station_id=station, transaction_id=transaction_id, groups=groups, id_token="04A2")
    return record(TransactionStarted(transaction=transaction), station, "transactions")
