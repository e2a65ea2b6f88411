"""A session ends: whose EVSE is free and of which nothing is heard, and no other."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from services.transactions.domain.ends import end
from services.transactions.domain.energy_readings import REGISTER, energy_readings
from services.transactions.domain.grace import (
    MOST_ROUNDS,
    Ask,
    End,
    Grace,
    Standing,
    due_at,
    is_vacated,
    last_sign_of_life,
    reconsider,
    step,
)
from services.transactions.domain.messages import MeterValue, ReportKind
from services.transactions.domain.metering import PastValue
from services.transactions.domain.station import (
    MOST_CONNECTORS,
    Booted,
    ConnectorReported,
    Fact,
    PresenceChanged,
    Station,
    apply,
    apply_all,
)
from services.transactions.domain.transaction import EndedBy, Transaction, new_transaction
from tests.unit.transactions.making import NOON, at, report

LIMIT = timedelta(minutes=15)
HERE = apply(Station("CS-1"), PresenceChanged("CS-1", True, at(-60)))


def session(minute: float = 0, *, evse: int | None = 1, connector: int | None = 1, **more: Any) -> Transaction:
    """One that began, and was last heard of, at that minute."""
    began = report(ReportKind.STARTED, at=at(minute), received_at=at(minute))
    return replace(new_transaction(began, 7), evse_id=evse, connector_id=connector, **more)


def status(
    minute: float, free: bool = True, evse: int = 1, connector: int = 1, said_at: datetime | None = None
) -> ConnectorReported:
    return ConnectorReported("CS-1", evse, connector, free, at(minute), said_at)


def booted(minute: float, serial: str = "S1") -> Booted:
    return Booted("CS-1", serial, at(minute))


def known(*facts: Fact, before: Station = HERE) -> Station:
    for fact in facts:
        before = apply(before, fact)
    return before


@pytest.mark.parametrize(
    ("one", "facts", "vacated"),
    [
        pytest.param(session(), [status(1)], True, id="its connector is free"),
        pytest.param(session(), [status(-1)], False, id="it was free before"),
        pytest.param(session(), [status(1), status(2, free=False)], False, id="and is taken again"),
        pytest.param(session(), [status(-1), booted(1)], True, id="free as before, and the station has booted"),
        pytest.param(session(), [booted(1)], False, id="a boot alone"),
        pytest.param(session(), [status(-2), booted(-1)], False, id="a boot before"),
        pytest.param(session(), [status(1, evse=2)], False, id="another EVSE"),
        pytest.param(session(), [status(1, connector=2)], False, id="another connector of its EVSE"),
        pytest.param(session(connector=None), [status(1, connector=2)], True, id="one of its EVSE"),
        pytest.param(
            session(connector=None),
            [status(0, False), status(1, connector=2)],
            False,
            id="another of its EVSE is taken",
        ),
        pytest.param(session(evse=None, connector=None), [status(1)], False, id="no EVSE yet"),
        pytest.param(session(evse=None, connector=None), [booted(1)], True, id="no EVSE yet, and a boot"),
        pytest.param(
            session(evse=None, connector=None), [status(0, False), booted(1)], False, id="no EVSE yet, one is taken"
        ),
        pytest.param(session(evse=9), [booted(-5), booted(1, "S2")], True, id="another station in its place"),
        pytest.param(session(evse=9), [booted(-5), booted(1, "")], False, id="a boot that names no serial number"),
        pytest.param(session(evse=9), [booted(-5), booted(1, " s1\t")], False, id="the same in other capitals"),
        pytest.param(session(evse=9), [booted(-5), booted(1, "0")], False, id="0 is no serial number"),
        pytest.param(session(evse=9), [booted(-5), booted(1, "Unknown")], False, id="nor is unknown"),
        pytest.param(session(evse=9), [booted(-5, "000"), booted(1)], False, id="nor was it before"),
        pytest.param(
            session(evse=9), [booted(-5), booted(1, "0"), booted(2, "S2")], True, id="what was known before counts"
        ),
        pytest.param(
            session(), [booted(-5), booted(1, "S2"), status(2, False)], False, id="another serial, and it charges"
        ),
        pytest.param(
            session(), [booted(-5), status(-1, False), booted(1, "S2")], False, id="another serial, and it charged"
        ),
        pytest.param(session(), [status(1, said_at=at(-1))], False, id="told late: free before"),
        pytest.param(session(), [status(1, said_at=at(0.5))], True, id="free since by the station's time as well"),
        pytest.param(session(), [status(1, said_at=at(-60 * 24 * 9000))], True, id="free at a time that cannot be"),
        pytest.param(
            session(0, started_at=at(120)), [status(1, said_at=at(1))], True, id="free, and the clock was ahead"
        ),
        pytest.param(
            session(-30, started_received_at=at(5)),
            [status(6, said_at=at(-40))],
            False,
            id="both told late: free before it began",
        ),
        pytest.param(
            session(-30, started_received_at=at(5)), [status(-20)], True, id="told late: free since it really began"
        ),
        pytest.param(
            session(0, started_at=datetime(1970, 1, 1, tzinfo=NOON.tzinfo)), [status(-1)], False, id="a wrong clock"
        ),
    ],
)
def test_whose_evse_is_free(one: Transaction, facts: list[Fact], vacated: bool) -> None:
    assert is_vacated(one, known(*facts)) is vacated


def test_what_is_told_twice_or_late_changes_nothing() -> None:
    facts: list[Fact] = [
        PresenceChanged("CS-1", True, at(0)),
        booted(1),
        status(2),
        PresenceChanged("CS-1", False, at(3)),
    ]
    after = known(*facts)
    for fact in facts:
        assert apply(after, fact) is after
    assert (after.connected, after.booted_at, after.connectors[0].free) == (False, at(1), True)


def test_whoever_says_something_is_here() -> None:
    """Of a station that connected before anybody listened."""
    [station] = apply_all([], [status(0)])
    assert station.connected
    assert not known(PresenceChanged("CS-1", False, at(1)), status(2)).connected


def test_a_station_has_so_many_connectors() -> None:
    station = known(*[status(n, evse=n + 1) for n in range(2 * MOST_CONNECTORS)])
    assert len(station.connectors) == MOST_CONNECTORS


def begun(one: Transaction, station: Station, minute: float) -> Grace:
    [grace] = reconsider(station, [one], {}, at(minute))
    return grace


def stepped(grace: Grace, one: Transaction, minute: float, **more: Any) -> Any:
    choice: dict[str, Any] = {"standing": None, "askable": False} | more
    return step(grace, one.updated_at, None, limit=LIMIT, now=at(minute), **choice)


def test_it_ends_after_the_grace_time_when_its_evse_became_free() -> None:
    one, station = session(), known(status(20))
    grace = begun(one, station, 21)
    assert due_at(grace, one.updated_at, LIMIT) == at(36)
    assert stepped(grace, one, 35.9) is grace
    assert stepped(grace, one, 36) == End(EndedBy.AVAILABLE, at(20))


def test_each_message_begins_it_anew() -> None:
    one, station = session(), known(status(20))
    heard = replace(one, updated_at=at(30))
    anew = stepped(begun(one, station, 21), heard, 36)
    assert due_at(anew, heard.updated_at, LIMIT) == at(45)
    assert stepped(anew, heard, 45) == End(EndedBy.AVAILABLE, at(30))


def told(*values: tuple[float, dict[str, float]]) -> list[PastValue]:
    """Minutes, and W, A, or Wh of the register."""
    names = {"W": "Power.Active.Import", "A": "Current.Import", "Wh": REGISTER, "%": "SoC"}
    found = []
    for minute, shown in values:
        readings = [{"measurand": names[unit], "unit": unit, "value": value} for unit, value in shown.items()]
        found.append(PastValue(0, at(minute), MeterValue(at(minute), readings, energy_readings(readings))))
    return found


STILL = {"W": 0.0, "Wh": 5000.0}


@pytest.mark.parametrize(
    ("values", "alive"),
    [
        pytest.param([(19, STILL), (25, STILL), (30, STILL)], 20, id="nothing flows, and the register stands still"),
        pytest.param([(19, {"Wh": 5000}), (30, {"Wh": 5000})], 20, id="the register stands still"),
        pytest.param([(30, {"A": 0.0})], 20, id="no current"),
        pytest.param([(19, STILL), (25, {"W": 7000.0}), (30, STILL)], 25, id="power flowed"),
        pytest.param(
            [(19, STILL), (25, {"W": 0, "Wh": 5001.0}), (30, {"W": 0, "Wh": 5001})], 25, id="the register rose"
        ),
        pytest.param([(19, STILL), (25, {"%": 80}), (30, STILL)], 25, id="nothing is said of it"),
        pytest.param([(19, STILL), (25, STILL)], 30, id="and then something else was heard"),
        pytest.param([], 30, id="something else was heard"),
    ],
)
def test_what_shows_that_nothing_flows_is_no_sign_of_life(
    values: list[tuple[float, dict[str, float]]], alive: float
) -> None:
    """evcc#14673: its stop was lost, and the station repeats its number for ever."""
    grace = replace(begun(session(), known(status(20)), 21), running_since=at(20.5))
    assert last_sign_of_life(grace, at(30), told(*values)) == at(alive)


def test_it_runs_only_while_the_station_is_connected() -> None:
    one, station = session(), known(status(20))
    gone = known(PresenceChanged("CS-1", False, at(30)), before=station)
    [paused] = reconsider(gone, [one], {7: begun(one, station, 20)}, at(30))
    assert due_at(paused, one.updated_at, LIMIT) is None
    assert stepped(paused, one, 500) is paused
    back = known(PresenceChanged("CS-1", True, at(600)), before=gone)
    [running] = reconsider(back, [one], {7: paused}, at(600))
    assert due_at(running, one.updated_at, LIMIT) == at(605)


def test_a_power_cut_ends_it_when_it_was_last_heard_of() -> None:
    one = session(updated_at=at(20))
    station = known(booted(40), status(41))
    grace = begun(one, station, 41)
    assert step(grace, one.updated_at, station.booted_at, standing=None, askable=False, limit=LIMIT, now=at(56)) == End(
        EndedBy.AVAILABLE, at(20)
    )


@pytest.mark.parametrize(
    ("standing", "comes"),
    [
        (Standing.OVER, End(EndedBy.ASKED, at(20))),
        (Standing.SILENT, End(EndedBy.AVAILABLE, at(20))),
        (Standing.ONGOING, at(36) + LIMIT),
        (Standing.UNREACHED, at(36) + LIMIT),
        (Standing.QUEUED, at(36) + LIMIT),
    ],
)
def test_who_can_be_asked_is_asked(standing: Standing, comes: Any) -> None:
    """E14."""
    one, station = session(), known(status(20))
    grace = begun(one, station, 21)
    assert stepped(grace, one, 36, askable=True) == Ask()
    asked = replace(grace, command_id="c")
    assert stepped(asked, one, 36, askable=True) is asked
    after = stepped(asked, one, 36, askable=True, standing=standing)
    assert (due_at(after, one.updated_at, LIMIT) if isinstance(after, Grace) else after) == comes


def test_an_end_that_is_always_on_its_way_never_comes() -> None:
    after: Any = begun(session(), known(status(20)), 21)
    for n in range(MOST_ROUNDS):
        asked = replace(after, command_id="c")
        after = stepped(asked, session(), 36 + 15 * n, askable=True, standing=Standing.QUEUED)
    assert after == End(EndedBy.ASKED, at(20))


class Sessions(RuleBasedStateMachine):
    """A session of a station that does as it likes. What is observed: how long, while connected, nothing was heard."""

    def __init__(self) -> None:
        super().__init__()
        self.now = at(0)
        self.one = session()
        self.station = known(status(-1), booted(-2))
        self.graces: list[Grace] = []
        self.quiet = timedelta()
        self.ended: End | None = None

    def say(self, fact: Fact) -> None:
        self.station = apply(self.station, fact)
        self.graces = reconsider(self.station, [self.one], {one.transaction_id: one for one in self.graces}, self.now)
        if not is_vacated(self.one, self.station):
            self.quiet = timedelta()

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        if self.station.connected and self.graces:
            self.quiet += timedelta(minutes=minutes)

    @rule(free=st.booleans())
    def connector_is_reported(self, free: bool) -> None:
        self.now += timedelta(seconds=1)
        self.say(ConnectorReported("CS-1", 1, 1, free, self.now))

    @rule()
    def station_boots(self) -> None:
        self.now += timedelta(seconds=1)
        self.say(Booted("CS-1", "S1", self.now))

    @rule(connected=st.booleans())
    def station_comes_or_goes(self, connected: bool) -> None:
        self.now += timedelta(seconds=1)
        self.say(PresenceChanged("CS-1", connected, self.now))

    @rule()
    @precondition(lambda self: self.station.connected)
    def session_is_heard_of(self) -> None:
        self.now += timedelta(seconds=1)
        self.one = replace(self.one, updated_at=self.now)
        self.quiet = timedelta()

    @rule()
    @precondition(lambda self: self.graces and self.ended is None)
    def is_looked_at(self) -> None:
        chosen = step(
            self.graces[0],
            self.one.updated_at,
            self.station.booted_at,
            standing=None,
            askable=False,
            limit=LIMIT,
            now=self.now,
        )
        if isinstance(chosen, End):
            # Some seconds pass with every message, which are not counted.
            assert self.quiet + timedelta(minutes=1) >= LIMIT
            assert self.station.connected
            assert is_vacated(self.one, self.station)
            assert at(0) <= chosen.at <= self.now
            self.ended = chosen
        elif isinstance(chosen, Grace):
            self.graces = [chosen]

    @invariant()
    def a_session_ends(self) -> None:
        """Whatever was before: free, connected and silent for the grace time, it ends, once."""
        later = self.now + timedelta(seconds=1)
        facts: list[Fact] = [PresenceChanged("CS-1", True, later), ConnectorReported("CS-1", 1, 1, True, later)]
        station = known(*facts, before=self.station)
        [grace] = reconsider(station, [self.one], {one.transaction_id: one for one in self.graces}, later)
        over = step(
            grace, self.one.updated_at, station.booted_at, standing=None, askable=False, limit=LIMIT, now=later + LIMIT
        )
        assert isinstance(over, End)
        ended, revision = end(self.one, over.by, over.at, later + LIMIT)
        assert revision
        assert (ended.ended, ended.ended_by, revision.number) == (True, EndedBy.AVAILABLE, 1)


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
