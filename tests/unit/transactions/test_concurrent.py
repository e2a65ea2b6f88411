"""How many sessions an idToken has already: late, told twice, never ended."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.batch import LoadedTransactions
from services.transactions.domain.concurrent import (
    MOST_LATE,
    SILENT,
    OpenSession,
    judged_at,
    open_session,
    others,
    told_already,
)
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.transaction import Transaction
from tests.unit.transactions.making import NOON, report, start

NOW = NOON + timedelta(minutes=1)
ELSEWHERE = OpenSession(5, "CS-2", 1, "t", NOON - timedelta(minutes=10), NOON)


def begun(status: Authorization = Authorization.ACCEPTED, told: Report | None = None) -> Transaction:
    after = decide(None, told or start(evse_id=1), 7, token=TokenInfo(status)).transaction
    assert after
    return after


@pytest.mark.parametrize(
    ("session", "more", "expected"),
    [
        ({}, {}, 1),
        # One that began only now.
        ({"began_at": NOW}, {}, 1),
        # Told late, this one was the first.
        ({"began_at": NOON + timedelta(seconds=1)}, {"offline": True}, 0),
        ({}, {"offline": True}, 1),
        # Its station has been silent since: it may never tell the end.
        ({"heard_at": NOW - SILENT}, {}, 0),
        ({"heard_at": NOW - SILENT + timedelta(seconds=1)}, {}, 1),
        # What runs on this EVSE, as far as is known, ends with this start: before a reboot it never did.
        ({"station_id": "CS-1"}, {}, 0),
        ({"station_id": "CS-1", "evse_id": 2}, {}, 1),
        ({"station_id": "CS-1", "evse_id": None}, {"evse_id": None}, 1),
    ],
)
def test_which_sessions_count(session: Any, more: Any, expected: int) -> None:
    one = ELSEWHERE._replace(**session)
    assert others(start(evse_id=1, **more) if "evse_id" not in more else start(**more), None, [one], NOW) == expected


def test_what_is_told_hours_late_is_not_the_second_for_what_has_begun_since() -> None:
    """1.6 does not say that it was offline."""
    told_at = NOON + timedelta(hours=2)
    one = ELSEWHERE._replace(began_at=NOON + timedelta(hours=1), heard_at=told_at)
    assert others(start(evse_id=1), None, [one], told_at) == 0


def test_a_transaction_is_not_beside_itself() -> None:
    """An idToken that is presented later than the start (E02.FR.01)."""
    current = begun(told=report(ReportKind.STARTED, evse_id=1))
    own = ELSEWHERE._replace(id=current.id)
    assert others(report(id_token="T", seq_no=1), current, [own], NOW) == 0


@pytest.mark.parametrize("status", [Authorization.ACCEPTED, Authorization.CONCURRENT_TX])
def test_told_again_it_is_answered_as_the_first_time(status: Authorization) -> None:
    assert told_already(start(evse_id=1), begun(status)) == status
    assert told_already(start(evse_id=1, id_token="t"), begun(status)) == status


def test_who_was_told_nothing_of_it_is_counted() -> None:
    assert told_already(start(), None) is None
    assert told_already(start(), begun(Authorization.BLOCKED)) is None
    assert told_already(start(id_token="U"), begun()) is None


def test_refused_once_it_may_be_presented_again_once_the_other_has_ended() -> None:
    first = report(ReportKind.STARTED, id_token="T")
    again = report(id_token="T", seq_no=1)
    assert told_already(again, begun(Authorization.CONCURRENT_TX, first)) is None
    assert told_already(again, begun(Authorization.ACCEPTED, first)) == Authorization.ACCEPTED


def test_what_counts_as_a_session() -> None:
    current = begun()
    assert open_session(current) == OpenSession(7, "CS-1", 1, "t", NOON, current.updated_at)
    assert open_session(begun(Authorization.CONCURRENT_TX)) is None
    assert open_session(replace(current, stopped_at=NOON)) is None
    assert open_session(replace(current, superseded_by=8)) is None
    assert open_session(replace(current, id_token=None)) is None
    # By a clock that is ahead it had not begun yet.
    assert open_session(replace(current, started_at=NOON + timedelta(days=1))) == OpenSession(
        7, "CS-1", 1, "t", current.started_received_at, current.updated_at
    )


def test_a_batch_knows_the_sessions_that_it_has_made_and_ended() -> None:
    current = begun()
    loaded = LoadedTransactions([current])
    stored = [ELSEWHERE, ELSEWHERE._replace(id=7, station_id="CS-1"), ELSEWHERE._replace(id=6, token="u")]
    assert {one.id for one in loaded.sessions_of("t", stored)} == {5, 7}
    loaded.apply(decide(current, replace(start(), kind=ReportKind.ENDED, order=2), 7))
    assert {one.id for one in loaded.sessions_of("t", stored)} == {5}


@pytest.mark.parametrize(
    ("behind", "judged"),
    [
        (timedelta(0), True),
        (timedelta(hours=5), True),
        (MOST_LATE, True),
        # A clock that is ahead, or that has lost its time.
        (timedelta(seconds=-1), False),
        (MOST_LATE + timedelta(seconds=1), False),
    ],
)
def test_an_id_token_is_judged_by_when_it_was_presented(behind: timedelta, judged: bool) -> None:
    """It is advised not to stop charging for a token that expires during charging (2.0.1 IdTokenInfoType)."""
    assert judged_at(report(at=NOW - behind), NOW) == (NOW - behind if judged else NOW)
