"""What sloppy stations of the load send in a session, and what the books then expect."""

import itertools

import pytest

from tests.unit.simulator.fleet.test_sloppy import Always
from voltbus.lab.chaos.expected import ChargingSession, Expected, MessageKind
from voltbus.lab.chaos.script import SAMPLES, StationScript
from voltbus.simulator.station.habits import Habit
from voltbus.simulator.station.types import Call, Payload

every_version = pytest.mark.parametrize("version", ["1.6", "2.0.1"])
WHOLE = [MessageKind.START, *[MessageKind.SAMPLE] * SAMPLES, MessageKind.END]


def played(version: str, habit: Habit, count: int = 1) -> tuple[list[Call], list[ChargingSession]]:
    """The CALLs about sessions, and the sessions in the books."""
    expected, numbers, said = Expected(), itertools.count(1), []
    station = StationScript("CP-1", version, expected, Always(habit))
    for script in [station.session() for _ in range(count)]:
        response: Payload | None = None
        while True:
            try:
                coming = script.send(response)  # type: ignore[arg-type]
            except StopIteration:
                break
            action = coming.call[0]
            response = {"transactionId": next(numbers)} if action == "StartTransaction" else {}
            if coming.message.kind in WHOLE:
                said.append(coming.call)
    return said, expected.sessions


def kinds(session: ChargingSession) -> list[MessageKind]:
    return [message.kind for message in session.messages]


@every_version
def test_a_start_that_comes_again_is_one_message(version: str) -> None:
    said, [session] = played(version, Habit.START_AGAIN)
    assert said[0] == said[1]
    assert kinds(session) == WHOLE


@every_version
def test_an_earlier_session_is_a_session_of_its_own(version: str) -> None:
    said, [session, old] = played(version, Habit.LATE_QUEUE)
    assert (kinds(session), kinds(old)) == (WHOLE, [MessageKind.START, MessageKind.SAMPLE, MessageKind.END])
    assert old.name != session.name
    assert old.messages[-1].at < session.started_at
    assert old.messages[0].due > session.messages[0].due
    assert (session.energy_wh, old.energy_wh) == (300, 200)
    assert len(said) == len(WHOLE) + 3


def test_a_session_without_its_number_is_unnamed() -> None:
    said, [session] = played("1.6", Habit.NUMBER_LOST)
    assert session.unnamed
    assert {payload["transactionId"] for _, payload in said[1:]} <= {-1, 0}
    _, [session] = played("2.0.1", Habit.NUMBER_LOST)
    assert not session.unnamed


@every_version
def test_a_register_that_begins_anew_does_not_change_what_was_delivered(version: str) -> None:
    _, [session] = played(version, Habit.REGISTER_RESET)
    assert session.messages[-1].wh < session.messages[0].wh
    assert session.energy_wh == 250


def test_a_name_is_that_of_the_session_before() -> None:
    said, [first, second] = played("2.0.1", Habit.NAME_AGAIN, count=2)
    assert first.name == second.name
    assert first.name_shared
    assert second.name_shared
    assert {payload["transactionInfo"]["transactionId"] for _, payload in said} == {first.name}
