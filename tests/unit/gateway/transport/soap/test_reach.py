"""How long a station that cannot be called is left alone."""

from services.gateway.transport.soap.reach import FIRST_WAIT, LONGEST_WAIT, Reach

HERE, THERE = "http://10.0.0.1/", "http://10.0.0.2/"


def test_each_try_that_fails_is_waited_for_twice_as_long() -> None:
    reach, now, waits = Reach(), 0.0, []
    assert reach.is_due(HERE, now)
    for _ in range(9):
        reach.failed(HERE, now)
        wait = next(seconds for seconds in range(1000) if reach.is_due(HERE, now + seconds))
        waits.append(wait)
        now += wait
    assert waits == [FIRST_WAIT, 10, 20, 40, 80, 160, LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT]


def test_another_address_is_tried_at_once() -> None:
    reach = Reach()
    assert reach.failed(HERE, 0.0)
    assert not reach.failed(HERE, 5.0)
    assert not reach.is_due(HERE, 6.0)
    assert reach.is_due(THERE, 6.0)
    assert reach.failed(THERE, 6.0)
    assert reach.is_due(THERE, 6.0 + FIRST_WAIT)


def test_who_was_reached_is_tried_at_once() -> None:
    reach = Reach()
    assert not reach.reached()
    reach.failed(HERE, 0.0)
    assert reach.reached()
    assert reach.is_due(HERE, 0.1)
    assert reach.failed(HERE, 0.1)
