"""What a batch of calls is while it is handled: what was read, what is known, what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.common.bus import Record
from services.common.calls import Call, Refused
from services.transactions.domain.decide import Decision
from services.transactions.domain.messages import Message, Reply, Report
from services.transactions.domain.transaction import Transaction, only_metered


@dataclass(slots=True)
class Batch:
    """What was read, and what comes of it.

    order: the place of each call. refused, replies: by the call's id. news: for the outbox.
    """

    now: datetime
    order: dict[str, int] = field(default_factory=dict)
    messages: list[tuple[Call, Message]] = field(default_factory=list)
    refused: dict[str, Refused] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    news: list[tuple[int, Record]] = field(default_factory=list)
    dead: list[Record] = field(default_factory=list)

    def add(self, call_id: str, record: Record) -> None:
        """News of a call."""
        self.news.append((self.order[call_id], record))

    def outbox(self) -> list[Record]:
        """All news in the order of their calls, for that is the order of each station."""
        return [record for _, record in sorted(self.news, key=lambda news: news[0])]


class Known:
    """The transactions of a batch, by both of their names, as they stand after what was decided so far."""

    def __init__(self, loaded: Sequence[Transaction]) -> None:
        self._loaded = {one.id: one for one in loaded}
        self._now = dict(self._loaded)
        # The last of several occurrences counts.
        self._ids = {(one.station_id, one.key): one.id for one in sorted(loaded, key=lambda one: one.occurrence)}

    def of(self, report: Report) -> Transaction | None:
        """The one that a report names. One of another station is as unknown as none."""
        if report.key is not None:
            number = self._ids.get((report.station_id, report.key))
            return None if number is None else self._now[number]
        found = self._now.get(report.number or 0)
        return found if found and found.station_id == report.station_id else None

    def take(self, decision: Decision) -> None:
        if (one := decision.transaction) and decision.changed:
            self._now[one.id] = one
            self._ids[one.station_id, one.key] = one.id

    def changed(self) -> tuple[list[Transaction], list[Transaction]]:
        """What has to be written: those of which only the energy has changed, and the others."""
        metered: list[Transaction] = []
        others: list[Transaction] = []
        for one in self._now.values():
            before = self._loaded.get(one.id)
            if one is not before:
                (metered if before and only_metered(before, one) else others).append(one)
        return metered, others
