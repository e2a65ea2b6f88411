"""The state of a batch of calls while it is handled: what was read, loaded and decided, and what is to be written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import msgspec

from services.common.authorization.decisions import Ruling
from services.common.calls.call import Call, Refused
from services.common.kafka.bus import Record
from services.ocpp.id_tokens import TokenInfo
from services.transactions.domain.concurrent import OpenSession, open_session
from services.transactions.domain.decide import Decision
from services.transactions.domain.merging import with_late_values
from services.transactions.domain.messages import (
    Empty,
    Message,
    Reply,
    Report,
    ReportKind,
    StationSamples,
    VatNumber,
    VatNumberRejected,
)
from services.transactions.domain.occurrences import occurrence_of
from services.transactions.domain.orphans import OrphanStop
from services.transactions.domain.revisions import Revision
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import SampleKey, SampleRow, metered_only, sample_key


@dataclass(slots=True)
class Batch:
    """What was read, and what it leads to.

    order: the position of each call. replies: by the call's id. orphans, station_samples, verbatim: to be kept if they
    are new. events: for the outbox, each with the position of its call.
    """

    now: datetime
    order: dict[str, int] = field(default_factory=dict)
    reports: list[tuple[Call, Report]] = field(default_factory=list)
    orphans: list[OrphanStop] = field(default_factory=list)
    station_samples: list[StationSamples] = field(default_factory=list)
    verbatim: list[Call] = field(default_factory=list)
    replies: dict[str, Reply | Refused] = field(default_factory=dict)
    events: list[tuple[int, Record]] = field(default_factory=list)

    @classmethod
    def of(cls, now: datetime, calls: Sequence[tuple[Call, Message | Refused]]) -> Self:
        """Of calls as they were read."""
        batch = cls(now)
        for position, (call, message) in enumerate(calls):
            batch.order[call.id] = position
            batch.add(call, message)
        return batch

    @property
    def needs_transaction(self) -> bool:
        """Whether there is more to keep than transactions and their meter values."""
        return bool(self.orphans or self.station_samples or self.verbatim)

    def add(self, call: Call, message: Message | Refused) -> None:
        """The next call. Only reports of transactions need a decision."""
        if isinstance(message, Report):
            self.reports.append((call, message))
            return
        if isinstance(message, Refused):
            self.replies[call.id] = message
            return
        self.replies[call.id] = _plain_reply(message)
        if isinstance(message, StationSamples):
            self.station_samples.append(message)
        else:
            self.verbatim.append(call)

    def add_decision(self, call: Call, decision: Decision) -> None:
        """What a report leads to, apart from its transaction."""
        self.replies[call.id] = decision.reply
        if orphan := decision.orphan:
            self.orphans.append(orphan)
            if orphan.meter_values and orphan.joined_id is None:
                self.station_samples.append(orphan.station_samples())
        if decision.station_samples:
            self.station_samples.append(decision.station_samples)

    def add_event(self, call_id: str, record: Record) -> None:
        """An event that a call causes."""
        self.events.append((self.order[call_id], record))

    def outbox(self) -> list[Record]:
        """All events in the order of their calls, which is the order of each station."""
        return [record for _, record in sorted(self.events, key=lambda event: event[0])]


def _plain_reply(message: Message) -> Reply:
    """To what only is kept. VAT numbers are looked up nowhere (C18.FR.09)."""
    if isinstance(message, VatNumber):
        return VatNumberRejected(message.number, message.evse_id, "VAT numbers are not looked up from here")
    return Empty()


class DecidedReport(msgspec.Struct, frozen=True):
    """A report and the decision about it. samples: its meter values, if it has a transaction. token: the verdict."""

    call: Call
    report: Report
    decision: Decision
    samples: Sequence[SampleRow] = ()
    token: TokenInfo | None = None


@dataclass(slots=True)
class Changes:
    """What has to be written for reports. metered: transactions of which only the energy has changed.

    revisions: what is told of ends, each with its transaction in `changed`. rulings: verdicts on idTokens.
    """

    metered: list[Transaction] = field(default_factory=list)
    changed: list[Transaction] = field(default_factory=list)
    samples: list[SampleRow] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)


class LoadedTransactions:
    """The transactions of a batch, by id and by key, as they are after the decisions so far."""

    def __init__(self, loaded: Sequence[Transaction]) -> None:
        self._loaded = {one.id: one for one in loaded}
        self._current = dict(self._loaded)
        # By station and key, in the order of their occurrences.
        self._ids: dict[tuple[str, str], list[int]] = {}
        # Each once, however often it was loaded: next to itself one would look like an occurrence of its own.
        for one in sorted(self._loaded.values(), key=lambda one: one.occurrence):
            self._ids.setdefault((one.station_id, one.key), []).append(one.id)
        self._of_station: dict[str, list[int]] = {}

    def find(self, report: Report) -> Transaction | None:
        """The one that a report names. One of another station is as unknown as none."""
        if report.key is not None:
            numbers = self._ids.get((report.station_id, report.key), ())
            if len(numbers) < 2:
                return self._current[numbers[0]] if numbers else None
            return occurrence_of([self._current[number] for number in numbers], report)
        found = self._current.get(report.number or 0)
        return found if found and found.station_id == report.station_id else None

    def next_occurrence(self, report: Report) -> int:
        """The number of one more of the key of a report."""
        numbers = self._ids.get((report.station_id, report.key or ""), ())
        return 1 + max((self._current[number].occurrence for number in numbers), default=0)

    def add_open(self, stations: Iterable[str], found: Iterable[Transaction]) -> None:
        """Transactions of some stations, which matter to others of them. found: what is not loaded yet."""
        self._of_station = {station: [] for station in stations}
        for one in found:
            self._loaded.setdefault(one.id, one)
            self._current.setdefault(one.id, one)
        for one in self._current.values() if self._of_station else ():
            self._of_station.get(one.station_id, []).append(one.id)

    def open_at(self, station_id: str) -> list[Transaction]:
        """All of a station that have not ended, and some that have; none unless they were added."""
        return [self._current[number] for number in self._of_station.get(station_id, ())]

    def sessions_of(self, token: str, stored: Iterable[OpenSession]) -> list[OpenSession]:
        """Those of an idToken that count against how many it may have: stored ones, and as this batch makes them."""
        here = (made for one in self._current.values() if (made := open_session(one)))
        elsewhere = (one for one in stored if one.id not in self._current)
        return [one for one in (*here, *elsewhere) if one.token == token]

    def apply(self, decision: Decision) -> None:
        """The next report sees the transactions as decided."""
        if (one := decision.transaction) and decision.changed:
            if one.id not in self._current:
                self._of_station.get(one.station_id, []).append(one.id)
                self._ids.setdefault((one.station_id, one.key), []).append(one.id)
            self._current[one.id] = one
            self._current |= {other.id: other for other, _ in decision.others}

    def touch(self, transaction_id: int, report: Report) -> None:
        """A report that changed nothing brings new meter values."""
        self._current[transaction_id] = with_late_values(self._current[transaction_id], report)

    def changed(self) -> tuple[list[Transaction], list[Transaction]]:
        """What has to be written: those of which only the energy has changed, and the others."""
        metered: list[Transaction] = []
        others: list[Transaction] = []
        for one in self._current.values():
            before = self._loaded.get(one.id)
            if one is not before:
                (metered if before and metered_only(before, one) else others).append(one)
        return metered, others


def stations_loaded(reports: Iterable[Report]) -> set[str]:
    """Stations of which all that has not ended is read with the reports: where something starts or ends, it matters."""
    return {report.station_id for report in reports if report.kind != ReportKind.UPDATED}


def unconfirmed_samples(decided: Sequence[DecidedReport]) -> list[SampleKey]:
    """Meter values of reports that are no news: repeated or new, which only their table can tell."""
    return [sample_key(sample) for one in decided if not one.decision.is_news for sample in one.samples]


def collect_changes(
    loaded: LoadedTransactions, decided: Sequence[DecidedReport], existing: set[SampleKey]
) -> tuple[Changes, list[DecidedReport]]:
    """What has to be written, and the reports to announce: they are news, or bring a new meter value.

    A new meter value is written together with its transaction, whose row revision lets one process alone do so.
    existing: those of the unconfirmed meter values that are stored already.
    """
    samples: list[SampleRow] = []
    announced: list[DecidedReport] = []
    stored = set(existing)
    for one in decided:
        new = [sample for sample in one.samples if sample_key(sample) not in stored] if one.samples else []
        if new:
            stored.update(map(sample_key, new))
            samples += new
        if one.decision.is_news or new:
            announced.append(one)
        if one.decision.transaction and new and not one.decision.changed:
            loaded.touch(one.decision.transaction.id, one.report)
    revisions = [revision for one in decided for revision in one.decision.revisions]
    return Changes(*loaded.changed(), samples, revisions), announced
