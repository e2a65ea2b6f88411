"""Lines of log that others can cause as often as they like: of each kind a few, and then how many were left out."""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog


@dataclass(slots=True)
class _Kind:
    """left: lines that may be logged now, as of `at`."""

    left: float
    at: float
    left_out: int = 0


class Sparing:
    """at_once: lines of a kind that are logged one after the other; then one each `every` seconds."""

    __slots__ = ("_at_once", "_every", "_kinds")

    def __init__(self, at_once: int, every: float) -> None:
        self._at_once, self._every = at_once, every
        self._kinds: dict[Hashable, _Kind] = {}

    def admit(self, kind: Hashable, now: float) -> Mapping[str, int] | None:
        """What a line says of those before it that were left out; None: it is left out itself. now: of any clock."""
        one = self._kinds.get(kind)
        if one is None:
            one = self._kinds[kind] = _Kind(self._at_once, now)
        one.left = min(self._at_once, one.left + (now - one.at) / self._every)
        one.at = now
        if one.left < 1:
            one.left_out += 1
            return None
        one.left -= 1
        left_out, one.left_out = one.left_out, 0
        return _told(left_out)

    def rest(self) -> Mapping[str, int]:
        """At the end: how many of all kinds were left out and not told."""
        left_out = sum(one.left_out for one in self._kinds.values())
        self._kinds.clear()
        return _told(left_out)


def _told(left_out: int) -> Mapping[str, int]:
    return {"left_out": left_out} if left_out else {}


class SparingLogger:
    """A logger whose events are each a kind. monotonic: its clock."""

    def __init__(self, sparing: Sparing, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._sparing, self._monotonic = sparing, monotonic
        self._log = structlog.get_logger()

    def debug(self, event: str, **fields: Any) -> None:
        """All of them."""
        self._log.debug(event, **fields)

    def info(self, event: str, **fields: Any) -> None:
        self._tell(self._log.info, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._tell(self._log.warning, event, fields)

    def _tell(self, tell: Callable[..., Any], event: str, fields: Mapping[str, Any]) -> None:
        if (left_out := self._sparing.admit(event, self._monotonic())) is not None:
            tell(event, **fields, **left_out)
