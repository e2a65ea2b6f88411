"""Stops that name no transaction: joined where all evidence says whose they are, never blindly (errata 3.18)."""

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.decide import decide, decide_joined
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.orphans import (
    has_card_of_another,
    is_misnumbered,
    is_unsure,
    may_be_elsewhere,
    may_be_nameless,
    meant_by,
    orphan_stop,
    told_before,
)
from services.transactions.domain.revisions import RevisionReason
from services.transactions.domain.station import Connector, Station
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import NOON, at, metered, register, report, start

GROUPS = {"T": "family", "WIFE": "family", "LONER": None}


def group_of(id_token: str) -> str | None:
    return GROUPS.get(id_token)


def stop(**more: Any) -> Report:
    own: dict[str, Any] = {
        "key": None,
        "number": 0,
        "transaction_id": "-1",
        "order": ReportKind.ENDED,
        "id_token": "T",
        "ends_authorization": True,
        "at": at(30),
        "received_at": at(31),
        "end_wh": 5000.0,
        "stop_reason": "Local",
    }
    return replace(report(ReportKind.ENDED, **(own | more)), seq_no=None)


def session(number: int = 7, taken_at: datetime = NOON, **more: Any) -> Transaction:
    """With a meter value of 4000 Wh."""
    begun = decide(None, start(**more), number).transaction
    assert begun
    values = report(order=ReportKind.UPDATED, key=None, number=number, meter_values=(register(taken_at, 4000),))
    after = decide(begun, replace(values, seq_no=None)).transaction
    assert after
    return after


OPEN = session()
OVER, _ = end(session(6), EndedBy.OPERATOR, at(5), at(6))


@pytest.mark.parametrize(
    ("said", "open_ones", "joined"),
    [
        pytest.param(stop(), [OPEN], True, id="the only session, the same card"),
        pytest.param(stop(id_token="t"), [OPEN], True, id="in other capitals"),
        pytest.param(stop(id_token="WIFE"), [OPEN], True, id="a card of its token group"),
        pytest.param(stop(id_token=None), [OPEN], True, id="no card"),
        pytest.param(stop(id_token="LONER"), [OPEN], False, id="another card"),
        pytest.param(stop(id_token="LONER"), [session(id_token="OTHER")], False, id="two cards without a group"),
        pytest.param(stop(), [OPEN, OVER], True, id="others have ended"),
        pytest.param(stop(), [OPEN, session(8, id_token="OTHER")], False, id="two sessions"),
        pytest.param(stop(), [OVER], False, id="no session"),
        pytest.param(stop(end_wh=3995.0), [OPEN], True, id="a meter that is rounded"),
        pytest.param(stop(end_wh=3000.0), [OPEN], False, id="a meter below what is known"),
        pytest.param(stop(end_wh=None), [OPEN], True, id="no meter"),
        pytest.param(stop(at=at(-1)), [OPEN], False, id="before the start"),
        pytest.param(stop(received_at=at(-1)), [OPEN], False, id="received before the start"),
        pytest.param(stop(at=at(15)), [session(taken_at=at(15.5))], True, id="a sample in the same minute"),
        pytest.param(stop(at=at(15)), [session(taken_at=at(25))], False, id="metered ten minutes later"),
        pytest.param(stop(at=at(15), end_wh=4000.0), [session(taken_at=at(25))], False, id="and no more then"),
        pytest.param(stop(at=at(15), end_wh=9000.0), [session(taken_at=at(25))], False, id="and less then"),
        pytest.param(stop(at=at(15), end_wh=None), [session(taken_at=at(25))], False, id="and itself without a meter"),
    ],
)
def test_whose_stop_it_is(said: Report, open_ones: list[Transaction], joined: bool) -> None:
    assert may_be_nameless(said)
    assert meant_by(said, open_ones, group_of) is (open_ones[0] if joined else None)


# On the first connector, and before it; and on the second: one that ended in the seventh minute.
HERE = session(evse_id=1, connector_id=1)
BEFORE, _ = end(session(5, evse_id=1, connector_id=1), EndedBy.STATION, at(-9), at(-9))
LEFT, _ = end(session(6, id_token="OTHER", evse_id=2, connector_id=2), EndedBy.STATION, at(7), at(7))


@pytest.mark.parametrize(
    ("said", "named", "connectors", "elsewhere"),
    [
        pytest.param(stop(id_token=None), None, [(2, False, 9)], True, id="its start was lost"),
        pytest.param(stop(id_token="WIFE"), None, [(2, False, 9)], True, id="with a card of the group"),
        pytest.param(stop(id_token=None), None, [(2, False, 8)], False, id="one that ended there has left it so"),
        pytest.param(stop(id_token=None), None, [(2, True, 9)], False, id="it is free"),
        pytest.param(stop(id_token=None), None, [(1, False, 8)], False, id="the own one"),
        pytest.param(stop(id_token=None), None, [], False, id="nothing was reported"),
        pytest.param(stop(id_token="t"), None, [(3, False, 8)], False, id="the card of the session"),
        pytest.param(stop(id_token=None), BEFORE, [(2, False, 9)], False, id="the number of the one before it"),
        pytest.param(stop(id_token=None), LEFT, [(2, False, 9)], True, id="the number of one of the other connector"),
    ],
)
def test_a_nameless_stop_may_be_of_a_connector_that_is_taken(
    said: Report, named: Transaction | None, connectors: list[tuple[int, bool, float]], elsewhere: bool
) -> None:
    """The only session that is open is on the first connector, and a vehicle is on the second."""
    station = Station("CP1", connectors=tuple(Connector(n, n, free, at(m)) for n, free, m in connectors))
    assert may_be_elsewhere(said, named, HERE, station, [HERE, LEFT]) is elsewhere


def test_a_joined_stop_ends_the_session_and_is_corrected_by_one_that_names_it() -> None:
    verdict = TokenInfo(Authorization.ACCEPTED)
    decision = decide_joined(OPEN, stop(id_token="WIFE", meter_values=metered(4500)), verdict, [OPEN])
    ended = decision.transaction
    assert ended
    assert (ended.ended_by, ended.stopped_at, ended.energy_wh) == ("joined", at(30), 4000)
    assert (ended.stop_id_token, ended.id_token, ended.stop_reason) == ("WIFE", "T", "Local")
    assert decision.revision
    assert (decision.revision.number, decision.revision.reason) == (1, RevisionReason.ENDED)
    assert decision.orphan
    assert (decision.orphan.joined_id, decision.reply.__class__.__name__) == (7, "Updated")
    corrected = decide(ended, stop(number=7, end_wh=5500.0, at=at(29)))
    assert corrected.transaction
    assert (corrected.transaction.ended_by, corrected.transaction.energy_wh) == ("station", 4500)
    assert corrected.revision
    assert corrected.revision.reason == RevisionReason.LATE_END


def stopped(stop: Report, one: Transaction = OPEN) -> Transaction:
    """By a stop that names it."""
    after = decide(one, replace(stop, number=one.id)).transaction
    assert after
    return after


NAMED = stop(transaction_id="7", number=7, id_token=None)


@pytest.mark.parametrize(
    ("again", "known"),
    [
        (stop(id_token=None), True),
        (stop(id_token=None, transaction_id="0"), True),
        (stop(id_token=None, transaction_id="17"), True),
        (stop(id_token="T"), True),
        (stop(id_token=None, end_wh=None), True),
        (stop(id_token=None, stop_reason="PowerLoss"), True),
        (stop(id_token="OTHER"), False),
        (stop(id_token=None, end_wh=5001.0), False),
        (stop(id_token=None, at=at(31)), False),
    ],
    ids=["-1", "0", "none of ours", "its card", "no meter", "why", "another card", "another meter", "another time"],
)
def test_a_stop_told_again_without_its_name_is_known(again: Report, known: bool) -> None:
    """By its time and its register, on that station, whether it named its session or was joined."""
    other = session(8, key="start:2", id_token="OTHER", evse_id=2, connector_id=2)
    joined = decide_joined(OPEN, stop(id_token=None), None, [OPEN]).transaction
    assert joined
    for ended in (stopped(NAMED), joined):
        assert told_before(again, [ended, other], group_of) == (ended if known else None)
    over, _ = end(OPEN, EndedBy.AVAILABLE, again.at, again.received_at)
    assert told_before(again, [over, other], group_of) is None


def test_each_of_two_stops_is_known_when_it_is_told_again() -> None:
    fell = stop(at=at(31), end_wh=4500.0, id_token=None)
    ended = stopped(fell, stopped(NAMED))
    assert ended.doubts == ["register_fell"]
    for again in (stop(id_token=None), fell):
        assert told_before(again, [ended], group_of) is ended


PLACE: dict[str, Any] = {"evse_id": 1, "connector_id": 1}
FIRST = session(7, **PLACE)
NEXT = session(8, key="start:2", at=at(40), received_at=at(40), begin_wh=5000.0, id_token="OTHER", **PLACE)
ELSEWHERE = replace(NEXT, evse_id=2, connector_id=2)
TOLD = stopped(stop(), FIRST)
GUESSED, _ = end(FIRST, EndedBy.SUPERSEDED, at(40), at(40))


@pytest.mark.parametrize(
    ("said", "named", "others", "misnumbered"),
    [
        pytest.param(
            stop(at=at(60), received_at=at(61), end_wh=9000.0, id_token="OTHER"),
            TOLD,
            [NEXT],
            True,
            id="the next one's card",
        ),
        pytest.param(
            stop(at=at(60), received_at=at(61), end_wh=9000.0, id_token=None), TOLD, [NEXT], True, id="no card"
        ),
        pytest.param(
            stop(at=at(60), received_at=at(61), end_wh=9000.0),
            TOLD,
            [NEXT],
            True,
            id="its card, and the next had begun",
        ),
        pytest.param(
            stop(at=at(60), received_at=at(61), end_wh=9000.0, id_token="OTHER"),
            TOLD,
            [ELSEWHERE],
            True,
            id="another card",
        ),
        pytest.param(
            stop(at=at(60), received_at=at(61), end_wh=9000.0, id_token=None),
            TOLD,
            [ELSEWHERE],
            False,
            id="the next elsewhere",
        ),
        pytest.param(stop(at=at(60), received_at=at(61), end_wh=9000.0), TOLD, [], False, id="nobody else"),
        pytest.param(
            stop(at=at(60), received_at=at(61), end_wh=9000.0, id_token="WIFE"),
            TOLD,
            [],
            False,
            id="a card of its group",
        ),
        pytest.param(stop(at=at(35), end_wh=5500.0), TOLD, [NEXT], False, id="corrected before the next"),
        pytest.param(stop(), TOLD, [NEXT], False, id="told again"),
        pytest.param(stop(at=at(35)), GUESSED, [NEXT], False, id="its own late word"),
        pytest.param(
            stop(at=at(40.5), received_at=at(41)), GUESSED, [NEXT], False, id="in the minute when the next began"
        ),
        pytest.param(stop(at=at(35), id_token="OTHER"), GUESSED, [NEXT], False, id="its own late word by another"),
        pytest.param(
            stop(at=at(60), received_at=at(61), end_wh=9000.0, id_token="OTHER"),
            GUESSED,
            [NEXT],
            True,
            id="of the next",
        ),
        pytest.param(stop(at=at(60), end_wh=9000.0), TOLD, [NEXT], False, id="a clock that is set in between"),
        pytest.param(stop(at=at(60), received_at=at(61), end_wh=9000.0), FIRST, [NEXT], False, id="it goes on"),
    ],
)
def test_a_stop_with_the_number_of_a_session_that_was_over(
    said: Report, named: Transaction, others: list[Transaction], misnumbered: bool
) -> None:
    said = replace(said, number=7, transaction_id="7")
    assert is_misnumbered(said, named, [named, *others], group_of) is misnumbered
    assert is_unsure(said, named) or not misnumbered


MISLABELLED = session(8, key="start:2", at=at(40), received_at=at(40), begin_wh=70_000.0, id_token="OTHER", **PLACE)


@pytest.mark.parametrize(
    ("said", "next_one", "misnumbered"),
    [
        pytest.param(stop(end_wh=9000.0), MISLABELLED, False, id="its card, and its meter"),
        pytest.param(stop(end_wh=9000.0, id_token="WIFE"), MISLABELLED, False, id="a card of its group"),
        pytest.param(stop(end_wh=9000.0, id_token=None), MISLABELLED, False, id="its meter"),
        pytest.param(stop(end_wh=9000.0, id_token="OTHER"), MISLABELLED, False, id="its meter, whoever stops"),
        pytest.param(stop(end_wh=5000.0), NEXT, False, id="its card, the register at the start of the next"),
        pytest.param(stop(end_wh=5000.0, id_token=None), NEXT, False, id="the register at the start of the next"),
        pytest.param(stop(end_wh=9000.0), NEXT, False, id="its card, and it overlaps"),
        pytest.param(stop(end_wh=9000.0, id_token=None), NEXT, True, id="the meter of the next"),
        pytest.param(stop(end_wh=None, id_token=None), NEXT, True, id="no more than its time"),
        pytest.param(stop(end_wh=9000.0, id_token="LONER"), NEXT, True, id="nobody's card"),
    ],
)
def test_whose_stop_with_the_number_of_one_that_was_superseded_is_it(
    said: Report, next_one: Transaction, misnumbered: bool
) -> None:
    """1.6: card and meter of both are weighed; the start of the other may be mislabelled."""
    said = replace(said, number=7, transaction_id="7", at=at(60), received_at=at(61))
    assert is_misnumbered(said, GUESSED, [GUESSED, next_one], group_of) is misnumbered


def test_the_register_of_a_second_end_that_is_below_the_next_is_its_own() -> None:
    said = stop(number=7, transaction_id="7", at=at(60), received_at=at(61), end_wh=9000.0)
    assert not is_misnumbered(said, TOLD, [TOLD, MISLABELLED], group_of)


def test_a_card_of_another_session_that_is_open() -> None:
    """1.6: two numbers that a station mixes up."""
    one, other = session(7, **PLACE), session(8, key="start:2", id_token="OTHER", evse_id=2, connector_id=2)
    family = session(9, key="start:3", id_token="WIFE", evse_id=3, connector_id=3)
    over, _ = end(session(6, key="start:4", id_token="OTHER"), EndedBy.OPERATOR, at(5), at(6))
    both = [over, one, other, family]
    assert has_card_of_another(stop(id_token="other"), one, both, group_of) == [other]
    nobody = session(10, key="start:5", id_token="", evse_id=4, connector_id=4)
    both = [*both, nobody]
    for card in (None, "T", "WIFE", "LONER", ""):
        assert has_card_of_another(stop(id_token=card), one, both, group_of) == []


def test_who_is_named_is_never_joined() -> None:
    assert not may_be_nameless(replace(stop(), key="id:tx"))
    assert not may_be_nameless(replace(stop(), kind=ReportKind.UPDATED))


def test_the_same_stop_told_again_is_the_same() -> None:
    first, again = orphan_stop(stop(call_id="a")), orphan_stop(stop(call_id="b", received_at=at(40)), joined_id=7)
    assert first.key == again.key
    assert first.key != orphan_stop(stop(end_wh=5001.0)).key
    assert first.key == orphan_stop(stop(transaction_id="0")).key == orphan_stop(stop(transaction_id="")).key
    assert first.key != orphan_stop(stop(transaction_id="17")).key
