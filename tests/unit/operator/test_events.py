"""Events as `voltbus events` shows them, and which it shows."""

import pytest

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.clock import now
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from voltbus.errors import LocalError
from voltbus.operator.events import Event, Filter, line, parse_filter, read
from voltbus.v1.events_pb2 import AuthorizationDecided, TokenChanged, Transaction, TransactionStarted

CARD = "04A2B3C4D5E6F7"
STARTED = TransactionStarted(transaction=Transaction(id=7, station_id="CP1", id_token=CARD))


def record(event: object, service: str, subject: str, form: str) -> Record:
    return Events(CommonSettings(events_format=form), service, unassigned).record(event, subject, "cause", now())  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_an_event_in_one_line(form: str) -> None:
    event = read(record(STARTED, "transactions", "CP1", form), "events.transactions")
    assert (event.type, event.subject, event.station) == ("TransactionStarted", "CP1", "CP1")
    assert event.attributes["type"] == "voltbus.v1.TransactionStarted"
    assert line(event) == "id=7 id_token=…E6F7"


def test_tokens_are_masked_wherever_they_stand() -> None:
    made = record(TokenChanged(id_token=CARD), "auth", CARD.lower(), "protobuf")
    event = read(made, "events.auth")
    assert CARD.lower() not in str(event).lower()
    assert event.subject == "…e6f7"
    full = read(made, "events.auth", mask=False)
    assert (full.subject, full.data) == (CARD.lower(), {"id_token": CARD})


def test_what_cannot_be_read_is_shown_as_such() -> None:
    event = read(Record("events.auth", b"CP1", b"\xff", (("ce_type", b"voltbus.v1.StationChanged"),)), "events.auth")
    assert (event.data, line(event)) == (None, "cannot be read")


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(()), True),
        (Filter((), "CP1"), True),
        (Filter((), "CP2"), False),
        (Filter((), "CP1", frozenset({"TransactionStarted"})), True),
        (Filter((), "", frozenset({"TransactionEnded"})), False),
    ],
)
def test_which_are_shown(wanted: Filter, fits: bool) -> None:
    assert wanted.fits(read(record(STARTED, "transactions", "CP1", "protobuf"), "events.transactions")) is fits


def test_a_station_is_also_found_inside() -> None:
    decided = AuthorizationDecided(station_id="CP1", id_token=CARD)
    event = read(record(decided, "auth", "CP1", "protobuf"), "events.auth")
    assert Filter((), "CP1").fits(Event({**event.attributes, "subject": "a site"}, event.type, event.data))


def test_types_in_any_case() -> None:
    assert parse_filter([], "", ["transactionSTARTED"]).types == {"TransactionStarted"}
    with pytest.raises(LocalError, match=r"^there is no event TransactionStart: did you mean TransactionStarted\?$"):
        parse_filter([], "", ["TransactionStart"])
    with pytest.raises(
        LocalError,
        match=r"^there is no event xyz: choose from AuthorityAdded, AuthorityRemoved, ",
    ):
        parse_filter([], "", ["xyz"])
    with pytest.raises(LocalError, match=r"^there is no service cards: choose from auth, transactions"):
        parse_filter(["cards"], "", [])
