"""A record dies, is read as a letter, and comes back as it was."""

import pytest
from msgspec.structs import replace

from services.common.kafka.bus import Record
from services.common.kafka.dead_letters import dead_letter, without_value
from tests.unit.operator.dead_letters.letters import CALLS, DEAD, NOW, dead
from voltbus.operator.dead_letters.dead_letter import original_record, read


def lying(record: Record, offset: int = 17) -> Record:
    return replace(record, partition=3, offset=offset)


def test_a_letter_says_whence_when_and_why() -> None:
    letter = read("transactions", lying(dead(why="not a voltbus.v1.Call")))
    assert (letter.id, letter.station, letter.topic) == ("transactions-3-17", "CP1", CALLS)
    assert (letter.origin, letter.at, letter.reason) == ((2, 7), NOW, "not a voltbus.v1.Call")
    assert (letter.replayed, letter.left_out) == (0, None)


def test_a_record_comes_back_as_it_was_and_says_that_it_does() -> None:
    back = original_record(read("transactions", lying(dead(b"\x00\xff"))))
    assert (back.topic, back.key, back.value, back.partition) == (CALLS, b"CP1", b"\x00\xff", None)
    assert back.headers == (("h", b"1"), ("replayed", b"1"))


def test_one_that_dies_again_says_how_often_it_came_back() -> None:
    record = original_record(read("transactions", lying(dead())))
    for times in (1, 2, 3):
        letter = read("transactions", lying(dead_letter(record, DEAD, ValueError("again"), NOW)))
        assert letter.replayed == times
        record = original_record(letter)
    assert record.headers == (("h", b"1"), ("replayed", b"4"))


def test_without_a_key_it_goes_back_to_its_partition() -> None:
    assert original_record(read("transactions", lying(dead(key=None)))).partition == 2


def test_a_letter_without_its_value_says_how_large_that_was() -> None:
    letter = read("transactions", lying(without_value(dead(bytes(5000), key=b"k" * 5000))))
    assert (letter.left_out, letter.value, letter.topic) == (5000, b"", CALLS)
    assert len(letter.key or b"") == 256
    assert "h" not in dict(letter.headers)


@pytest.mark.parametrize("at", [b"yesterday", b"2026-06-01T12:00:00", b"\xff"])
def test_what_others_put_there_is_a_letter_too(at: bytes) -> None:
    headers = (("dead-partition", b"x"), ("dead-at", at), ("replayed", b"often"), ("n", None))
    letter = read("auth", Record("dead.auth", None, None, headers, 0, 1))  # type: ignore[arg-type]
    assert (letter.id, letter.station, letter.topic, letter.reason) == ("auth-0-1", "", "", "")
    assert (letter.origin, letter.at, letter.replayed) == ((-1, -1), None, 0)
