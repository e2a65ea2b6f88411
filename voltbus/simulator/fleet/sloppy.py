"""What the habit of a session makes of its start, and what it does in the middle, at a sloppy station of a fleet."""

from collections.abc import Callable, Mapping
from typing import Protocol

from voltbus.simulator.fleet.call_queue import QueuedCall
from voltbus.simulator.station.charger import Charger, Outlet
from voltbus.simulator.station.habits import Habit, Habits
from voltbus.simulator.station.types import Call, Dialect, Payload, Session

# Seconds into a session.
MIDDLE = 5.0


class SloppyHost(Protocol):
    """What is needed of the station."""

    charger: Charger
    dialect: Dialect
    habits: Habits

    def enqueue(self, queued: QueuedCall) -> None: ...


def starts(
    make: Callable[[], Call | None], answered: Callable[[Payload], None], habit: Habit | None
) -> list[QueuedCall]:
    """The first message of a session: the same twice, where the reply to the first is lost."""
    first = QueuedCall(make, answered, persistent=True)
    if habit is not Habit.START_AGAIN:
        return [first]
    first.answered = _ignore
    return [first, QueuedCall(lambda: first.call, answered, persistent=True)]


def send_earlier(station: SloppyHost, outlet: Outlet, session: Session) -> None:
    """All of a session of hours ago."""
    old, (begin, sample, end) = station.habits.earlier(session, outlet.reading(station.charger.clock()))
    dialect = station.dialect
    makes: list[tuple[Callable[[], Call | None], Callable[[Payload], None]]] = [
        (lambda: dialect.begun(old, begin, True), lambda response: _take_number(dialect, old, response)),
        (lambda: dialect.sampled(old, sample, True), _ignore),
        (lambda: dialect.ended(old, end, "Local", True), _ignore),
    ]
    for make, answered in makes:
        station.enqueue(QueuedCall(make, answered, persistent=True))


def reset_register(_: SloppyHost, outlet: Outlet, session: Session) -> None:
    """The meter begins at 0; what the session has had so far is not forgotten here."""
    session.meter_start_wh -= int(outlet.meter_wh)
    outlet.meter_wh = 0.0


DURING: Mapping[Habit, Callable[[SloppyHost, Outlet, Session], None]] = {
    Habit.LATE_QUEUE: send_earlier,
    Habit.REGISTER_RESET: reset_register,
}


def _take_number(dialect: Dialect, session: Session, response: Payload) -> None:
    dialect.started(session, response)


def _ignore(_: Payload) -> None:
    pass
