"""What a batch of calls is while it is handled: what was read, what is known, what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.common.calls.call import Call, Refused
from services.common.kafka.bus import Record
from services.transactions.domain.decide import Decision, Orphan
from services.transactions.domain.messages import Message, Noted, Outside, Reply, Report
from services.transactions.domain.transaction import Transaction, noted, only_metered
from services.transactions.rows import Sample, SampleKey, sample_key


@dataclass(slots=True)
class Batch:
    """What was read, and what comes of it.

    order: the place of each call. refused, replies: by the call's id. orphans, outside, verbatim: to be kept where they
    are new. news: for the outbox.
    """

    now: datetime
    order: dict[str, int] = field(default_factory=dict)
    reports: list[tuple[Call, Report]] = field(default_factory=list)
    orphans: list[Orphan] = field(default_factory=list)
    outside: list[Outside] = field(default_factory=list)
    verbatim: list[Call] = field(default_factory=list)
    refused: dict[str, Refused] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    news: list[tuple[int, Record]] = field(default_factory=list)
    dead: list[Record] = field(default_factory=list)

    @property
    def mixed(self) -> bool:
        """Whether there is more to keep than transactions and their meter values."""
        return bool(self.orphans or self.outside or self.verbatim)

    def take(self, call: Call, message: Message) -> None:
        """A call that could be read. Only what is reported of transactions is decided about."""
        if isinstance(message, Report):
            self.reports.append((call, message))
            return
        self.replies[call.id] = Noted()
        if isinstance(message, Outside):
            self.outside.append(message)
        else:
            self.verbatim.append(call)

    def decide(self, call: Call, decision: Decision) -> None:
        """What a report comes to, but for its transaction."""
        self.replies[call.id] = decision.reply
        if orphan := decision.orphan:
            self.orphans.append(orphan)
            if orphan.meter_values:
                self.outside.append(orphan.outside())
        if decision.outside:
            self.outside.append(decision.outside)

    def add(self, call_id: str, record: Record) -> None:
        """News of a call."""
        self.news.append((self.order[call_id], record))

    def outbox(self) -> list[Record]:
        """All news in the order of their calls, for that is the order of each station."""
        return [record for _, record in sorted(self.news, key=lambda news: news[0])]


@dataclass(frozen=True, slots=True)
class Decided:
    """A report, and what was decided about it. samples: its meter values, where it has a transaction."""

    call: Call
    report: Report
    decision: Decision
    samples: Sequence[Sample] = ()


@dataclass(slots=True)
class Changes:
    """What has to be written of reports. metered: transactions of which only the energy has changed."""

    metered: list[Transaction] = field(default_factory=list)
    changed: list[Transaction] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


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

    def note(self, transaction_id: int, report: Report) -> None:
        """A report that changed nothing brings new meter values."""
        self._now[transaction_id] = noted(self._now[transaction_id], report)

    def changed(self) -> tuple[list[Transaction], list[Transaction]]:
        """What has to be written: those of which only the energy has changed, and the others."""
        metered: list[Transaction] = []
        others: list[Transaction] = []
        for one in self._now.values():
            before = self._loaded.get(one.id)
            if one is not before:
                (metered if before and only_metered(before, one) else others).append(one)
        return metered, others


def in_doubt(decided: Sequence[Decided]) -> list[SampleKey]:
    """Meter values of reports that changed nothing: told again, or new, which their table alone can say."""
    return [sample_key(sample) for one in decided if not one.decision.changed for sample in one.samples]


def settle(known: Known, decided: Sequence[Decided], there: set[SampleKey]) -> tuple[Changes, list[Decided]]:
    """What has to be written, and the reports that are news: they change a transaction, or bring a new meter value.

    A new meter value is written together with its transaction, whose revision lets one process alone do so.
    there: meter values in doubt that are kept already.
    """
    samples: list[Sample] = []
    news: list[Decided] = []
    seen = set(there)
    for one in decided:
        new = [sample for sample in one.samples if sample_key(sample) not in seen]
        seen.update(map(sample_key, new))
        samples += new
        if one.decision.changed or new:
            news.append(one)
        if one.decision.transaction and new and not one.decision.changed:
            known.note(one.decision.transaction.id, one.report)
    return Changes(*known.changed(), samples), news
