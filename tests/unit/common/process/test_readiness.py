"""A check that holds for some time after it has ceased to."""

from services.common.process.readiness import NotReady, ReadyForNow, StayingReady

NO = NotReady("no answer")


def test_grace_runs_from_when_it_is_first_seen_to_fail() -> None:
    now = [0.0]
    grace = StayingReady(60, lambda: now[0])
    assert grace.of(True) is True
    now[0] = 1000.0
    assert grace.of(NO) == ReadyForNow()
    now[0] = 1059.9
    assert grace.of(False) == ReadyForNow()
    now[0] = 1060.0
    assert grace.of(NO) == NO
    now[0] = 5000.0
    assert grace.of(NO) == NO
    assert grace.of(True) is True
    assert grace.of(NO) == ReadyForNow()


def test_what_never_held_has_no_grace() -> None:
    grace = StayingReady(60, lambda: 0.0)
    assert grace.of(NO) == NO
    assert grace.of(True) is True
    assert grace.of(NO) == ReadyForNow()


def test_none_is_none() -> None:
    grace = StayingReady(0, lambda: 0.0)
    assert grace.of(True) is True
    assert grace.of(NO) == NO


def test_what_does_not_pass_by_itself_has_no_grace() -> None:
    """A right that is missing is told at once; that Kafka is away may pass."""
    grace = StayingReady(60, lambda: 0.0)
    denied = NotReady("may not write", lasting=True)
    assert grace.of(True) is True
    assert grace.of(denied) == denied
    assert grace.of(NO) == ReadyForNow()
