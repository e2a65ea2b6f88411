"""Entries put together as people read them: each CALL with its answer, and whatever stands alone. Pure.

What belongs together is stored where it was read, in any order: a reply may be kept before its CALL.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from services.firmware.frame_log.entries import Entry, Kind

_CALLS, _ANSWERS = frozenset({Kind.CALL, Kind.COMMAND}), frozenset({Kind.REPLY, Kind.RESULT})
_LATE = "late"


class Place(NamedTuple):
    """Where an exchange stands in a log: the same whenever it is read."""

    at: int
    kind: int
    offset: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """entry: the CALL, or what stands alone. answer: the one that counted. late: one that came after that was given up.

    note: what the gateway says of its answer: that there was none, or that it reached nobody.
    """

    entry: Entry
    answer: Entry | None = None
    late: Entry | None = None
    note: Entry | None = None

    @property
    def place(self) -> Place:
        entry = self.entry
        return Place(entry.at, entry.kind, entry.offset)

    @property
    def latency_us(self) -> int | None:
        """From the CALL to its answer; None where there is none, or clocks do not agree which was first."""
        entry, answer = self.entry, self.answer
        if entry.kind == Kind.CALL:
            begun, ended = entry.at, entry.answered_at if entry.answered else answer.at if answer else 0
        elif answer and answer.outcome in ("answered", "refused", "invalid"):
            begun, ended = answer.answered_at, answer.at
        else:
            return None
        return ended - begun if begun and ended >= begun else None

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return any(part is not None and part.failed for part in (self.entry, self.answer, self.late, self.note))

    @property
    def parts(self) -> Sequence[Entry]:
        """The CALL and its answers."""
        return [part for part in (self.entry, self.answer, self.late) if part is not None]


def exchanges(entries: Iterable[Entry]) -> list[Exchange]:
    """In the order of time, each once."""
    ordered = sorted(entries, key=attrgetter("at", "kind", "offset"))
    calls = _Calls(entry for entry in ordered if entry.kind in _CALLS)
    answers, late, notes = dict[int, Entry](), dict[int, Entry](), dict[int, Entry]()
    alone: list[Entry] = []
    for entry in ordered:
        if entry.kind in _CALLS:
            continue
        call = calls.of(entry)
        if call is None:
            alone.append(entry)
        elif entry.kind == Kind.DROPPED:
            notes[id(call)] = entry
        else:
            # Of the same answer told twice only the first reached anybody.
            (late if entry.outcome == _LATE else answers).setdefault(id(call), entry)
    found = [Exchange(call, answers.get(id(call)), late.get(id(call)), notes.get(id(call))) for call in calls.all]
    return sorted([*found, *map(Exchange, alone)], key=attrgetter("place"))


class _Calls:
    """CALLs by what their answers say of them. calls: in the order of time."""

    def __init__(self, calls: Iterable[Entry]) -> None:
        self.all = list(calls)
        self._by_key = {call.key: call for call in self.all}
        self._by_message: dict[tuple[str, str], list[Entry]] = {}
        for call in self.all:
            self._by_message.setdefault((call.connection_id, call.message_id), []).append(call)

    def of(self, entry: Entry) -> Entry | None:
        """The CALL that an answer, or a word about one, belongs to."""
        if entry.kind in _ANSWERS and entry.key:
            return self._by_key.get(entry.key)
        if entry.kind in _ANSWERS or (entry.kind == Kind.DROPPED and not entry.payload):
            return self._newest(entry)
        return None

    def _newest(self, entry: Entry) -> Entry | None:
        """By message id: stations use one again when it is answered, so the last one before."""
        same = self._by_message.get((entry.connection_id, entry.message_id), [])
        place = bisect_right(same, entry.at, key=attrgetter("at"))
        # Clocks of a service and a gateway may differ by less than a CALL takes.
        return same[place - 1] if place else same[0] if same else None
