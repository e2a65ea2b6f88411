"""Which sequence numbers of a transaction have arrived, kept as ranges (2.0.1 part 2, E §1.3.2)."""

from itertools import islice, pairwise

# Ascending, apart from each other: ((0, 4), (6, 9)) lacks 5. The first number need not be 0.
Ranges = tuple[tuple[int, int], ...]

LONGEST_LIST = 1000


def add(ranges: Ranges, number: int) -> Ranges:
    """With one more number; the same object if it is included already."""
    if ranges and number == ranges[-1][1] + 1:
        return (*ranges[:-1], (ranges[-1][0], number))
    if has(ranges, number):
        return ranges
    return _merged(sorted((*ranges, (number, number))))


def has(ranges: Ranges, number: int) -> bool:
    return any(low <= number <= high for low, high in ranges)


def missing(ranges: Ranges) -> list[int]:
    """The numbers between the first and the last that have not arrived, the first thousand of them."""
    if len(ranges) < 2:
        return []
    gaps = (number for (_, high), (low, _) in pairwise(ranges) for number in range(high + 1, low))
    return list(islice(gaps, LONGEST_LIST))


def _merged(ranges: list[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in ranges:
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)
