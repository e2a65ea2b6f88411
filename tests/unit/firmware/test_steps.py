"""A station is read before it is set, once a boot."""

import pytest
from msgspec.structs import replace

from services.firmware.domain.steps import AGAIN, HEARD, Progress, Step, applied, booted, done, due, read, reading
from tests.unit.firmware.tables import START, at

NEW = Progress("CP1", Step.IDLE, START)
READ = replace(NEW, everything=False, firmware_version="1", read_at=START)
WAITS = reading(READ, {"a", "b"})


@pytest.mark.parametrize(
    ("before", "firmware", "everything"),
    [
        (NEW, "1", True),
        (READ, "1", False),
        (READ, "2", True),
        (READ, None, True),
        (replace(NEW, read_at=None), None, True),
    ],
)
def test_everything_is_read_at_first_and_after_a_new_firmware(
    before: Progress, firmware: str | None, everything: bool
) -> None:
    """B07.FR.14."""
    after = booted(before, firmware, at(5))
    assert (after.step, after.everything, after.due_at) == (Step.DUE, everything, at(5) + HEARD)


def test_what_a_boot_interrupts_begins_anew() -> None:
    after = booted(WAITS, "1", at(5))
    assert (after.step, after.waiting) == (Step.DUE, frozenset())
    assert done(after, ["a", "b"], [], at(6)) == after


def test_it_is_ready_when_everything_it_waits_for_has_ended() -> None:
    once = done(WAITS, ["a", "other"], [], at(1))
    assert (once.step, once.waiting) == (Step.READING, {"b"})
    assert done(once, ["b"], [], at(2)).step is Step.READY


def test_what_did_not_reach_it_is_asked_again_later() -> None:
    after = done(WAITS, ["a"], ["a"], at(1))
    assert (after.step, after.due_at, after.waiting) == (Step.DUE, at(1) + AGAIN, frozenset())
    assert done(WAITS, ["other"], ["other"], at(1)) == WAITS


def test_a_life() -> None:
    ready = done(reading(due(NEW, at(1)), {"a"}), ["a"], [], at(2))
    known = read(ready, "1", at(2))
    assert applied(known, at(3)) == replace(READ, due_at=at(2), read_at=at(2), applied_at=at(3))
