"""What is desired of a station, and what is to be done for it: pure, of whatever keys and values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Desired(Generic[V]):
    """What is desired under a key. group: the one that says so. conflicts: what groups after it say instead."""

    value: V
    group: str
    conflicts: Mapping[str, V] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference(Generic[K, V]):
    """put: what is desired and not so. remove: what is there and desired by nobody."""

    put: Mapping[K, V]
    remove: tuple[K, ...]


def resolve(groups: Iterable[tuple[str, Mapping[K, V]]]) -> dict[K, Desired[V]]:
    """A station is in groups, in order: of each key the first that says something counts."""
    found: dict[K, Desired[V]] = {}
    for group, values in groups:
        for key, value in values.items():
            first = found.get(key)
            if first is None:
                found[key] = Desired(value, group)
            elif value != first.value:
                found[key] = replace(first, conflicts={**first.conflicts, group: value})
    return found


def difference(desired: Mapping[K, V], actual: Mapping[K, A], settled: Callable[[A, V], bool]) -> Difference[K, V]:
    """settled: whether what is there needs nothing more for what is desired of it."""
    put = {key: value for key, value in desired.items() if key not in actual or not settled(actual[key], value)}
    return Difference(put, tuple(key for key in actual if key not in desired))
