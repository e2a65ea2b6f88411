"""Whatever is broken in what Voltbus has kept and told is found, and named; where nothing is, nothing is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.lab.chaos.running import BEGAN, GATEWAY, NEW, OLD, OTHER, Run
from voltbus.lab.chaos import check_calls, check_sessions, check_system
from voltbus.lab.chaos.check_commands import commands
from voltbus.lab.chaos.check_sessions import KINDS
from voltbus.lab.chaos.expected import Attempt, MessageKind
from voltbus.lab.chaos.observed import ForwardedCall, TransactionRow
from voltbus.simulator.station.habits import Habit


def found(run: Run) -> list[str]:
    """The kinds of all violations."""
    messages, whole, observed = list(run.expected.messages()), run.whole, run.observed
    violations = [
        *check_sessions.sessions(run.expected.sessions, whole.kept, observed),
        *check_sessions.unknown_transactions(run.expected.sessions, whole.kept),
        *check_calls.calls(messages, whole, observed),
        *check_calls.passed(messages, observed),
        *check_calls.states(messages, observed),
        *check_calls.answers(messages),
        *check_system.presence({OLD: "m4", NEW: "m10"}, messages, whole, observed),
        *check_calls.unanswered(messages, [(BEGAN.timestamp() - 60, BEGAN.timestamp() - 30)], 10.0),
        *check_system.repeated(observed),
        *check_system.slots(observed),
        *commands(run.expected, whole, observed, down=0.0),
    ]
    return [violation.what for violation in violations]


def test_nothing_is_wrong() -> None:
    assert found(Run()) == []


def test_another_error_code_in_the_same_state_is_a_change() -> None:
    run = Run()
    told = next(message for message in run.expected.loose if message.kind is MessageKind.STATUS)
    run.expected.loose.append(replace(told, error_code="Error"))
    assert found(run) == ["missing"]
    run.tell("ConnectorStatusChanged", told.station, "another", step="Available Error")
    assert found(run) == []


def lose_transaction(run: Run) -> None:
    row = run.whole.kept.transactions.pop()
    for number, at in list(run.whole.kept.samples):
        if number == row.id:
            del run.whole.kept.samples[number, at]


def lose_sample(run: Run) -> None:
    del run.whole.kept.samples[1, run.expected.sessions[0].messages[1].at]


def forget_the_end(run: Run) -> None:
    rows = run.whole.kept.transactions
    rows[0] = replace(rows[0], stopped_at=None, stop_wh=None)


def double_sample(run: Run) -> None:
    run.whole.kept.samples[2, run.expected.sessions[1].messages[0].at] += 1


def invent_sample(run: Run) -> None:
    run.whole.kept.samples[1, BEGAN] += 1


def double_transaction(run: Run) -> None:
    run.whole.kept.transactions.append(replace(run.whole.kept.transactions[0], id=3))


def invent_transaction(run: Run) -> None:
    run.whole.kept.transactions.append(replace(run.whole.kept.transactions[0], id=3, name="3", started_at=BEGAN))


def answer_differently(run: Run) -> None:
    message = run.expected.sessions[0].messages[0]
    message.attempts.append(
        Attempt("again", 1, message.due, message.due, {"transactionId": 9, "idTagInfo": {"status": "Accepted"}})
    )
    run.observed.calls["again"] = run.observed.calls[message.attempts[0].message_id]


def lose_event(run: Run) -> None:
    run.observed.of_transaction[1].pop(1)


def double_event(run: Run) -> None:
    run.tell("TransactionUpdated", OLD, "another", transaction=1, at=run.expected.sessions[0].messages[1].at)


def repeat_event(run: Run) -> None:
    run.tell("TransactionUpdated", OLD, "1.1", transaction=1, at=run.expected.sessions[0].messages[1].at)


def swap_events(run: Run) -> None:
    events = run.observed.of_transaction[2]
    events[1], events[2] = events[2], events[1]


def miscount_energy(run: Run) -> None:
    run.whole.kept.transactions[0] = replace(run.whole.kept.transactions[0], energy_wh=2)


def move_a_transaction(run: Run) -> None:
    run.whole.kept.transactions[0] = replace(run.whole.kept.transactions[0], evse=2)


def mark_what_is_right(run: Run) -> None:
    """A mark excuses the wrong energy of a register that was reset, and no other."""
    run.whole.kept.transactions[0] = replace(run.whole.kept.transactions[0], energy_wh=None, doubted=True)


def lose_boot(run: Run) -> None:
    run.whole.boots.pop()


def forget_a_station(run: Run) -> None:
    run.whole.stations[OLD] = (False, None)


def stay_on_the_old_connection(run: Run) -> None:
    run.whole.stations[OLD] = (True, f"{GATEWAY}-0")


def keep_an_old_state(run: Run) -> None:
    run.whole.states[NEW] = "Occupied"


def lose_a_status(run: Run) -> None:
    run.observed.events[:] = [event for event in run.observed.events if event.kind != "ConnectorStatusChanged"]


def tell_an_old_state(run: Run) -> None:
    run.tell("ConnectorStatusChanged", NEW, "another", step="Occupied")


def answer_before_kafka_has_it(run: Run) -> None:
    del run.observed.calls["m5"]


def refuse(run: Run) -> None:
    run.expected.loose[0].attempts[0].refused = "InternalError"


def refuse_a_driver(run: Run) -> None:
    run.expected.sessions[0].messages[0].attempts[0].answer = {"transactionId": 1, "idTagInfo": {"status": "Invalid"}}


def leave_unanswered(run: Run) -> None:
    message = run.expected.loose[0]
    message.attempts.insert(0, Attempt("first", 1, message.due - 2))


def use_another_ones_slot(run: Run) -> None:
    run.observed.owners[0] += [(BEGAN - timedelta(hours=1), GATEWAY), (BEGAN + timedelta(seconds=12), OTHER)]


def leave_a_command_open(run: Run) -> None:
    run.whole.commands[0] = replace(run.whole.commands[0], status="sent", outcome=None, ended_at=None)
    run.observed.steps["command"].add("sent")


def end_a_command_late(run: Run) -> None:
    command = run.whole.commands[0]
    run.whole.commands[0] = replace(command, ended_at=command.expires_at + timedelta(seconds=70))


def send_a_command_twice(run: Run) -> None:
    run.expected.received.append(run.expected.received[0])


def send_it_to_a_later_connection(run: Run) -> None:
    run.expected.received[0].connection = 2
    message = run.expected.loose[0]
    message.attempts.append(Attempt("later", 2, message.due, message.due, {"status": "Accepted"}))
    run.observed.calls["later"] = ForwardedCall("call-m4", OLD, f"{OTHER}-7", 1, message.at)


def deny_that_it_was_sent(run: Run) -> None:
    run.whole.commands[0] = replace(run.whole.commands[0], outcome="undelivered", status="undeliverable")
    run.observed.steps["command"].add("undelivered")


def claim_an_answer(run: Run) -> None:
    run.expected.received.clear()


def lose_a_command(run: Run) -> None:
    run.whole.commands.clear()
    run.expected.received.clear()


def keep_the_end_of_a_command_to_oneself(run: Run) -> None:
    run.observed.steps["command"].remove("answered")


BREACHES: dict[Callable[[Run], None], set[str]] = {
    lose_transaction: {"lost"},
    lose_sample: {"lost"},
    forget_the_end: {"lost"},
    double_sample: {"twice"},
    invent_sample: {"twice"},
    double_transaction: {"twice"},
    invent_transaction: {"twice"},
    answer_differently: {"twice"},
    lose_event: {"missing"},
    double_event: {"double"},
    repeat_event: {"repeated"},
    swap_events: {"order"},
    miscount_energy: {"energy"},
    move_a_transaction: {"lost"},
    mark_what_is_right: {"energy"},
    lose_boot: {"lost"},
    forget_a_station: {"presence"},
    stay_on_the_old_connection: {"presence"},
    keep_an_old_state: {"lost"},
    lose_a_status: {"missing"},
    tell_an_old_state: {"double"},
    answer_before_kafka_has_it: {"lost"},
    refuse: {"refused"},
    refuse_a_driver: {"refused"},
    leave_unanswered: {"unanswered"},
    use_another_ones_slot: {"slot"},
    leave_a_command_open: {"command"},
    end_a_command_late: {"late"},
    send_a_command_twice: {"command"},
    send_it_to_a_later_connection: {"command"},
    deny_that_it_was_sent: {"command"},
    claim_an_answer: {"command"},
    lose_a_command: {"lost"},
    keep_the_end_of_a_command_to_oneself: {"missing"},
}


@pytest.mark.parametrize(("wrong", "kinds"), BREACHES.items(), ids=lambda it: getattr(it, "__name__", ""))
def test_what_is_wrong_is_found(wrong: Callable[[Run], None], kinds: set[str]) -> None:
    run = Run()
    wrong(run)
    assert set(found(run)) == kinds


def unanswered(run: Run) -> None:
    """The last sample of a session has not been answered, nor was its end message."""
    session = run.expected.sessions[0]
    session.messages.pop()
    session.messages[-1].attempts.clear()


def lose_the_number(run: Run) -> None:
    """The station cannot name its session: its samples and its stop are nobody's, and the next start has ended it."""
    session, row = run.expected.sessions[0], run.whole.kept.transactions[0]
    session.habit = Habit.NUMBER_LOST
    ended = session.messages[-1].at + timedelta(seconds=5)
    run.whole.kept.transactions[0] = replace(row, stopped_at=ended, stop_wh=None, energy_wh=None)
    for message in session.messages[1:-1]:
        del run.whole.kept.samples[row.id, message.at]
    del run.observed.of_transaction[row.id][1:]
    run.tell("TransactionEnded", OLD, "superseded", transaction=row.id, at=ended)
    end = session.messages[-1]
    run.whole.kept.orphans.add((OLD, end.at, end.wh))
    run.tell("OrphanStopRecorded", OLD, "orphan", at=end.at)


def test_a_session_without_a_number_is_ended_and_its_stop_an_orphan() -> None:
    run = Run()
    lose_the_number(run)
    assert found(run) == []


def forget_the_orphan(run: Run) -> None:
    run.whole.kept.orphans.clear()


def leave_it_open(run: Run) -> None:
    run.whole.kept.transactions[0] = replace(run.whole.kept.transactions[0], stopped_at=None)
    run.observed.of_transaction[1].pop()


def keep_the_orphan_to_oneself(run: Run) -> None:
    run.observed.orphans.clear()


UNNAMED: dict[Callable[[Run], None], set[str]] = {
    forget_the_orphan: {"lost"},
    leave_it_open: {"lost"},
    keep_the_orphan_to_oneself: {"missing"},
}


@pytest.mark.parametrize(("wrong", "kinds"), UNNAMED.items(), ids=lambda it: getattr(it, "__name__", ""))
def test_what_is_wrong_of_a_session_without_a_number_is_found(wrong: Callable[[Run], None], kinds: set[str]) -> None:
    run = Run()
    lose_the_number(run)
    wrong(run)
    assert set(found(run)) == kinds


def reset_the_register(run: Run, energy_wh: float | None, doubted: bool) -> None:
    """It begins at 0 before the last message: 2 Wh were delivered as far as the station says."""
    session, row = run.expected.sessions[1], run.whole.kept.transactions[1]
    session.habit, session.messages[-1].wh = Habit.REGISTER_RESET, 0
    run.whole.kept.transactions[1] = replace(row, stop_wh=0, energy_wh=energy_wh, doubted=doubted)


@pytest.mark.parametrize(
    ("energy_wh", "doubted", "kinds"), [(2, False, []), (None, True, []), (None, False, ["energy"])]
)
def test_a_register_that_was_reset_has_its_energy_or_a_mark(
    energy_wh: float | None, doubted: bool, kinds: list[str]
) -> None:
    run = Run()
    reset_the_register(run, energy_wh, doubted)
    assert found(run) == kinds


def test_two_sessions_of_one_name_are_two_transactions() -> None:
    run = Run()
    first, second = (session for session in (run.expected.sessions[1], Run().expected.sessions[1]))
    for message in second.messages:
        message.at += timedelta(seconds=60)
    second.name, first.name_shared, second.name_shared = first.name, True, True
    run.expected.sessions.append(second)
    assert set(found(run)) == {"lost"}
    begun, ended = second.messages[0], second.messages[-1]
    run.whole.kept.transactions.append(
        TransactionRow(3, NEW, second.name, begun.at, ended.at, begun.wh, ended.wh, 1, 3, doubted=False)
    )
    for step, message in enumerate(second.messages):
        run.whole.kept.samples[3, message.at] += 1
        run.tell(KINDS[message.kind], NEW, f"3.{step}", transaction=3, at=message.at)
    assert found(run) == []


@pytest.mark.parametrize("earlier", [20, 40])
def test_silence_is_no_breach_where_nobody_is_served_or_something_is_wrong(earlier: float) -> None:
    """The first is so long before all others that none was answered within its patience."""
    run = Run()
    message = run.expected.loose[0]
    message.attempts.insert(0, Attempt("first", 0, message.due - earlier))
    assert found(run) == []


def test_what_was_not_acknowledged_may_be_there_or_not() -> None:
    run = Run()
    unanswered(run)
    row = run.whole.kept.transactions[0]
    run.whole.kept.transactions[0] = replace(row, stopped_at=None, stop_wh=None)
    run.observed.of_transaction[1].pop()
    assert found(run) == []
    del run.whole.kept.samples[1, run.expected.sessions[0].messages[-1].at]
    run.observed.of_transaction[1].pop()
    assert found(run) == []
