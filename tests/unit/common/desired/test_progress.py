"""A station is read before it is written, once a boot."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from services.common.desired.progress import RETRY_AFTER, Progress, Step, applied, done, due, read, reading

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEW = Progress("CP1", Step.IDLE, START)
READ = replace(NEW, everything=False, firmware_version="1", read_at=START)
WAITS = reading(READ, {"a", "b"})


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_it_is_ready_when_everything_it_waits_for_has_ended() -> None:
    once = done(WAITS, ["a", "other"], [], at(1))
    assert (once.step, once.waiting) == (Step.READING, frozenset({"b"}))
    assert done(once, ["b"], [], at(2)).step is Step.READY


def test_what_did_not_reach_it_is_read_again_later() -> None:
    after = done(WAITS, ["a"], ["a"], at(1))
    assert (after.step, after.due_at, after.waiting) == (Step.DUE, at(1) + RETRY_AFTER, frozenset())
    assert done(WAITS, ["other"], ["other"], at(1)) == WAITS


def test_a_life() -> None:
    ready = done(reading(due(NEW, at(1)), {"a"}), ["a"], [], at(2))
    known = read(ready, "1", at(2))
    assert applied(known, at(3)) == replace(READ, due_at=at(2), read_at=at(2), applied_at=at(3))
