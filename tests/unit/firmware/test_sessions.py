"""Which sessions run: the newest of each EVSE, whatever is told late or again."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.firmware.domain.sessions import Session, Sessions, apply, apply_all
from tests.unit.firmware.tables import START


def session(number: int, evse_id: int = 1, **more: Any) -> Session:
    fields = {
        "station_id": "CP1",
        "connector_id": None,
        "transaction_id": f"t{number}",
        "started_at": START + timedelta(minutes=number),
        "running": True,
    }
    return Session(id=number, evse_id=evse_id, **(fields | more))


def running(known: Sessions) -> list[int]:
    return sorted(one.id for one in known.values() if one.running)


def told(*sessions: Session) -> Sessions:
    return apply_all({}, sessions)["CP1"]


def test_a_session_runs_until_it_has_ended() -> None:
    assert running(told(session(1), session(2, evse_id=2))) == [1, 2]
    assert running(told(session(1), session(1, running=False))) == []


def test_an_end_that_was_a_guess_is_taken_back() -> None:
    assert running(told(session(1), session(1, running=False), session(1))) == [1]


def test_the_start_of_an_older_session_that_is_told_again_changes_nothing() -> None:
    present = told(session(1), session(1, running=False), session(2))
    assert apply(present, session(1)) == present
    free = apply(present, session(2, running=False))
    assert apply(free, session(1)) == free


def test_the_start_of_a_session_that_has_ended_does_not_make_it_run() -> None:
    """Put back from the dead letters after its end was told."""
    ended = told(session(1, starts=True), session(1, running=False))
    assert apply(ended, session(1, starts=True)) == ended


def test_history_that_is_told_late_does_not_take_the_place_of_what_runs() -> None:
    late = session(3, started_at=START, superseded=True, running=False)
    assert running(told(session(2), late)) == [2]
    assert running(told(session(2), late, session(2, running=False))) == []


def test_a_session_is_told_of_its_evse_later() -> None:
    assert running(told(session(1, evse_id=0), session(1, evse_id=2))) == [1]
    assert set(told(session(1, evse_id=0), session(1, evse_id=2, running=False))) == {2}


def test_ids_may_begin_anew() -> None:
    """transactions was restored from an older copy."""
    restored = session(1, started_at=START + timedelta(days=1))
    assert running(told(session(900), session(900, running=False), restored)) == [1]


LIVES = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 2)), min_size=1, max_size=12)


@given(LIVES, st.data())
def test_what_is_read_again_comes_to_the_same(lives: list[tuple[int, int]], data: st.DataObject) -> None:
    """A consumer that had not committed reads a part of its records again, in order."""
    events = [session(n, evse, running=not lives[:i].count((n, evse))) for i, (n, evse) in enumerate(lives)]
    events = [one for one in events if one.evse_id == 1 + one.id % 2]
    again = data.draw(st.integers(0, len(events)))
    once = apply_all({}, events)
    assert apply_all(once, events[again:]).get("CP1", {}) == once.get("CP1", {})
