"""How fast a station may send: by what it sends for long, not by what comes at once."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.pressure import pace as module
from services.gateway.pressure.pace import AT_ONCE, LONGEST_PAUSE, Pace, Paces, Rates
from services.gateway.settings import Settings

RATES = Rates.of(Settings(password_key="k"))
DAY = 86_400


def left(pace: Pace) -> float:
    """Of the burst."""
    return pace.messages + pace.more_messages


class Station:
    """Sends as fast as it is read, `speed` messages a second."""

    def __init__(self, rates: Rates = RATES) -> None:
        self.rates, self.now, self.sent, self.longest, self.paused = rates, 1000.0, 0, 0.0, 0.0
        self.pace = Pace.of(rates, self.now)
        self.flooded = False

    def send(self, count: int, speed: float, size: int = 500) -> None:
        for _ in range(count):
            self.now += 1 / speed
            self.pace.messages -= 1
            self.pace.size -= size
            self.sent += 1
            if self.pace.messages < 0 or self.pace.size < 0:
                wait = self.pace.slow_down(self.rates, self.now)
                self.flooded = self.flooded or self.pace.floods(self.rates, self.now)
                self.longest = max(self.longest, wait)
                self.paused += wait
                self.now += wait


def test_what_a_station_says_when_it_connects_is_read_without_a_pause() -> None:
    """Its boot, and the statuses of many connectors."""
    station = Station()
    station.send(50, speed=10_000)
    assert station.paused == 0


def test_five_hundred_that_were_kept_take_two_seconds() -> None:
    station = Station()
    station.send(500, speed=10_000)
    assert station.now - 1000.0 == pytest.approx(500 / 250, rel=0.15)
    assert station.longest < 0.01


def test_the_backlog_of_a_weekend_is_within_the_burst() -> None:
    """Two connectors, a message a minute each, for three days: 8,640, at 250 a second."""
    station = Station()
    station.send(2 * 3 * 24 * 60, speed=10_000)
    assert station.now - 1000.0 == pytest.approx(8_640 / 250, rel=0.01)
    assert station.pace.over_since is None


def test_who_waits_for_its_answers_is_not_paused() -> None:
    """A CALL that Kafka or a service has to take takes some milliseconds."""
    station = Station()
    station.send(5_000, speed=240)
    assert station.paused == 0


def test_a_backlog_of_a_hundred_thousand_is_slowed_down_and_comes_whole() -> None:
    """10,000 and what is made up for meanwhile at 250 a second, then 100: all of it takes a quarter of an hour."""
    station = Station()
    begun = station.now
    station.send(99_000, speed=2_000)
    assert not station.flooded
    assert 0 < station.longest <= LONGEST_PAUSE
    assert station.now - begun == pytest.approx((99_000 - 10_000) / 100, rel=0.01)


def test_who_goes_on_for_longer_floods() -> None:
    station = Station()
    station.send(200_000, speed=2_000)
    assert station.flooded


@pytest.mark.parametrize(("speed", "flooded"), [(99, False), (101, False), (150, True)])
def test_what_is_sent_for_long_decides(speed: float, flooded: bool) -> None:
    """In an hour: at 101 a second what may come at once lasts for nearly three."""
    station = Station()
    station.send(int(3600 * speed), speed)
    assert station.flooded is flooded


def test_bytes_count_as_messages_do() -> None:
    station = Station()
    station.send(2_000, speed=50, size=250_000)
    assert station.flooded
    assert station.sent == 2_000


@pytest.mark.parametrize("free", [{"message_rate": 0}, {"byte_rate": 0}])
def test_one_rate_without_the_other(free: dict[str, Any]) -> None:
    station = Station(Rates.of(Settings(password_key="k", **free)))
    station.send(4_000, speed=4_000, size=250_000 if "message_rate" in free else 1)
    assert (station.pace.over_since is not None) is ("message_rate" in free)
    station.send(15_000, speed=4_000, size=10)
    assert station.pace.over_since is not None
    assert 0 < station.longest <= LONGEST_PAUSE


def test_who_has_paused_has_its_burst_again() -> None:
    station = Station()
    station.send(20_000, speed=2_000)
    assert station.pace.over_since is not None
    station.now += 100
    station.send(9_000, speed=2_000)
    assert station.pace.over_since is None
    for _ in range(30):
        station.now += 120
        station.send(20_000, speed=2_000)
    assert not station.flooded


def test_without_rates_everything_may_come() -> None:
    station = Station(Rates.of(Settings(password_key="k", message_rate=0, byte_rate=0, flood_timeout=0)))
    station.send(100_000, speed=10_000)
    assert (station.longest, station.flooded, station.pace.messages) == (0, False, inf)


@given(
    st.lists(st.tuples(st.integers(1, 400), st.floats(1, 5_000), st.floats(0, 60)), max_size=30),
    st.floats(1, 10),
    st.floats(1, 20),
)
def test_never_more_than_the_rate_and_the_burst_and_never_faster_than_the_peak(
    steps: list[tuple[int, float, float]], burst: float, peak: float
) -> None:
    rates = Rates(messages=10, size=100_000, burst=burst, peak=peak, patience=60)
    station = Station(rates)
    begun = station.now
    for count, speed, rest in steps:
        sent, at = station.sent, station.now
        station.send(count, speed, size=10)
        # What is made up for is so when it is asked for, so that as much again may come in one go.
        assert station.sent - sent <= rates.messages * peak * (2 * AT_ONCE + station.now - at) + 1.01
        station.now += rest
        assert station.sent <= rates.messages * (burst + station.now - begun) + 1.01
        assert station.longest <= LONGEST_PAUSE


@given(st.lists(st.tuples(st.integers(1, 100), st.floats(0, 5))), st.floats(1, 20))
def test_who_keeps_to_the_rate_is_never_paused(steps: list[tuple[int, float]], peak: float) -> None:
    station = Station(Rates(messages=10, size=100_000, burst=5, peak=peak))
    for count, rest in steps:
        station.send(count, speed=9.9, size=10)
        station.now += rest
    assert station.paused == 0


def test_what_was_read_beyond_the_longest_pause_is_forgiven() -> None:
    """A read of thousands of pings is one read."""
    pace = Pace.of(RATES, 0.0)
    pace.messages -= 3_000
    assert pace.slow_down(RATES, 0.0) == LONGEST_PAUSE
    assert pace.slow_down(RATES, LONGEST_PAUSE) == 0
    assert pace.messages + pace.more_messages == pytest.approx(7_000 + LONGEST_PAUSE * 100)


def test_who_comes_back_goes_on_where_it_was() -> None:
    """Or else a flood would only have to connect anew."""
    paces, now = Paces(RATES), 0.0
    pace = paces.take("CP1", now)
    pace.messages, pace.more_messages = -5, 0
    paces.keep("CP1", pace, now)
    paces.keep("CP2", paces.take("CP2", now), now)
    assert paces.take("CP1", now) is pace
    assert left(paces.take("CP2", now)) == 10_000
    paces.keep("CP1", pace, now)
    paces.forget(now + DAY)
    assert left(paces.take("CP1", now + DAY)) == 10_000


def test_who_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    paces = Paces(RATES)
    for number in range(10):
        paces.keep(str(number), Pace(0, 0, 0), 0)
    assert left(paces.take("6", 0)) == 10_000
    assert left(paces.take("9", 0)) == 0
