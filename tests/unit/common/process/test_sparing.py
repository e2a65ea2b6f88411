"""Of lines that others can cause without end a few are logged, and all are told."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.common.process.sparing import Sparing, SparingLogger


def test_the_first_few_of_a_kind_then_one_in_so_many_seconds() -> None:
    sparing = Sparing(3, 60)
    assert [sparing.admit("a", 0.0) for _ in range(5)] == [{}, {}, {}, None, None]
    assert sparing.admit("b", 0.0) == {}
    assert sparing.admit("a", 59.0) is None
    assert sparing.admit("a", 60.0) == {"left_out": 3}
    assert sparing.admit("a", 60.0) is None
    assert sparing.rest() == {"left_out": 1}
    assert sparing.rest() == {}


def test_after_silence_it_begins_anew() -> None:
    sparing = Sparing(2, 1)
    assert [sparing.admit("a", at) for at in (0.0, 0.0, 0.0, 10.0, 10.0, 10.0)] == [
        {},
        {},
        None,
        {"left_out": 1},
        {},
        None,
    ]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 30)), max_size=200))
def test_every_line_is_logged_or_told(steps: list[tuple[str, float]]) -> None:
    sparing, now, logged, told = Sparing(4, 10), 0.0, list[float](), 0
    for kind, seconds in steps:
        now += seconds
        if (left_out := sparing.admit(kind, now)) is not None:
            logged.append(now)
            told += 1 + left_out.get("left_out", 0)
    assert told + sparing.rest().get("left_out", 0) == len(steps)
    # Of both kinds together, within ten seconds.
    assert all(sum(at <= one < at + 10 for one in logged) <= 10 for at, _ in pairwise([*logged, now]))


def test_a_logger_leaves_out_by_event() -> None:
    now = 0.0
    log = SparingLogger(Sparing(1, 1), lambda: now)
    with capture_logs() as lines:
        for station in ("A", "B"):
            log.info("refused", station_id=station)
            log.warning("other", station_id=station)
            log.debug("small", station_id=station)
        now = 1.0
        log.info("refused", station_id="C")
    told = [(one["log_level"], one["event"], one["station_id"], one.get("left_out")) for one in lines]
    assert told == [
        ("info", "refused", "A", None),
        ("warning", "other", "A", None),
        ("debug", "small", "A", None),
        ("debug", "small", "B", None),
        ("info", "refused", "C", 1),
    ]
