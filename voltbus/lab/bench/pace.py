"""When the messages of a fixed rate are due, whatever became of those before."""

from collections.abc import Iterator
from math import ceil


def dues(rate: float, seconds: float, stations: int, number: int) -> Iterator[float]:
    """When station `number` of `stations` is to call, in seconds from the beginning.

    All stations together call every 1/rate seconds, one after the other. The times do not depend on answers, so that
    a slow answer delays no later message out of the measurement (no coordinated omission).
    """
    for turn in range(number, ceil(rate * seconds), stations):
        yield turn / rate
