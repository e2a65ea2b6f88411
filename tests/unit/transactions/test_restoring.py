"""What others were told of transactions, by the events of it: what a restored schema numbers them by."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.settings import CommonSettings
from services.transactions.restoring import Told, fold
from voltbus.v1 import events_pb2 as pb

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def unassigned(_: str) -> tuple[Sequence[str], str]:
    return (), ""


EVENTS = Events(CommonSettings(), "transactions", unassigned)


def transaction(**fields: object) -> pb.Transaction:
    return pb.Transaction(id=7, station_id="CP1", transaction_id="ABC", **fields)  # type: ignore[arg-type]


def told(*records: Record) -> Told:
    found: dict[int, Told] = {}
    for record in records:
        fold(found, record)
    [only] = found.values()
    return only


def test_it_is_known_by_the_call_of_its_first_event() -> None:
    started = EVENTS.record(pb.TransactionStarted(transaction=transaction()), "CP1", "call-1", NOW)
    updated = EVENTS.record(pb.TransactionUpdated(transaction=transaction()), "CP1", "call-2", NOW)
    one = told(started, updated)
    assert one.event_id == EVENTS.id(pb.TransactionStarted, "CP1", "call-1")
    assert (one.key, one.status, one.revision) == (None, "active", 0)


def test_one_whose_end_was_told_first_is_known_by_what_its_station_calls_it() -> None:
    """The id of that event is made of the number that is looked for."""
    ended = transaction(status=pb.TRANSACTION_STATUS_ENDED, revision=1, review=pb.REVIEW_HELD)
    one = told(EVENTS.record(pb.TransactionEnded(transaction=ended), "CP1", "7/1", NOW))
    assert (one.key, one.status, one.review, one.revision, one.energy_wh) == ("id:abc", "ended", "held", 1, None)


def test_the_state_of_the_highest_revision_counts() -> None:
    """What is told again, by a relay that died or after another restore, is behind what it told."""
    first, second = (
        EVENTS.record(
            pb.TransactionRevised(
                transaction=transaction(status=pb.TRANSACTION_STATUS_ENDED, revision=number, energy_wh=number * 100)
            ),
            "CP1",
            f"7/{number}",
            NOW,
        )
        for number in (2, 3)
    )
    one = told(first, second, first)
    assert (one.revision, one.energy_wh) == (3, 300)


def test_an_update_that_is_told_again_opens_nothing() -> None:
    """An operator had closed it, the schema was restored, and what its station had said was told again."""
    updated = EVENTS.record(pb.TransactionUpdated(transaction=transaction()), "CP1", "call-2", NOW)
    state = transaction(status=pb.TRANSACTION_STATUS_ENDED, revision=1, review=pb.REVIEW_HELD)
    ended = EVENTS.record(pb.TransactionEnded(transaction=state), "CP1", "7/1", NOW)
    assert (told(updated, ended, updated).status, told(updated, ended, updated).review) == ("ended", "held")


def test_other_events_are_passed_over() -> None:
    found: dict[int, Told] = {}
    fold(found, EVENTS.record(pb.OrphanStopRecorded(station_id="CP1"), "CP1", "call-1", NOW))
    fold(found, Record("events.transactions", b"CP1", b"", (("ce_type", b"voltbus.v1.OfTheNextRelease"),)))
    assert found == {}
