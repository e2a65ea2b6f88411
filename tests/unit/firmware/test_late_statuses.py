"""What is told late is history (1.6 §4.9; 2.x G01), and the last of the history is what the connector is."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.firmware.domain.decide import decide
from services.firmware.domain.history import StatusRecord, state_of
from services.firmware.domain.messages import (
    Boot,
    ConnectionOpened,
    ReportConnectorStates,
    ReportConnectorStatus,
)
from services.firmware.domain.station import Connector, Identity, Place, Presence, Station
from services.firmware.domain.uptime import Change, Port, measure
from tests.unit.firmware.tables import at, context

ONE = Place(1, 1)
# Away from 100 to 1000.
BACK = Presence(True, "b", connected_at=at(1000), disconnected_at=at(100), last_seen_at=at(1000), alive_at=at(1000))


class Line:
    """A connector and its history, as one message after the other tells it."""

    def __init__(self, presence: Presence = BACK) -> None:
        self.station = Station("CP1", "1.6", presence=presence)
        self.history: dict[str, StatusRecord] = {}

    def status(self, received: float, word: str, said: float | None, connection: str = "b") -> None:
        command = ReportConnectorStatus(ONE, word, at=None if said is None else at(said))
        self._apply(command, received, connection)

    def event(self, received: float, word: str, said: float) -> None:
        """By a NotifyEvent that was made when it was received."""
        report = ReportConnectorStatus(ONE, word, at=at(said))
        self._apply(ReportConnectorStates(((0, report),), at(received)), received, "b")

    def boot(self, received: float, connection: str = "b") -> None:
        self._apply(Boot(Identity("V", "M")), received, connection)

    def connects(self, received: float, connection: str) -> None:
        self._apply(ConnectionOpened(""), received, connection)

    def _apply(self, command: object, received: float, connection: str) -> None:
        decision = decide(self.station, command, context(received, connection))  # type: ignore[arg-type]
        self.station = decision.station
        for one in decision.recorded:
            self.history.setdefault(one.call_id, one)

    @property
    def connector(self) -> Connector:
        return self.station.connectors[ONE]

    @property
    def entries(self) -> Sequence[StatusRecord]:
        return sorted(self.history.values(), key=lambda one: (one.happened_at, one.received_at))

    @property
    def told(self) -> list[tuple[str, float]]:
        return [(one.status, (one.happened_at - at(0)).total_seconds()) for one in self.entries]

    def faulted(self, begin: float, end: float) -> float:
        """Seconds of fault that uptime counts."""
        changes = [Change(one.happened_at, one.received_at, state_of(one.status)) for one in self.entries]
        return measure(Port(at(begin), changes), at(begin), at(end)).faulted.total_seconds()


def before_it_was_away() -> Line:
    line = Line(Presence(True, "a", connected_at=at(-900)))
    line.status(0, "Available", 0, "a")
    line.station = Station("CP1", "1.6", presence=BACK, connectors=line.station.connectors, places=1)
    return line


@pytest.mark.parametrize("boots", [True, False])
@pytest.mark.parametrize("queued", [150, 940, 999])
def test_a_queued_status_does_not_hide_a_fault_that_is(queued: float, boots: bool) -> None:
    line = before_it_was_away()
    if boots:
        line.boot(1001)
    line.status(1002, "Faulted", 1002)
    line.status(1003, "Available", queued)
    assert line.connector.status == "Faulted"
    assert line.told == [("Available", 0), ("Available", queued), ("Faulted", 1002)]
    assert line.faulted(0, 2000) == 998


@pytest.mark.parametrize("boots", [True, False])
def test_a_queued_fault_is_over_when_the_station_has_said_so(boots: bool) -> None:
    line = before_it_was_away()
    if boots:
        line.boot(1001)
    line.status(1002, "Available", 1002)
    line.status(1003, "Faulted", 940)
    assert line.connector.status == "Available"
    assert line.told == [("Available", 0), ("Faulted", 940), ("Available", 1002)]
    assert line.faulted(0, 5000) == 62
    # Its end was queued, too.
    line.status(1004, "Available", 960)
    assert line.faulted(0, 5000) == 20


def test_a_queue_that_is_told_on_two_connections_is_history_on_both() -> None:
    line = before_it_was_away()
    line.status(1002, "Faulted", 1002)
    line.connects(1010, "c")
    line.status(1011, "Available", 940, "c")
    assert line.connector.status == "Faulted"


def test_a_queue_alone_is_as_it_comes() -> None:
    """Nothing newer was told: its last is what is."""
    line = before_it_was_away()
    line.status(1002, "Faulted", 400)
    line.status(1003, "Available", 500)
    line.status(1004, "Charging", 980)
    assert line.connector.status == "Charging"
    assert line.faulted(0, 5000) == 100


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param((1002, 900), (1003, 800), id="behind, and put back"),
        pytest.param((1002, 1300), (1003, 990), id="ahead, then set right"),
        pytest.param((1002, None), (1003, 950), id="nothing known of the clock"),
        pytest.param((1010, 1010), (1012, 1001), id="put back, of this connection"),
        pytest.param((1002, 1002), (1003, -2000), id="from before the time away"),
        pytest.param((1002, 1002), (1003, -1_700_000_000), id="1970"),
        pytest.param((1002, 1002), (1003, 2_300_000_000), id="2099"),
        pytest.param((1002, 1002), (2900, 950), id="half an hour later there is no queue any more"),
    ],
)
def test_a_clock_that_is_off_freezes_no_connector(first: tuple[float, float | None], then: tuple[float, float]) -> None:
    line = before_it_was_away()
    for word, (received, said) in (("Available", first), ("Faulted", then)):
        line.status(received, word, said)
    assert line.connector.status == "Faulted"
    assert line.told[-1][0] == "Faulted"


def test_a_clock_that_a_boot_has_put_back_freezes_no_connector() -> None:
    """Without a battery it goes on from when it was switched off: it may lie in the time away, and proves nothing."""
    line = Line(Presence(True, "a", connected_at=at(-900)))
    line.status(90, "Available", 90, "a")
    line.station = Station("CP1", "1.6", presence=BACK, connectors=line.station.connectors, places=1)
    line.boot(1001)
    line.status(1002, "Faulted", 80)
    assert line.connector.status == "Faulted"


def test_a_late_event_of_a_fault_that_is_over_is_followed_by_what_is() -> None:
    """2.x G01.FR.03: Available at 0 and again at 20; then word of a fault at 10."""
    line = Line(Presence(True, "b", connected_at=at(-900)))
    line.status(0, "Available", 0)
    line.status(20, "Available", 20)
    line.event(20.5, "Faulted", 10)
    assert line.connector.status == "Available"
    assert line.told == [("Available", 0), ("Faulted", 10), ("Available", 20)]
    assert line.faulted(0, 5000) == 10
    # Told twice, it is there once; another one between is ended by the same word.
    line.event(20.5, "Faulted", 10)
    line.event(21, "Faulted", 15)
    assert line.told == [("Available", 0), ("Faulted", 10), ("Faulted", 15), ("Available", 20)]


def test_a_status_that_ended_between_two_words_of_a_fault_is_followed_by_it() -> None:
    line = Line(Presence(True, "b", connected_at=at(-900)))
    line.status(0, "Faulted", 0)
    line.status(20, "Faulted", 20)
    line.event(21, "Available", 10)
    assert line.faulted(0, 100) == 90


def test_the_present_was_last_confirmed_by_the_clock_that_is_believed() -> None:
    """A queued word, by the time in which it was queued."""
    line = Line()
    line.status(1001, "Available", 200)
    line.status(1070, "Available", 990)
    line.event(1071, "Faulted", 980)
    assert line.told[-1] == ("Available", 990)


def test_what_a_gateway_held_up_is_followed_by_what_was_received_later() -> None:
    """By a clock that says that this was before: then receipt counts."""
    line = Line(Presence(True, "b", connected_at=at(-900)))
    line.status(0, "Available", 0)
    line.status(20, "Available", 5)
    line.status(10, "Faulted", 8)
    assert line.told == [("Available", 0), ("Faulted", 8), ("Available", 20)]


Told = tuple[bool, str, float, float]


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(["Available", "Faulted", "Charging"]),
            st.floats(0, 100).map(round),
            st.sampled_from([-50, 0, 1, 5, 30, 59, 61, 70, 300, 900, 5000]),
        ),
        max_size=12,
    )
)
def test_the_last_of_the_history_is_what_the_connector_is(messages: list[Told]) -> None:
    """Whatever comes late, by either message and any clock."""
    line, now = Line(), 1000.0
    for by_event, word, pause, lag in messages:
        now += pause + 1
        (line.event if by_event else line.status)(now, word, now - lag)
        assert line.told[-1][0] == line.connector.status
