"""The open loop: what is due does not depend on answers."""

from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltbus.lab.bench.pace import dues


@given(st.floats(0.5, 300), st.floats(0.1, 5), st.integers(1, 50))
def test_all_stations_together_keep_the_rate(rate: float, seconds: float, stations: int) -> None:
    times = sorted(due for number in range(stations) for due in dues(rate, seconds, stations, number))
    assert times == [turn / rate for turn in range(ceil(rate * seconds))]
    assert all(0 <= due < seconds for due in times)


@given(st.floats(1, 300), st.integers(1, 50), st.data())
def test_a_station_calls_at_even_times(rate: float, stations: int, data: st.DataObject) -> None:
    times = list(dues(rate, 3, stations, data.draw(st.integers(0, stations - 1))))
    assert all(after - before == pytest.approx(stations / rate) for before, after in pairwise(times))
