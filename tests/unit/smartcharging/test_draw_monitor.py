"""What is not drawn of a share is given back, and comes back."""

from datetime import UTC, datetime

from services.smartcharging.domain.draw_monitor import LONGEST_PATIENCE, DrawMonitor, with_sample

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(monitor: DrawMonitor, *draws: int, share: int = 320) -> DrawMonitor:
    for draw in draws:
        monitor = with_sample(monitor, draw, share=share, minimum=60)
    return monitor


def test_a_share_is_given_back_after_some_samples_and_comes_back() -> None:
    assert after(DrawMonitor(), 100, 100).cap is None
    given = after(DrawMonitor(), 100, 120, 100)
    assert given.cap == 132
    assert after(given, 100, 110).cap == 132
    assert after(given, 130).cap is None
    assert after(given, 130, 100, 100, 100, 100, 100).cap is None
    assert after(given, 130, *[100] * 6).cap == 110


def test_one_high_sample_counts_more_than_many_low_ones() -> None:
    assert after(DrawMonitor(), *([60, 60, 310] * 20)).cap is None


def test_a_cap_is_never_below_the_minimum_and_follows_down() -> None:
    assert after(DrawMonitor(), 0, 0, 0).cap == 60
    assert after(DrawMonitor(), 200, 200, 200).cap == 220
    assert after(DrawMonitor(), 200, 200, 200, 100, 100, 100).cap == 110


def test_a_paused_session_says_nothing() -> None:
    assert after(DrawMonitor(), *[0] * 20, share=0).cap is None


def test_patience_has_an_end() -> None:
    monitor = DrawMonitor()
    for _ in range(20):
        monitor = after(monitor, *[60] * LONGEST_PATIENCE, 320)
    assert monitor.patience == LONGEST_PATIENCE
