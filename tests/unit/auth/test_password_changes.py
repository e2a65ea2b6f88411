"""Changes of passwords at stations: what counts after whatever a station says, or does not say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain import password_changes as domain
from services.auth.domain.password_changes import OPEN, ChangeState, PasswordChange
from services.auth.domain.stations import Password, Station, StationChanged
from services.auth.remote import RENDERERS, SET_PASSWORD, password_outcome
from services.common.commands.command import Command, End, Status, Unrenderable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
OLD, NEW, NEWER = Password(b"old"), Password(b"new"), Password(b"newer")
TAKEN, KEPT, AWAITED, DOUBTFUL = ChangeState.TAKEN, ChangeState.KEPT, ChangeState.AWAITED, ChangeState.DOUBTFUL


def station(password: Password | None = OLD) -> Station:
    return Station("CP1", password, None, (), None, NOW, NOW)


def change(number: int = 1, password: Password = NEW, replaces: bytes | None = b"old", **more: Any) -> PasswordChange:
    asked = PasswordChange(f"c{number}", number, "CP1", password, replaces, ChangeState.ASKED, NOW, NOW)
    return replace(asked, **more)


def good(one: Station, changes: list[PasswordChange]) -> set[bytes]:
    """The hashes of the passwords with which the station is let in."""
    return {domain.hash_of(one) or b""} | {c.password.hash for c in changes if domain.lets_in(c, one)}


@pytest.mark.parametrize(
    ("state", "after", "lets_in"),
    [
        (TAKEN, b"new", {b"new"}),
        (KEPT, b"old", {b"old"}),
        (AWAITED, b"old", {b"old", b"new"}),
        (DOUBTFUL, b"old", {b"old", b"new"}),
    ],
)
def test_what_counts_after_an_answer(state: ChangeState, after: bytes, lets_in: set[bytes]) -> None:
    """A01.FR.03: the old one no more once it says Accepted; A01.FR.04: the old one otherwise."""
    asked = change()
    assert good(station(), [asked]) == {b"old", b"new"}
    decision, changes = domain.settled(station(), [domain.replied(asked, state, "so", LATER)], LATER)
    assert domain.hash_of(decision.station) == after
    assert decision.events == ([StationChanged(decision.station, LATER)] if state is TAKEN else ())
    assert good(decision.station, changes) == lets_in
    assert [(one.state, one.reason, one.due) for one in changes] == [(state, "so", False)]


@pytest.mark.parametrize("before", [AWAITED, DOUBTFUL])
@pytest.mark.parametrize("late", [TAKEN, KEPT])
def test_an_answer_that_comes_late_counts(before: ChangeState, late: ChangeState) -> None:
    waiting = domain.replied(change(), before, None, NOW)
    assert domain.replied(waiting, late, "late", LATER).state is late


@pytest.mark.parametrize("before", [ChangeState.ASKED, AWAITED, DOUBTFUL])
def test_coming_with_it_is_as_good_as_accepted(before: ChangeState) -> None:
    assert domain.confirmed(change(state=before), LATER).state is TAKEN


@pytest.mark.parametrize("end", [TAKEN, KEPT, ChangeState.SUPERSEDED])
@pytest.mark.parametrize("told", ChangeState)
def test_what_has_ended_stays_whatever_is_told_once_more(end: ChangeState, told: ChangeState) -> None:
    ended = change(state=end)
    assert domain.replied(ended, told, "again", LATER) is ended


def test_a_later_change_that_was_taken_ends_those_before_it() -> None:
    doubtful, taken = change(1, NEW, state=DOUBTFUL), change(2, NEWER, state=TAKEN, due=True)
    decision, changes = domain.settled(station(), [doubtful, taken], LATER)
    assert good(decision.station, changes) == {b"newer"}
    assert changes[0].state is ChangeState.SUPERSEDED
    late = domain.replied(changes[0], TAKEN, "Accepted", LATER)
    assert late.state is ChangeState.SUPERSEDED


def test_an_earlier_change_that_was_taken_lets_a_later_one_go_on() -> None:
    taken, asked = change(1, NEW, state=TAKEN, due=True), change(2, NEWER)
    decision, changes = domain.settled(station(), [taken, asked], LATER)
    assert good(decision.station, changes) == {b"new", b"newer"}
    decision, changes = domain.settled(
        decision.station, [changes[0], domain.replied(changes[1], TAKEN, None, LATER)], LATER
    )
    assert good(decision.station, changes) == {b"newer"}
    assert domain.replaced(decision.station, changes) == b"new"


def test_after_an_operator_gave_another_one_the_new_one_is_good_only_if_the_station_says_so() -> None:
    rotated, asked = station(Password(b"by hand")), change()
    assert good(rotated, [asked]) == {b"by hand"}
    decision, changes = domain.settled(rotated, [domain.replied(asked, TAKEN, "Accepted", LATER)], LATER)
    assert good(decision.station, changes) == {b"new"}


def test_what_was_told_of_a_change_is_not_told_again_of_a_later_password() -> None:
    """A gateway's word that is read twice must not bring a password back."""
    told = change(state=TAKEN, due=False)
    decision, _ = domain.settled(station(Password(b"by hand")), [domain.confirmed(told, LATER)], LATER)
    assert domain.hash_of(decision.station) == b"by hand"


@pytest.mark.parametrize(("before", "replaced"), [(OLD, b"old"), (None, b"")])
def test_whose_connection_goes_on_is_known(before: Password | None, replaced: bytes) -> None:
    asked = change(replaces=domain.hash_of(station(before)))
    assert domain.replaced(station(before), [asked]) is None
    decision, changes = domain.settled(station(before), [domain.replied(asked, TAKEN, None, LATER)], LATER)
    assert domain.replaced(decision.station, changes) == replaced
    assert domain.replaced(station(Password(b"by hand")), changes) is None


ANSWERS = st.sampled_from([TAKEN, KEPT, AWAITED, DOUBTFUL])


@given(st.lists(st.tuples(ANSWERS, st.booleans()), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_station_is_never_locked_out(plan: list[tuple[ChangeState, bool]], order: Any) -> None:
    """plan: of each change what the station says, and whether it has taken it where it says nothing.

    In whatever order answers arrive, the password that the station has is good; once all are in, so is no other that it
    has given up by an answer.
    """
    current, changes, held = station(), list[PasswordChange](), b"old"
    answers: list[tuple[int, ChangeState]] = []
    for number, (said, secretly) in enumerate(plan, 1):
        password = Password(f"p{number}".encode())
        changes.append(change(number, password, domain.hash_of(current)))
        if said is TAKEN or (said in (AWAITED, DOUBTFUL) and secretly):
            held = password.hash
        answers.append((number, said))
    order.shuffle(answers)
    for number, said in answers:
        changes = [domain.replied(one, said, None, LATER) if one.number == number else one for one in changes]
        decision, changes = domain.settled(current, changes, LATER)
        current = decision.station
        assert held in good(current, changes)
    last = max((n for n, (said, _) in enumerate(plan, 1) if said is TAKEN), default=0)
    given_up = {f"p{n}".encode() for n in range(1, last)} | ({b"old"} if last else set())
    assert not good(current, changes) & given_up
    assert not any(one.due for one in changes)


def command(**more: Any) -> Command:
    said: dict[str, Any] = {
        "payload": {"password": "voltbus-sealed.AAAA", "hexadecimal": True},
        "status": Status.ANSWERED,
        "outcome": End.ANSWERED,
        "version": "1.6",
    }
    times = {"created_at": NOW, "expires_at": LATER, "ended_at": LATER}
    return Command(id="c1", number=1, station_id="CP1", action=SET_PASSWORD, **(times | said | more))


def of_201(status: str) -> dict[str, Any]:
    item = {
        "attributeStatus": status,
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
    }
    return {"setVariableResult": [item]}


@pytest.mark.parametrize(
    ("version", "response", "state"),
    [
        ("1.6", {"status": "Accepted"}, TAKEN),
        ("1.6", {"status": "RebootRequired"}, AWAITED),
        ("1.6", {"status": "Rejected"}, KEPT),
        ("1.6", {"status": "NotSupported"}, KEPT),
        ("1.6", {"status": "Perhaps"}, KEPT),
        ("2.0.1", of_201("Accepted"), TAKEN),
        ("2.0.1", of_201("RebootRequired"), AWAITED),
        ("2.0.1", of_201("Rejected"), KEPT),
        ("2.0.1", of_201("UnknownVariable"), KEPT),
        ("2.0.1", {"setVariableResult": []}, DOUBTFUL),
        ("2.0.1", "no object", DOUBTFUL),
    ],
)
@pytest.mark.parametrize("end", [End.ANSWERED, End.LATE])
def test_what_an_answer_means(version: str, response: Any, state: ChangeState, end: End) -> None:
    """A01.FR.03, A01.FR.04; 1.6 §7.22: RebootRequired is a change that is available after a reboot."""
    assert password_outcome(command(version=version, response=response, outcome=end))[0] is state


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (End.REFUSED, KEPT),
        (End.INVALID, DOUBTFUL),
        (End.UNRENDERABLE, KEPT),
        (End.UNDELIVERED, KEPT),
        (End.EXPIRED, KEPT),
        (End.TIMED_OUT, DOUBTFUL),
        (End.LATE, DOUBTFUL),
        (End.CANCELLED, KEPT),
    ],
)
def test_what_the_want_of_an_answer_means(end: End, state: ChangeState) -> None:
    """What never was on the wire, or was refused by a CALLERROR, has changed nothing; what was may have."""
    assert password_outcome(command(outcome=end, error_code="Why")) == (state, "Why")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.6", ("ChangeConfiguration", {"key": "AuthorizationKey", "value": "voltbus-sealed.AAAA"})),
        (
            "2.0.1",
            (
                "SetVariables",
                {
                    "setVariableData": [
                        {
                            "component": {"name": "SecurityCtrlr"},
                            "variable": {"name": "BasicAuthPassword"},
                            "attributeValue": "voltbus-sealed.AAAA",
                        }
                    ]
                },
            ),
        ),
    ],
)
def test_how_each_version_is_asked(version: str, expected: Any) -> None:
    """A01.FR.02, and the same of the security whitepaper of 1.6."""
    assert RENDERERS[SET_PASSWORD](command(), version) == expected


def test_a_station_of_1_6_is_not_sent_what_is_no_authorization_key() -> None:
    """It may have come with another version than it had when the password was chosen."""
    with pytest.raises(Unrenderable, match="hexadecimal"):
        RENDERERS[SET_PASSWORD](command(payload={"password": "voltbus-sealed.AAAA", "hexadecimal": False}), "1.6")


def test_open_changes_are_those_that_may_be_there() -> None:
    assert {ChangeState.ASKED, AWAITED, DOUBTFUL} == OPEN
