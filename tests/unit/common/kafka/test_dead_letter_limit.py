"""When letters are too many: in a row, by share, and by how many stations they are of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.dead_letter_limit import DeadLetterLimit, DeadLetterLimitReached, DeadLetterLimits
from services.common.process.settings import CommonSettings


def keys(count: int, stations: int = 1000) -> list[bytes | None]:
    return [b"CP%d" % (number % stations) for number in range(count)]


def put_aside(limit: DeadLetterLimit, letters: list[bytes | None]) -> int:
    """How many of them, one after the other, until the limit was reached."""
    for count, key in enumerate(letters):
        try:
            limit.check(1, [key], "TypeError")
        except DeadLetterLimitReached:
            return count
        limit.count(1, [key])
    return len(letters)


def handled(records: int = 1, limits: DeadLetterLimits = DeadLetterLimits()) -> DeadLetterLimit:
    """A limit of a consumer that has handled so many."""
    limit = DeadLetterLimit(limits)
    limit.count(records)
    return limit


def test_so_many_in_a_row_are_put_aside_and_no_more() -> None:
    limit = handled()
    assert put_aside(limit, keys(30)) == 20
    assert limit.reached == "more than 20 records in a row cannot be handled, last: TypeError"
    with pytest.raises(DeadLetterLimitReached, match="20 records in a row"):
        limit.check(1, [b"CP1"], "ValueError")


def test_once_reached_it_stays_whatever_others_handle() -> None:
    limit = handled()
    put_aside(limit, keys(30))
    limit.count(5000)
    with pytest.raises(DeadLetterLimitReached):
        limit.check(1, [b"CP1"], "ValueError")


def test_one_that_is_handled_between_begins_the_row_anew() -> None:
    limit = handled()
    assert put_aside(limit, keys(20)) == 20
    limit.count(1)
    assert put_aside(limit, keys(20)) == 20
    assert limit.reached is None


def test_a_share_of_the_last_records_is_put_aside_and_no_more() -> None:
    limit = handled()
    for number in range(100):
        assert put_aside(limit, [b"CP%d" % number]) == 1
        limit.count(4)
    assert put_aside(limit, [b"CP"]) == 0
    assert limit.reached == "more than 10% of the last 1000 records cannot be handled, last: TypeError"


def test_stray_records_of_a_quiet_topic_stop_nobody() -> None:
    limit = handled()
    for number in range(500):
        assert put_aside(limit, [b"CP%d" % number]) == 1
        limit.count(10)
    assert limit.reached is None


def test_one_station_stops_no_service_for_the_others() -> None:
    """Such as one that was offline, and sends all that it kept."""
    limit = handled()
    assert put_aside(limit, keys(5000, stations=1)) == 5000
    assert put_aside(limit, keys(100, stations=4)) < 100


def test_where_nothing_was_handled_yet_one_station_is_enough() -> None:
    assert put_aside(DeadLetterLimit(DeadLetterLimits()), keys(30, stations=1)) == 20


@pytest.mark.parametrize(("records", "letters", "allowed"), [(21, 21, False), (2000, 200, True), (2000, 220, False)])
def test_letters_that_a_handler_makes_are_judged_by_the_batch(records: int, letters: int, allowed: bool) -> None:
    limit = handled(5000)
    if allowed:
        limit.check(records, keys(letters), "Unprocessable")
        limit.count(records, keys(letters))
    else:
        with pytest.raises(DeadLetterLimitReached):
            limit.check(records, keys(letters), "Unprocessable")


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5), st.integers(1, 10), st.floats(0.1, 1))
def test_exactly_what_goes_beyond_a_limit_is_refused(
    dead: list[bool], in_a_row: int, window: int, share: float
) -> None:
    """One record of one station at a time, against counting anew each time."""
    limit, outcomes = DeadLetterLimit(DeadLetterLimits(in_a_row, share, window)), list[bool]()
    for number, letter in enumerate(dead):
        if not letter:
            limit.count(1)
        else:
            row = all(outcomes[-in_a_row:]) and len(outcomes) >= in_a_row
            recent = [*outcomes, True][-window:]
            if put_aside(limit, [b"CP%d" % number]) == 0:
                assert row or sum(recent) > int(share * window)
                return
            assert not row
            assert sum(recent) <= int(share * window)
        outcomes.append(letter)


def test_the_limits_are_settings() -> None:
    settings = CommonSettings(dead_letters_in_a_row=3, dead_letters_share=0.5, dead_letters_window=10)
    assert DeadLetterLimits.of(settings) == DeadLetterLimits(3, 0.5, 10)
    assert DeadLetterLimits.of(CommonSettings()) == DeadLetterLimits()
