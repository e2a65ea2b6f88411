"""What a station has to say, in order, until it is heard."""

from datetime import UTC, datetime, timedelta
from typing import Any

from voltbus.simulator.fleet.call_queue import MAX_ATTEMPTS, MAX_QUEUED, PAUSE, CallQueue, QueuedCall, plain

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def kept(number: int, droppable: bool = False) -> QueuedCall:
    return QueuedCall(
        lambda: ("TransactionEvent", {"seqNo": number}), lambda _: None, persistent=True, droppable=droppable
    )


def said(queue: CallQueue) -> list[str]:
    """Everything, as if each was answered."""
    calls = []
    while queued := queue.next():
        assert queued.call is not None
        calls.append(str(queued.call[1].get("seqNo", queued.call[0])))
        queue.done(queued)
    return calls


def test_in_order_and_without_a_connection_only_what_is_kept() -> None:
    queue = CallQueue(Clock())
    for queued in (kept(0), plain(("Heartbeat", {})), kept(1)):
        queue.put(queued)
    assert queue.next() is queue.next()
    queue.disconnected()
    assert queue.has_persistent
    assert said(queue) == ["0", "1"]


def test_a_message_is_made_once_and_repeated_as_it_was() -> None:
    """E13: what was not answered is sent again, the same."""
    made: list[int] = []

    def make() -> tuple[str, Any]:
        made.append(1)
        return "TransactionEvent", {"seqNo": 0}

    queue = CallQueue(Clock())
    queue.put(QueuedCall(make, lambda _: None, persistent=True))
    first = queue.next()
    queue.disconnected()
    assert queue.next() is first
    assert made == [1]


def test_what_there_is_nothing_to_say_of_is_left_out() -> None:
    queue = CallQueue(Clock())
    for queued in (QueuedCall(lambda: None, lambda _: None, persistent=True), kept(7)):
        queue.put(queued)
    assert said(queue) == ["7"]


def test_what_is_refused_is_tried_again_and_then_let_go() -> None:
    """E13.FR.03; nothing overtakes it meanwhile."""
    clock = Clock()
    queue = CallQueue(clock)
    queue.put(kept(0))
    queue.put(kept(1))
    for attempt in range(1, MAX_ATTEMPTS):
        queued = queue.next()
        assert queued is not None
        again = queue.failed(queued, counted=True)
        assert again == clock.now + attempt * PAUSE
        assert queue.next() is None
        clock.now = again
    queued = queue.next()
    assert queued is not None
    assert queue.failed(queued, counted=True) is None
    assert said(queue) == ["1"]


def test_what_is_not_answered_is_tried_for_ever() -> None:
    clock = Clock()
    queue = CallQueue(clock)
    queue.put(kept(0))
    for _ in range(3 * MAX_ATTEMPTS):
        queued = queue.next()
        assert queued is not None
        assert queue.failed(queued, counted=False)
        clock.now += timedelta(minutes=1)
    assert said(queue) == ["0"]


def test_readings_are_dropped_where_there_are_too_many() -> None:
    """E04.FR.08: every second one, the first and the last message never."""
    queue = CallQueue(Clock())
    queue.put(kept(0))
    for number in range(1, 2 * MAX_QUEUED):
        queue.put(kept(number, droppable=True))
    queue.put(kept(9999))
    assert len(queue) <= MAX_QUEUED
    kept_numbers = [int(number) for number in said(queue)]
    assert (kept_numbers[0], kept_numbers[-1]) == (0, 9999)
    assert kept_numbers == sorted(kept_numbers)
    assert kept_numbers[1] < 10
