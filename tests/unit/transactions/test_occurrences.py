"""What looks the same and is another session, and what is the same told again."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.decide import decide
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind, Started
from services.transactions.domain.metering import past_values
from services.transactions.domain.occurrences import begins_anew, occurrence_of
from services.transactions.domain.revisions import RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions import making
from tests.unit.transactions.making import NOON, at, register, report, start

ACCEPTED = TokenInfo(Authorization.ACCEPTED)
LONG = "0b1f6f6e-6c1c-4a47-9d53-0f4b7a5f0f55"


def folded(*reports: Report) -> Transaction:
    current: Transaction | None = None
    for one in reports:
        current = decide(current, one, 7).transaction
    assert current
    return current


def stop(minute: float, clock: datetime = NOON) -> Report:
    """Of 1.6, received then. clock: of the station, which stands still unless it is told."""
    more = {"at": clock, "received_at": at(minute), "end_wh": 3000.0}
    said = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=7, **more)
    return replace(said, seq_no=None)


def began(clock: datetime = NOON, received: float = 0.1, message: tuple[str, str] = ("a", "1")) -> Report:
    return start(at=clock, received_at=at(received), message=message)


@pytest.mark.parametrize(
    ("first", "again", "anew"),
    [
        pytest.param(began(), began(received=6, message=("a", "3")), True, id="a start after the stop"),
        pytest.param(began(), began(received=4, message=("a", "3")), False, id="received before the stop"),
        pytest.param(began(), began(received=6), False, id="the same message"),
        pytest.param(began(message=("a", LONG)), began(received=6, message=("b", LONG)), False, id="elsewhere"),
        pytest.param(began(), began(received=6, message=("b", "1")), True, id="a number counted anew after a boot"),
        pytest.param(began(), began(received=60, message=("b", "3")), True, id="later, of a clock that stands still"),
        pytest.param(
            began(at(-600)), began(at(-600), 6, ("b", "3")), True, id="both told late: a clock that starts anew with it"
        ),
        *(
            pytest.param(began(clock), began(clock, 6, ("a", "3")), True, id=f"a clock of {clock.year}")
            for clock in (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2025, 2099))
        ),
    ],
)
def test_a_start_that_looks_like_one_that_was_stopped(first: Report, again: Report, anew: bool) -> None:
    """1.6: another session, whatever the clock says, unless it is the first told again."""
    current = folded(first, stop(5))
    assert begins_anew(current, again) is anew
    after = decide(current, again, 8).transaction
    assert after
    assert (after.id, after.occurrence) == ((8, 2) if anew else (7, 1))


GUESSED = [EndedBy.OPERATOR, EndedBy.AVAILABLE, EndedBy.ASKED, EndedBy.JOINED]


@pytest.mark.parametrize("by", GUESSED)
def test_a_start_after_an_end_that_nobody_reported_is_another_too(by: EndedBy) -> None:
    """Of a clock that nobody has set."""
    ended, _ = end(folded(began(at(-600))), by, at(5), at(5))
    assert begins_anew(ended, began(at(-600), received=6, message=("a", "3")))


@pytest.mark.parametrize("message", [("a", "3"), ("b", "1"), ("b", "3"), ("b", LONG)])
@pytest.mark.parametrize("received", [0.2, 1, 2, 6, 60])
def test_what_a_right_clock_says_again_is_the_first(message: tuple[str, str], received: float) -> None:
    """A queue that survived a boot, however soon: the clock has left that time (1.6)."""
    again = began(received=received, message=message)
    current = folded(began(message=("a", LONG)), stop(0.15, at(0.1)))
    assert not begins_anew(current, again)
    assert decide(current, again).transaction is current
    for by in GUESSED:
        ended, _ = end(folded(began()), by, at(0.1), at(0.15))
        assert not begins_anew(ended, again)


def test_within_one_second_the_message_tells_sessions_apart() -> None:
    """A right clock that tells no more than seconds."""
    current = folded(began(), stop(0.11))
    assert begins_anew(current, began(received=0.12, message=("a", "3")))
    assert not begins_anew(current, began(received=0.12, message=("b", "3")))


def test_an_own_end_corrects_what_was_guessed_before_the_start_was_told_again() -> None:
    """It is a revision of the one session, not a second bill of the same energy."""
    ended, first = end(folded(began()), EndedBy.AVAILABLE, at(5), at(5))
    again = decide(ended, began(received=6, message=("b", "3")))
    assert again.reply == Started(7, None)
    own = decide(again.transaction, stop(8, at(7)))
    assert own.transaction
    assert first
    assert own.revision
    assert (own.transaction.id, own.transaction.ended_by, own.transaction.energy_wh) == (7, "station", 2000)
    assert (first.number, own.revision.number, own.revision.reason) == (1, 2, RevisionReason.LATE_END)


@pytest.mark.parametrize("clock", [at(-600), datetime(1970, 1, 1, tzinfo=UTC)])
def test_where_the_clock_does_not_tell_them_apart_the_second_is_held(clock: datetime) -> None:
    """Told twice, it would be billed twice; taken for one, a bill would be lost."""
    first = folded(began(clock), stop(5, clock))
    second = decide(first, began(clock, 6, ("b", "3")), 8).transaction
    assert second
    assert (second.details["looks_like"], Doubt.TOLD_AGAIN in second.doubts) == (7, True)
    ended = decide(second, replace(stop(9, clock), number=8)).transaction
    assert ended
    assert ended.review == "held"
    assert Doubt.TOLD_AGAIN not in first.doubts


def test_what_a_newer_start_has_ended_is_not_begun_anew_by_its_own() -> None:
    """Its clock moves, so that the same time again is history."""
    ended, _ = end(folded(began()), EndedBy.SUPERSEDED, at(5), at(5))
    assert not begins_anew(ended, began(received=6, message=("a", "3")))


def event(kind: ReportKind, minute: float, received: float | None = None, **more: Any) -> Report:
    """Of 2.x."""
    return report(kind, at=at(minute), received_at=at(minute if received is None else received), **more)


ENDED = folded(event(ReportKind.STARTED, 0), event(ReportKind.ENDED, 10, seq_no=2))


@pytest.mark.parametrize(
    ("again", "anew"),
    [
        pytest.param(event(ReportKind.STARTED, 20), True, id="a new start"),
        pytest.param(event(ReportKind.STARTED, 0, 20), False, id="the first told again"),
        pytest.param(event(ReportKind.STARTED, 20, 5), False, id="read again"),
        pytest.param(event(ReportKind.UPDATED, 20, seq_no=3), False, id="something else"),
        pytest.param(event(ReportKind.STARTED, 20, trigger="TxResumed"), False, id="it goes on after a boot"),
    ],
)
def test_a_transaction_id_used_again(again: Report, anew: bool) -> None:
    """2.x: of a newer time, after the end; E17.FR.14."""
    assert begins_anew(ENDED, again) is anew


FIRST = folded(
    event(ReportKind.STARTED, 0, evse_id=1, id_token="CARD1"), event(ReportKind.UPDATED, 15, seq_no=1, evse_id=1)
)


@pytest.mark.parametrize(
    ("again", "anew"),
    [
        pytest.param({"id_token": "CARD2"}, True, id="another card"),
        pytest.param({"id_token": "CARD1"}, True, id="the same card, its numbers begin anew"),
        pytest.param({}, True, id="no card"),
        pytest.param({"evse_id": 2}, True, id="another EVSE"),
        pytest.param({"evse_id": 2, "seq_no": 2}, False, id="moved, and mislabelled"),
        pytest.param({"id_token": "CARD2", "seq_no": 2}, False, id="its next card, mislabelled"),
        pytest.param({"seq_no": 1}, False, id="mislabelled"),
        pytest.param({"seq_no": 1, "id_token": "CARD2"}, True, id="the number and another card"),
        pytest.param({"trigger": "TxResumed"}, False, id="it goes on after a boot"),
        pytest.param({"at": NOON}, False, id="told again"),
        pytest.param({"at": at(-5)}, True, id="older, told late"),
        pytest.param({"at": at(-5), "id_token": "CARD2"}, True, id="older, another card"),
        pytest.param({"at": at(-5), "trigger": "TxResumed"}, False, id="older, and goes on"),
        pytest.param({"at": at(-5), "received_at": at(-15)}, False, id="older, of a clock that is ahead"),
        pytest.param({"at": at(20), "received_at": at(2)}, False, id="a clock that is ahead"),
    ],
)
def test_a_transaction_id_used_again_whose_end_was_lost(again: dict[str, Any], anew: bool) -> None:
    """2.x: a transaction has one start, and its numbers rise (E01, E §1.3.2)."""
    more = {"at": at(30), "received_at": at(30), "evse_id": 1} | again
    assert begins_anew(FIRST, report(ReportKind.STARTED, **more)) is anew


@pytest.mark.parametrize("card", [None, "CARD1", "CARD2"])
@pytest.mark.parametrize("evse_id", [None, 1, 2])
def test_a_second_start_of_the_same_number_is_another_if_it_is_certainly_newer(
    card: str | None, evse_id: int | None
) -> None:
    """2.x: what is told again has its time (E04); by a clock that was wrong it is one that is held."""
    alone = folded(event(ReportKind.STARTED, 0, evse_id=1, id_token="CARD1"))
    again = event(ReportKind.STARTED, 2, evse_id=evse_id, seq_no=0, id_token=card)
    assert begins_anew(alone, again)
    assert not begins_anew(alone, replace(again, trigger="TxResumed"))
    [one] = history(event(ReportKind.STARTED, 0), again := replace(again, at=NOON.replace(year=1970)), again)
    assert one.details == {"may_be_two": True}


def test_the_second_of_an_id_ends_the_first_and_pays_for_itself() -> None:
    """The end of the first is lost with the power: CARD1 pays 2000 Wh, CARD2 1500."""
    first = making.folded(
        event(ReportKind.STARTED, 0, evse_id=1, id_token="CARD1", meter_values=(register(at(0), 1000),)),
        event(ReportKind.UPDATED, 15, seq_no=1, meter_values=(register(at(15), 3000),)),
    )
    told = event(ReportKind.STARTED, 30, evse_id=1, id_token="CARD2", meter_values=(register(at(30), 3500),))
    begun = decide(first, told, 8, open_ones=[first])
    [(ended, revision)] = begun.others
    second = begun.transaction
    assert second
    assert revision
    assert (ended.id, ended.ended_by, ended.superseded_by, ended.id_token) == (7, "superseded", 8, "CARD1")
    assert (ended.energy_wh, second.id_token, second.occurrence) == (2000, "CARD2", 2)
    for late in (event(ReportKind.UPDATED, 20, 40, seq_no=2), event(ReportKind.ENDED, 25, 40, seq_no=3)):
        assert occurrence_of([ended, second], late) is ended
    last = event(ReportKind.ENDED, 45, seq_no=1, meter_values=(register(at(45), 5000),))
    assert occurrence_of([ended, second], last) is second
    done = decide(second, last).transaction
    assert done
    assert (done.energy_wh, done.review) == (1500, "none")


def test_one_id_at_two_evses_at_once_are_two() -> None:
    """Each report is of the one whose EVSE it names."""
    second = replace(folded(event(ReportKind.STARTED, 20, evse_id=2, id_token="CARD2")), id=8, occurrence=2)
    both = [FIRST, second]
    assert occurrence_of(both, event(ReportKind.UPDATED, 25, seq_no=1, evse_id=1)) is FIRST
    assert occurrence_of(both, event(ReportKind.UPDATED, 25, seq_no=1, evse_id=2)) is second
    assert occurrence_of(both, event(ReportKind.UPDATED, 25, seq_no=1)) is second
    assert occurrence_of(both, event(ReportKind.UPDATED, 10, 25, seq_no=1)) is FIRST
    assert occurrence_of(both, event(ReportKind.STARTED, 0, 26, evse_id=1)) is FIRST
    assert occurrence_of(both, event(ReportKind.STARTED, 20, 26, evse_id=2)) is second
    third = event(ReportKind.STARTED, 30, evse_id=1)
    found = occurrence_of([decide(FIRST, event(ReportKind.ENDED, 26, seq_no=2)).transaction or FIRST, second], third)
    assert found is second
    assert begins_anew(second, third)


def test_a_start_that_was_not_told_yet_comes_late() -> None:
    """Of a clock that was set in between."""
    assert not begins_anew(folded(event(ReportKind.ENDED, 10, seq_no=2)), event(ReportKind.STARTED, 20))


def test_reports_find_their_occurrence() -> None:
    second = replace(folded(event(ReportKind.STARTED, 20)), id=8, occurrence=2)
    both = [ENDED, second]
    assert occurrence_of([], event(ReportKind.UPDATED, 21)) is None
    assert occurrence_of(both, event(ReportKind.UPDATED, 21, seq_no=1)) is second
    assert occurrence_of(both, event(ReportKind.ENDED, 22, seq_no=2)) is second
    assert occurrence_of(both, event(ReportKind.UPDATED, 5, 30, seq_no=1, offline=True)) is ENDED
    assert occurrence_of(both, event(ReportKind.STARTED, 0, 30)) is ENDED
    # Read again, it is what it was when it was first read.
    assert occurrence_of(both, event(ReportKind.UPDATED, 5, 5, seq_no=1)) is ENDED
    # A clock that was set back in between.
    assert occurrence_of(both, event(ReportKind.UPDATED, 15, 30, seq_no=1)) is second


@given(st.lists(st.sampled_from(["start", "stop", "retry", "again"]), max_size=12))
def test_sessions_of_a_clock_that_stands_still(words: list[str]) -> None:
    """1.6, meterStart 0, one time for ever: each stop is followed by another session, each retry by none."""
    occurrences: list[Transaction] = []
    expected, minute = 0, 0.0
    for word in words:
        minute += 1
        said = began(datetime(2020, 1, 1, tzinfo=UTC), minute, ("a", str(minute)))
        current = occurrence_of(occurrences, said)
        if word == "stop" and current:
            after = decide(current, replace(stop(minute), number=current.id)).transaction
        elif word == "again" and current:
            # The first of all, out of the log.
            said = replace(said, received_at=current.started_received_at)
            after = decide(occurrence_of(occurrences, said), said, 99).transaction
        elif word in ("start", "retry"):
            expected += current is None or current.ended
            after = decide(current, said, expected).transaction
        else:
            continue
        assert after
        occurrences = [one for one in occurrences if one.id != after.id] + [after]
        occurrences.sort(key=lambda one: one.occurrence)
    assert [one.occurrence for one in occurrences] == [*range(1, expected + 1)]
    assert all(one.ended for one in occurrences[:-1])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.data())
def test_a_queue_of_a_right_clock_told_again_begins_nothing(lengths: list[int], data: st.DataObject) -> None:
    """1.6: sessions of some minutes, one after the other; then any of it again, over another connection."""
    occurrences: list[Transaction] = []
    minute = 0.0
    told: list[Report] = []
    for number, length in enumerate(lengths):
        said = began(at(minute), minute + 0.1, ("a", str(number)))
        told.append(replace(said, key=f"start:{minute}"))
        begun = decide(None, told[-1], number).transaction
        minute += length + 0.5
        occurrences.append(folded_on(begun, stop(minute + 0.1, at(minute)), number))
    again = data.draw(st.lists(st.integers(0, len(told) - 1), max_size=8))
    for n, which in enumerate(again):
        received = at(minute + 0.2 + n * data.draw(st.floats(0, 100)))
        start_again = replace(told[which], received_at=received, message=("b", str(n)))
        assert decide(occurrences[which], start_again).transaction is occurrences[which]


def folded_on(current: Transaction | None, ended: Report, number: int) -> Transaction:
    after = decide(current, replace(ended, number=number)).transaction
    assert after
    return after


def history(*reports: Report) -> list[Transaction]:
    """The transactions of one key after reports, as a batch decides them; by their start."""
    known: dict[int, Transaction] = {}
    told: dict[int, list[Report]] = {}
    for one in reports:
        current = occurrence_of([*known.values()], one)
        more: dict[str, Any] = {"token": ACCEPTED if one.id_token else None, "open_ones": [*known.values()]}
        number = len(known) + 1
        decision = decide(current, one, number, occurrence=number, **more)
        if decision.needs_past:
            pasts = {which: past_values(told.get(which, [])) for which in decision.needs_past}
            decision = decide(current, one, number, occurrence=number, **more, pasts=pasts)
        after = decision.transaction
        assert after
        known |= {after.id: after} | {other.id: other for other, _ in decision.others}
        told.setdefault(after.id, []).append(one)
    return sorted(known.values(), key=lambda one: one.started_at)


def session(card: str, minute: float, wh: float, received: float | None = None, **more: Any) -> list[Report]:
    """Of 2.x at EVSE 1: 20 minutes, 2000 Wh. received: when its first report is, the others a minute later each."""
    kinds = (ReportKind.STARTED, ReportKind.UPDATED, ReportKind.ENDED)
    own: list[dict[str, Any]] = [{"id_token": card, "evse_id": 1}, {}, {}]
    return [
        event(
            kind,
            minute + 10 * n,
            None if received is None else received + n,
            **({"seq_no": n, "meter_values": (register(at(minute + 10 * n), wh + 1000 * n),)} | own[n] | more),
        )
        for n, kind in enumerate(kinds)
    ]


def paid(found: list[Transaction]) -> list[tuple[Any, ...]]:
    return [(one.id_token, one.energy_wh, one.review, one.status) for one in found]


TWO_SESSIONS = [("CARD1", 2000, "none", "ended"), ("CARD2", 2000, "none", "ended")]


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("told", [(0, 1, 2), (0, 2, 1), (0, 0, 1, 1, 2, 2, 0)])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_older_session_of_an_id_that_is_told_later_pays_for_itself(
    after: int, told: tuple[int, ...], offline: bool
) -> None:
    """2.x (E04): CARD1 charged offline, the station counts anew, CARD2 is told live, and then the queue; also twice."""
    newer = session("CARD2", 30, 3500)
    older = session("CARD1", 0, 1000, 60, offline=offline)
    first, second = history(*newer[:after], *(older[n] for n in told), *newer[after:], *newer)
    assert paid([first, second]) == TWO_SESSIONS
    assert (first.occurrence, second.occurrence) == (2, 1)
    third = session("CARD3", 100, 9000)
    assert [one.occurrence for one in history(*newer, *older, *third)] == [2, 1, 3]


def test_an_older_session_whose_start_is_told_last_is_its_own_and_held() -> None:
    """Before it was told, only the time and `offline` told them apart; a clock may be wrong."""
    newer, older = session("CARD2", 30, 3500), session("CARD1", 0, 1000, 60, offline=True)
    for told in ((1, 0, 2), (1, 2, 0), (2, 1, 0), (2, 0, 1, 2)):
        first, second = history(newer[0], *(older[n] for n in told), *newer[1:])
        assert paid([first, second]) == [("CARD1", 2000, "held", "ended"), TWO_SESSIONS[1]]
        assert (first.doubts, first.details["looks_like"]) == (["told_again"], second.id)


def test_what_only_the_time_tells_apart_is_one_session_that_is_held() -> None:
    """A clock that was set back, or the queue of another session: not `offline`, without a card."""
    newer, older = session("CARD2", 30, 3500), session("CARD1", 0, 1000, 60)
    [one] = history(newer[0], older[1], *newer[1:])
    assert (one.id_token, one.review, one.details) == ("CARD2", "held", {"may_be_two": True})
    assert Doubt.TOLD_AGAIN in one.doubts


@pytest.mark.parametrize("offline", [True, False])
def test_an_event_that_is_a_little_older_than_its_start_is_of_its_session(offline: bool) -> None:
    """The cable was plugged in before, and a clock is set: nobody has to look at it."""
    begun = event(ReportKind.STARTED, 1, id_token="CARD1", offline=offline, evse_id=1)
    [one] = history(begun, event(ReportKind.UPDATED, 0.5, 2, seq_no=1, offline=offline), begun)
    assert not one.details


def used_twice(kind: ReportKind, seconds: float, seq_no: int, wh: float | None = None, **more: Any) -> Report:
    """Of id 1, which two sessions have; told at last, in the order in which they are written."""
    values = {} if wh is None else {"meter_values": (register(at(seconds / 60), wh),)}
    return event(kind, seconds / 60, 0, seq_no=seq_no, **({"evse_id": 1} | values | more))


def told_in_turn(*reports: Report) -> list[Report]:
    return [replace(one, received_at=max(one.at, at(n / 600))) for n, one in enumerate(reports)]


@pytest.mark.parametrize(
    ("of_first", "of_second", "payers"),
    [
        pytest.param({}, {}, ("CARDA", "CARDB"), id="each card comes after its start"),
        pytest.param({"id_token": "CARDA"}, {"id_token": "CARDA"}, ("CARDA", "CARDA"), id="one card"),
        pytest.param({"id_token": "CARDA"}, {}, ("CARDA", "CARDB"), id="only the first with a card"),
        pytest.param({}, {"id_token": "CARDB"}, ("CARDA", "CARDB"), id="only the second with a card"),
        pytest.param({"evse_id": None}, {"evse_id": None}, ("CARDA", "CARDB"), id="no EVSE"),
        pytest.param({"connector_id": 1}, {"connector_id": 2}, ("CARDA", "CARDB"), id="two connectors"),
        pytest.param({"remote_start_id": 1}, {"remote_start_id": 2}, ("CARDA", "CARDB"), id="two remote starts"),
        pytest.param({"reservation_id": 1}, {"reservation_id": 2}, ("CARDA", "CARDB"), id="two reservations"),
    ],
)
@pytest.mark.parametrize("late", [True, False])
def test_an_id_used_twice_of_whose_first_only_the_start_was_told_is_two(
    of_first: dict[str, Any], of_second: dict[str, Any], payers: tuple[str, str], late: bool
) -> None:
    """2.x: the cable first, a boot, and the numbers begin anew; what was offline comes afterwards, or never."""
    first = [
        used_twice(ReportKind.STARTED, -100, 0, 1000, **of_first),
        used_twice(ReportKind.UPDATED, -95, 1, id_token=payers[0], offline=True, evse_id=None),
        used_twice(ReportKind.ENDED, -60, 2, 3000, offline=True, evse_id=None),
    ]
    second = [
        used_twice(ReportKind.STARTED, -50, 0, 3000, **of_second),
        used_twice(ReportKind.UPDATED, -45, 1, id_token=payers[1], evse_id=None),
        used_twice(ReportKind.ENDED, -1, 2, 7000, evse_id=None),
    ]
    queue = first[1:] if late else []
    told = told_in_turn(first[0], second[0], *queue, *second[1:], *queue)
    one, other = history(*told, *told)
    if late:
        assert (one.id_token, one.energy_wh, one.stopped_at) == (payers[0], 2000, first[2].at)
    else:
        assert not one.ended or one.review == "held"
    assert (other.id_token, other.energy_wh, other.review) == (payers[1], 4000, "none")


def test_an_older_start_of_the_number_that_is_told_later_is_another() -> None:
    """A day apart."""
    day = 24 * 3600
    told = told_in_turn(
        used_twice(ReportKind.STARTED, -day, 0, 1000),
        used_twice(ReportKind.STARTED, -50, 0, 300_000, id_token="CARDB"),
        used_twice(ReportKind.ENDED, -1, 2, 307_000),
    )
    one, other = history(*told)
    assert (one.ended_by, one.review) == ("superseded", "held")
    assert paid([other]) == [("CARDB", 7000, "none", "ended")]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("seq_no", [2, 5])
@pytest.mark.parametrize("more", [{}, {"id_token": "CARDB", "evse_id": 1}])
@pytest.mark.parametrize("start_of_next", [None, {}, {"id_token": "CARDB"}])
def test_two_ends_of_one_id_hold_whoever_they_may_be_of(
    turned: bool, seq_no: int, more: dict[str, Any], start_of_next: dict[str, Any] | None
) -> None:
    """2.x: a transaction has one end (E06); the start of the second comes last, or never."""
    ends = [
        used_twice(ReportKind.ENDED, -60, 2, 3000, evse_id=None),
        used_twice(ReportKind.ENDED, -1, seq_no, 9000, **({"evse_id": None} | more)),
    ]
    begun = used_twice(ReportKind.STARTED, -100, 0, 1000, id_token="CARDA")
    told = told_in_turn(begun, *(ends[::-1] if turned else ends))
    [one] = history(*told, *told)
    assert (one.id_token, one.review, one.details, one.end_revision) == ("CARDA", "held", {"may_be_two": True}, 2)
    if start_of_next is None:
        return
    last = replace(used_twice(ReportKind.STARTED, -50, 0, 3000, **start_of_next), received_at=at(1))
    one, other = history(*told, last, last)
    assert (one.review, other.details, other.doubts) == ("held", {"looks_like": one.id}, ["told_again"])
    # What begins after all that was told is in no doubt.
    third = replace(used_twice(ReportKind.STARTED, 1000, 0, 9000), received_at=at(17))
    assert not history(*told, third)[-1].details


@pytest.mark.parametrize("turned", [False, True])
def test_two_starts_whose_numbers_rise_are_one_session_that_is_held(turned: bool) -> None:
    """One may be mislabelled; but who pays is not certain."""
    starts = [event(ReportKind.STARTED, 0, seq_no=5, id_token="CARD1"), event(ReportKind.STARTED, 9, seq_no=7)]
    starts[1] = replace(starts[1], id_token="CARD2", received_at=at(9))
    starts[0] = replace(starts[0], received_at=at(10 if turned else 0))
    [one] = history(*(starts[::-1] if turned else starts), event(ReportKind.ENDED, 20, seq_no=8), *starts)
    assert (one.id_token, one.review, one.details) == ("CARD1", "held", {"may_be_two": True})
    starts[1] = replace(starts[1], id_token="card1")
    [one] = history(*(starts[::-1] if turned else starts), event(ReportKind.ENDED, 20, seq_no=8))
    assert Doubt.TOLD_AGAIN not in one.doubts


@pytest.mark.parametrize("ended", [True, False])
def test_where_the_end_of_the_next_may_have_ended_the_first_both_are_held(ended: bool) -> None:
    """2.x: the Ended of the newer session came before its Started; CARD1 would pay for both."""
    older, newer = session("CARD1", 0, 1000), session("CARD2", 30, 3500)
    newer[2] = replace(newer[2], seq_no=5, order=5)
    told = [*older[: 3 if ended else 2], *(replace(one, received_at=at(60)) for one in (newer[2], newer[0], newer[0]))]
    first, second = history(*told, replace(newer[1], received_at=at(61)))
    assert (first.id_token, first.review, first.doubts, first.end_revision) == ("CARD1", "held", ["told_again"], 2)
    assert (second.id_token, second.doubts, second.details["looks_like"]) == ("CARD2", ["told_again"], first.id)


@pytest.mark.parametrize("card_at", [0, 1])
@pytest.mark.parametrize("order", [(0, 1, 2, 4, 3, 5), (0, 2, 4, 1, 3, 5), (0, 2, 4, 3, 5, 1), (1, 3, 0, 2, 4, 5)])
def test_what_certainly_happened_after_the_end_or_before_the_start_may_be_of_another(
    order: tuple[int, ...], card_at: int
) -> None:
    """2.x: the Updated of the next is told before its Started, or that of the first before the start of the next."""
    first, second = session("CARD1", 0, 1000), session("CARD2", 30, 3500)
    for one in (first, second):
        one[card_at] = replace(one[card_at], id_token=one[0].id_token)
        one[1 - card_at] = replace(one[1 - card_at], id_token=None)
    told = [replace([*first, *second][which], received_at=at(60 + n / 10)) for n, which in enumerate(order)]
    found = history(*told, *told)
    assert all(bill in TWO_SESSIONS or bill[2] == "held" for bill in paid(found))
    assert "held" in {one.review for one in found}


@pytest.mark.parametrize(
    ("more", "doubtful"),
    [
        pytest.param({"seq_no": 1}, True, id="a number of before the end"),
        pytest.param({"seq_no": 2, "id_token": "CARD2"}, True, id="the number of the end, a card"),
        pytest.param({"seq_no": 9, "id_token": "CARD2"}, True, id="a card"),
        pytest.param({"seq_no": 9}, False, id="it goes on telling"),
        pytest.param({"seq_no": 1, "at": at(10.5)}, False, id="a clock that was set a little"),
        pytest.param({"seq_no": 1, "at": at(5)}, False, id="told late"),
        pytest.param({"seq_no": 1, "received_at": at(5)}, False, id="a clock that was ahead"),
    ],
)
def test_an_event_after_the_end(more: dict[str, Any], doubtful: bool) -> None:
    """2.x: with a number of the session, or a card, it may be of the next, whose start was not told yet."""
    said = report(ReportKind.UPDATED, **({"at": at(15), "received_at": at(15)} | more))
    after = decide(ENDED, said).transaction
    assert after
    assert ("may_be_two" in after.details) is doubtful


@pytest.mark.parametrize("more", [{}, {"id_token": "CARD1", "evse_id": 1}])
def test_an_end_told_again_ends_nothing_that_began_at_its_time(more: dict[str, Any]) -> None:
    """2.x: the same number and time; the next of the id began within that second."""
    first, second = session("CARD1", 0, 1000), session("CARD2", 20, 3000)
    first[2] = replace(first[2], id_token=more.get("id_token"), evse_id=more.get("evse_id"))
    found = history(*first, *second[:2], replace(first[2], received_at=at(31)), *second[2:], first[2])
    assert paid(found) == TWO_SESSIONS
    assert not any(one.details for one in found)


def test_three_sessions_of_one_id_told_in_any_order_have_numbers_of_their_own() -> None:
    """The one in between is told last."""
    first, last = session("CARD1", 0, 1000), session("CARD3", 60, 6000)
    between = session("CARD2", 30, 3500, 100, offline=True)
    found = history(*first, *last, *between, *session("CARD4", 90, 9000, 110))
    assert [one.id_token for one in found] == ["CARD1", "CARD2", "CARD3", "CARD4"]
    assert [one.occurrence for one in found] == [1, 3, 2, 4]
    assert {one.review for one in found} == {"none"}


def test_an_end_told_late_corrects_a_guess_also_where_the_id_was_used_again() -> None:
    first = folded(*session("CARD1", 0, 1000)[:2])
    guessed, _ = end(first, EndedBy.AVAILABLE, at(12), at(13))
    second = replace(folded(session("CARD2", 30, 3500)[0]), id=8, occurrence=2)
    late = event(ReportKind.ENDED, 20, 50, seq_no=2, offline=True)
    assert occurrence_of([guessed, second], late) is guessed


@settings(max_examples=300)
@given(st.data())
def test_nobody_pays_unseen_for_an_older_session_of_the_same_id(data: st.DataObject) -> None:
    """The older is told in any order, in parts and repeatedly, anywhere after the newer has begun."""
    offline, numbers = data.draw(st.booleans()), data.draw(st.sampled_from([0, 1, 5]))
    newer = session("CARD2", 30, 3500)
    older = [
        replace(one, seq_no=(one.seq_no or 0) + numbers, order=one.order + numbers)
        for one in session("CARD1", 0, 1000, offline=offline)
    ]
    queue = data.draw(st.lists(st.sampled_from(older), max_size=6))
    told = [*newer]
    for one in queue:
        told.insert(data.draw(st.integers(1, len(told))), one)
    for transaction in history(*(replace(one, received_at=at(60 + n)) for n, one in enumerate(told))):
        if transaction.ended and transaction.review == "none" and transaction.complete:
            assert (transaction.id_token, transaction.energy_wh) in [("CARD1", 2000), ("CARD2", 2000)]


@pytest.mark.parametrize(
    ("more", "earlier"),
    [
        pytest.param({"seq_no": 6}, True, id="the next number of the earlier"),
        pytest.param({"seq_no": 7}, True, id="nearer to the earlier"),
        pytest.param({"seq_no": 4}, True, id="a number that the earlier has had"),
        pytest.param({"seq_no": 1}, False, id="the next of the later"),
        pytest.param({"seq_no": 1, "id_token": "card1"}, True, id="a card of the earlier"),
        pytest.param({"seq_no": 6, "id_token": "CARD2"}, False, id="a card of the later"),
        pytest.param({"seq_no": 6, "evse_id": 2}, False, id="the EVSE of the later"),
        pytest.param({"seq_no": 1, "at": at(10)}, True, id="of before the later"),
    ],
)
def test_an_event_without_an_evse_of_an_id_at_two_is_of_the_one_that_it_follows(
    more: dict[str, Any], earlier: bool
) -> None:
    """2.x: its time, its card, or its number in the sequence tells which (E §1.3.2)."""
    first = making.folded(
        event(ReportKind.STARTED, 0, evse_id=1, id_token="CARD1"),
        *(event(ReportKind.UPDATED, n, seq_no=n) for n in range(1, 6)),
    )
    second = replace(folded(event(ReportKind.STARTED, 20, evse_id=2, id_token="CARD2")), id=8, occurrence=2)
    for kind in (ReportKind.UPDATED, ReportKind.ENDED):
        said = report(kind, **({"at": at(25), "received_at": at(26)} | more))
        assert occurrence_of([first, second], said) is (first if earlier else second)
    # The end of the first was told: what happens now is of the second.
    ended = making.folded(event(ReportKind.STARTED, 0, evse_id=1), event(ReportKind.ENDED, 22, seq_no=5))
    assert occurrence_of([ended, second], event(ReportKind.UPDATED, 25, seq_no=6)) is second


def test_numbers_that_go_on_over_sessions_tell_which_it_is() -> None:
    """A station that counts its events over all transactions."""
    first = folded(event(ReportKind.STARTED, 0, evse_id=1, seq_no=100))
    second = replace(folded(event(ReportKind.STARTED, 20, evse_id=2, seq_no=111)), id=8, occurrence=2)
    assert occurrence_of([first, second], event(ReportKind.UPDATED, 25, seq_no=110)) is first
    assert occurrence_of([first, second], event(ReportKind.UPDATED, 25, seq_no=112)) is second
