"""What a vehicle draws of its share: what it leaves unused goes to others, and comes back when it draws near it."""

from dataclasses import dataclass, replace

# Samples in a row before a share is given back; doubled each time it had to come back, so that nothing swings.
PATIENCE = 3
LONGEST_PATIENCE = 48


@dataclass(frozen=True, slots=True)
class DrawMonitor:
    """cap: what it is enough to grant, in tenths of an ampere; None: whatever it can take.

    lows: samples in a row below what it has; peak: the highest of them. seen: samples taken in.
    """

    cap: int | None = None
    lows: int = 0
    peak: int = 0
    patience: int = PATIENCE
    seen: int = 0


def margin(current: int) -> int:
    """A tenth, and one ampere at least: meters and vehicles are not more exact."""
    return max(10, current // 10)


def with_sample(watch: DrawMonitor, draw: int, share: int, minimum: int) -> DrawMonitor:
    """With one more sample. share: what it may draw now; a paused one says nothing of what it would draw."""
    watch = replace(watch, seen=watch.seen + 1)
    if share <= 0:
        return replace(watch, lows=0, peak=0)
    has = share if watch.cap is None else min(watch.cap, share)
    if watch.cap is not None and draw > has - margin(has) // 2:
        patience = min(2 * watch.patience, LONGEST_PATIENCE)
        return replace(watch, cap=None, lows=0, peak=0, patience=patience)
    if draw + 2 * margin(draw) > has:
        return replace(watch, lows=0, peak=0)
    lows, peak = watch.lows + 1, max(watch.peak, draw)
    if lows < watch.patience:
        return replace(watch, lows=lows, peak=peak)
    cap = max(minimum, peak + margin(peak))
    return replace(watch, cap=cap if cap < has else watch.cap, lows=0, peak=0)
