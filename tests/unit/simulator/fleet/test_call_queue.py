"""What a station has to say, in order, until it is heard."""

from datetime import UTC, datetime, timedelta

from voltbus.simulator.fleet.call_queue import (ATTEMPTS, MOST, PAUSE, Letter, Mailbox, plain)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def kept(number: int, spare: bool = False) -> Letter:
    return Letter(lambda: ("TransactionEvent", {"seqNo": number}), lambda _: None, kept=True, spare=spare)


def said(mailbox: Mailbox) -> list[str]:
    """Everything, as if each was answered."""
    calls = []
    while letter := mailbox.next():
        assert letter.call is not None
        calls.append(str(letter.call[1].get("seqNo", letter.call[0])))
        mailbox.done(letter)
    return calls


def test_in_order_and_without_a_connection_only_what_is_kept() -> None:
    mailbox = Mailbox(Clock())
    for letter in (kept(0), plain(("Heartbeat", {})), kept(1)):
        mailbox.put(letter)
    assert mailbox.next() is mailbox.next()
    mailbox.disconnected()
    assert mailbox.keeps
    assert said(mailbox) == ["0", "1"]


def test_a_message_is_made_once_and_repeated_as_it_was() -> None:
    """E13: what was not answered is sent again, the same."""
    made = []
    mailbox = Mailbox(Clock())
    mailbox.put(Letter(lambda: made.append(1) or ("TransactionEvent", {"seqNo": 0}), lambda _: None, kept=True))  # type: ignore[func-returns-value]
    first = mailbox.next()
    mailbox.disconnected()
    assert mailbox.next() is first
    assert made == [1]


def test_what_there_is_nothing_to_say_of_is_left_out() -> None:
    mailbox = Mailbox(Clock())
    for letter in (Letter(lambda: None, lambda _: None, kept=True), kept(7)):
        mailbox.put(letter)
    assert said(mailbox) == ["7"]


def test_what_is_refused_is_tried_again_and_then_let_go() -> None:
    """E13.FR.03; nothing overtakes it meanwhile."""
    clock = Clock()
    mailbox = Mailbox(clock)
    mailbox.put(kept(0))
    mailbox.put(kept(1))
    for attempt in range(1, ATTEMPTS):
        letter = mailbox.next()
        assert letter is not None
        again = mailbox.failed(letter, counted=True)
        assert again == clock.now + attempt * PAUSE
        assert mailbox.next() is None
        clock.now = again
    letter = mailbox.next()
    assert letter is not None
    assert mailbox.failed(letter, counted=True) is None
    assert said(mailbox) == ["1"]


def test_what_is_not_answered_is_tried_for_ever() -> None:
    clock = Clock()
    mailbox = Mailbox(clock)
    mailbox.put(kept(0))
    for _ in range(3 * ATTEMPTS):
        letter = mailbox.next()
        assert letter is not None
        assert mailbox.failed(letter, counted=False)
        clock.now += timedelta(minutes=1)
    assert said(mailbox) == ["0"]


def test_readings_are_dropped_where_there_are_too_many() -> None:
    """E04.FR.08: every second one, the first and the last message never."""
    mailbox = Mailbox(Clock())
    mailbox.put(kept(0))
    for number in range(1, 2 * MOST):
        mailbox.put(kept(number, spare=True))
    mailbox.put(kept(9999))
    assert len(mailbox) <= MOST
    kept_numbers = [int(number) for number in said(mailbox)]
    assert (kept_numbers[0], kept_numbers[-1]) == (0, 9999)
    assert kept_numbers == sorted(kept_numbers)
    assert kept_numbers[1] < 10
