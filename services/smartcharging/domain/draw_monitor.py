"""What a vehicle draws of its share: what it leaves unused goes to others, and comes back when it draws near it."""

from dataclasses import dataclass, replace

# Samples in a row before a share is given back; doubled each time it had to come back, so that nothing swings.
PATIENCE = 3
LONGEST_PATIENCE = 48


@dataclass(frozen=True, slots=True)
class DrawMonitor:
    """cap: what it is enough to grant, in tenths of an ampere; None: whatever it can take.

    lows: samples in a row below its share; peak: the highest of them. seen: how many samples have been counted.
    """

    cap: int | None = None
    lows: int = 0
    peak: int = 0
    patience: int = PATIENCE
    seen: int = 0


def margin(current: int) -> int:
    """A tenth, and one ampere at least: meters and vehicles are not more exact."""
    return max(10, current // 10)


def with_sample(monitor: DrawMonitor, draw: int, *, share: int, minimum: int) -> DrawMonitor:
    """With one more sample. share: what it may draw now; a paused session says nothing of what it would draw."""
    monitor = replace(monitor, seen=monitor.seen + 1)
    if share <= 0:
        return replace(monitor, lows=0, peak=0)
    granted = share if monitor.cap is None else min(monitor.cap, share)
    if monitor.cap is not None and draw > granted - margin(granted) // 2:
        patience = min(2 * monitor.patience, LONGEST_PATIENCE)
        return replace(monitor, cap=None, lows=0, peak=0, patience=patience)
    if draw + 2 * margin(draw) > granted:
        return replace(monitor, lows=0, peak=0)
    lows, peak = monitor.lows + 1, max(monitor.peak, draw)
    if lows < monitor.patience:
        return replace(monitor, lows=lows, peak=peak)
    cap = max(minimum, peak + margin(peak))
    return replace(monitor, cap=cap if cap < granted else monitor.cap, lows=0, peak=0)
