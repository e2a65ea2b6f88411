"""Stations: whatever is read twice, late, or in parts comes to the same."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.smartcharging.domain import presence
from services.smartcharging.domain.presence import Connected, Disconnected, EvseSeen, Presence, StationChange

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_connection_replaces_an_older_one() -> None:
    first, second = Connected("CP1", "a", NOW, "1.6"), Connected("CP1", "b", at(5), "2.0.1")
    [station] = presence.apply_all({}, [first, second, Disconnected("CP1", "a")])
    assert (station.connected, station.connection_id, station.version) == (True, "b", "2.0.1")
    assert presence.apply_all({"CP1": station}, [first, second, Disconnected("CP1", "a")]) == []
    [station] = presence.apply_all({"CP1": station}, [Disconnected("CP1", "b")])
    assert not station.connected
    assert presence.apply_all({"CP1": station}, [second, Disconnected("CP1", "b")]) == []


def test_of_connections_of_one_moment_the_first_that_is_read_counts() -> None:
    """Or two of them would replace one another each time they are read again."""
    first, second = Connected("CP1", "a", NOW, "1.6"), Connected("CP1", "b", NOW, "2.0.1")
    [station] = presence.apply_all({}, [first, second])
    assert station.connection_id == "a"
    assert presence.apply_all({"CP1": station}, [second, first]) == []


changes = st.lists(
    st.one_of(
        st.builds(Connected, st.just("CP1"), st.sampled_from("abc"), st.integers(0, 9).map(at), st.just("1.6")),
        st.builds(Disconnected, st.just("CP1"), st.sampled_from("abc")),
        st.builds(EvseSeen, st.just("CP1"), st.integers(-1, 3)),
    )
)


@given(changes=changes)
def test_what_is_read_in_parts_comes_to_the_same(changes: list[StationChange]) -> None:
    known: dict[str, Presence] = {}
    for change in changes:
        known |= {one.station_id: one for one in presence.apply_all(known, [change])}
    assert {one.station_id: one for one in presence.apply_all({}, changes)} == {
        name: one for name, one in known.items() if one != Presence(name) or changes
    }
