"""A batch of calls and results: read, load, decide in order, announce, save, answer.

Everything of a batch is one database transaction, however many stations it is from: of reports alone, one statement
that writes them and their events, after one that reads. Revisions guard what was read until it is written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.common.authorization.decisions import Ruling, ruling
from services.common.authorization.judge import judge, place_of
from services.common.calls import message_log
from services.common.calls.batch import BatchShell
from services.common.calls.stations import Stations
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.kafka.table import CompactedTable
from services.ocpp.id_tokens import (
    NO_AUTHORIZATION,
    Authorization,
    IdToken,
    Token,
    TokenInfo,
    find,
    find_group,
    token_key,
)
from services.transactions import announcements, graces_store
from services.transactions.batch import (
    Batch,
    Changes,
    DecidedReport,
    LoadedTransactions,
    collect_changes,
    stations_loaded,
    unconfirmed_samples,
)
from services.transactions.dialects import BY_VERSION
from services.transactions.domain.concurrent import OpenSession, judged_at, others, told_already
from services.transactions.domain.decide import Decision, decide, decide_joined, starts_transaction
from services.transactions.domain.limiting import with_limit
from services.transactions.domain.messages import STARTED, Message, Report, ReportKind, Updated
from services.transactions.domain.orphans import (
    OrphanKey,
    has_card_of_another,
    is_misnumbered,
    is_unsure,
    may_be_elsewhere,
    may_be_nameless,
    meant_by,
    orphan_stop,
    told_before,
)
from services.transactions.domain.present import may_be_contested, may_overlap
from services.transactions.domain.register import MAX_POWER_W
from services.transactions.domain.transaction import UNASSIGNED, Transaction
from services.transactions.past_values import PastValues
from services.transactions.restoring import Renumbering
from services.transactions.rows import SampleRow, sample_row
from services.transactions.store import RemoteStartCommand, Store, UnitOfWork

# What decide() decides by, in its order.
Facts = tuple[
    Transaction | None, Report, int | None, TokenInfo | None, str | None, Sequence[Transaction], float, int | None
]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """Handles batches."""

    store: Store
    tokens: CompactedTable[Token]
    stations: Stations
    shell: BatchShell[Message]
    events: Events
    renumbering: Renumbering

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Everything of a batch in one transaction; then the replies that stations wait for."""
        read = self.shell.read(records)
        batch, deviating = Batch.of(read.now, read.calls), read.deviating
        if any(self._is_missing(report) for _, report in batch.reports):
            await self.tokens.catch_up()
        await self.stations.catch_up({report.station_id for _, report in batch.reports if report.kind == STARTED})
        async with self.store.unit_of_work() as work:
            changes = await self._merge_reports(batch, work)
            async with work.transaction_if(batch.needs_transaction or bool(deviating or read.results)):
                await self._save_orphans(batch, work)
                await self._save_station_samples(batch, work)
                await self._save_verbatim(batch, work)
                await message_log.save_deviating(work.db, deviating)
                concluded = await self.shell.conclude(work.db, read)
                events = batch.outbox()
                await work.write(changes, events)
        if events or concluded:
            self.shell.notify_changed()
        return self.shell.settle(read, (batch.replies[call.id] for call, _ in read.calls))

    def verdict(
        self, report: Report, now: datetime, current: Transaction | None = None, others: int = 0
    ) -> TokenInfo | None:
        """On the idToken of a report (1.6 §4.8, E01.FR.11): always the newest, whatever the station decided itself.

        current: the transaction that it is of. others: see judge.
        """
        if report.id_token is None:
            return None
        presented = IdToken(report.id_token, report.id_token_type)
        evse_id = report.evse_id or (current.evse_id if current else None)
        place = place_of(report.station_id, self.stations.registration(report.station_id), evse_id)
        known, at = find(presented, self.tokens.get), judged_at(report, now)
        group, starts = find_group(known, self.tokens.get), not report.ends_authorization
        return judge(presented, known, at, place, group=group, starts=starts, others=others)

    def _most_sessions(self, report: Report) -> int | None:
        """How many sessions the idToken may have at once that a report starts one with; None: any number."""
        if report.id_token is None or report.ends_authorization:
            return None
        known = find(IdToken(report.id_token, report.id_token_type), self.tokens.get)
        return known.max_sessions if known else None

    def _others(
        self,
        report: Report,
        current: Transaction | None,
        loaded: LoadedTransactions,
        stored: Sequence[OpenSession],
        now: datetime,
    ) -> int:
        """Sessions that its idToken has already; 0 where they do not matter."""
        if (most := self._most_sessions(report)) is None or report.id_token is None:
            return 0
        if told := told_already(report, current):
            return most if told == Authorization.CONCURRENT_TX else 0
        return others(report, current, loaded.sessions_of(token_key(report.id_token), stored), now)

    def _token_group(self, id_token: str) -> str | None:
        """Of an idToken of 1.6; None where it has none."""
        known = find(IdToken(id_token), self.tokens.get)
        return known.group_id if known else None

    def _is_missing(self, report: Report) -> bool:
        """Whether its idToken is none of those that were read so far: it may just have been registered."""
        if report.id_token is None or report.id_token_type == NO_AUTHORIZATION:
            return False
        return find(IdToken(report.id_token, report.id_token_type), self.tokens.get) is None

    async def _merge_reports(self, batch: Batch, work: UnitOfWork) -> Changes:
        """Merges reports into their transactions, and announces what is new; returns what is to be written."""
        if not batch.reports:
            return Changes()
        loaded = LoadedTransactions(await work.load([report for _, report in batch.reports]))
        decided = await self._decide(batch, work, loaded)
        existing = await work.existing_samples(unconfirmed_samples(decided))
        changes, announced = collect_changes(loaded, decided, existing)
        changes.rulings = [made for one in announced if (made := _ruling(one))]
        for one in announced:
            for record in announce(self.events, one):
                batch.add_event(one.call.id, record)
            _log(one)
        return changes

    async def _save_orphans(self, batch: Batch, work: UnitOfWork) -> None:
        """Stops of transactions that are none of ours."""
        new = await work.save_orphans(batch.orphans)
        for orphan in batch.orphans:
            if orphan.call_id in new and orphan.joined_id is None:
                event = announcements.orphan_stop_recorded(orphan)
                record = self.events.record(event, orphan.station_id, orphan.call_id, orphan.received_at)
                batch.add_event(orphan.call_id, record)
                log.warning("stop without a start", station_id=orphan.station_id, transaction_id=orphan.transaction_id)

    async def _save_station_samples(self, batch: Batch, work: UnitOfWork) -> None:
        """Meter values that belong to no transaction."""
        new = await work.save_station_samples(batch.station_samples)
        for one in batch.station_samples:
            if one.call_id in new:
                event = announcements.meter_values_recorded(one)
                batch.add_event(one.call_id, self.events.record(event, one.station_id, one.call_id, one.received_at))

    async def _save_verbatim(self, batch: Batch, work: UnitOfWork) -> None:
        """Calls as they came."""
        for call in await message_log.save(work.db, batch.verbatim):
            batch.add_event(call.id, message_log.event(self.events, call))

    async def _decide(self, batch: Batch, work: UnitOfWork, loaded: LoadedTransactions) -> list[DecidedReport]:
        """Each report in turn: the second of a station sees what the first changed."""
        named = [(report, loaded.find(report)) for _, report in batch.reports]
        starting = [report for report, one in named if starts_transaction(one, report)]
        known = await self.renumbering.numbers(work.db, starting)
        wanted = len({(report.station_id, report.key) for report in starting if report.call_id not in known})
        numbers = iter(await work.reserve(wanted, batch.now))
        numbered = [report for report, _ in named if report.remote_start_id is not None]
        remote_starts = await work.remote_starts(starting, numbered)
        unsure = {orphan_stop(report).key for report, one in named if is_unsure(report, one)}
        contested = {report.station_id for report, one in named if may_be_contested(one, report)}
        contested |= {key[0] for key in unsure} | {report.station_id for report in starting}
        told = await work.existing_orphans([*unsure])
        late = {report.station_id for report, one in named if may_overlap(one, report)}
        recent = await work.load_recent({key[0] for key in unsure - told} | late)
        unloaded = contested - stations_loaded(report for report, _ in named)
        loaded.add_open(contested, [*await work.load_open(unloaded), *recent])
        limited = {token_key(one.id_token) for one, _ in named if one.id_token and self._most_sessions(one)}
        sessions = await work.open_sessions(limited, batch.now)
        decided: list[DecidedReport] = []
        pasts = PastValues(work.past_values)
        for call, report in batch.reports:
            before, number, power_w, occurrence = loaded.find(report), None, MAX_POWER_W, None
            free_vend, assignment, current = None, UNASSIGNED, before
            if starts_transaction(before, report):
                number = known.get(report.call_id) or next(numbers, None) or (await work.reserve(1, batch.now))[0]
                registration = self.stations.registration(report.station_id)
                power_w, free_vend = registration.rated_power_w or MAX_POWER_W, registration.free_vend
                assignment = registration.groups, registration.location_id
                occurrence, current = loaded.next_occurrence(report), None
            already = self._others(report, current, loaded, sessions, batch.now)
            token = self.verdict(report, batch.now, current, already)
            of_station = loaded.open_at(report.station_id)
            started_by = remote_starts.get(call.id)
            command_id = started_by.command_id if started_by else None
            facts = (before, report, number, token, command_id, of_station, power_w, occurrence)
            if self._is_nameless(report, before, of_station, told):
                decision = await self._decide_nameless(facts, told, pasts, work)
            else:
                mixed_up = self._mixed_up(report, before, of_station)
                decision = decide(*facts, mixed_up=mixed_up, free_vend=free_vend, assignment=assignment)
                if decision.may_need_past and (found := await pasts.of(decision)):
                    decision = decide(
                        *facts, pasts=found, mixed_up=mixed_up, free_vend=free_vend, assignment=assignment
                    )
            if BY_VERSION[call.version].has_limits:
                given = started_by.limit if started_by and _came_from(decision, started_by) else None
                decision = with_limit(decision, report, given, self.stations.transaction_limits(report.station_id))
            loaded.apply(decision)
            batch.add_decision(call, decision)
            decided.append(DecidedReport(call, report, decision, _samples(report, decision), token))
            pasts.add(decided[-1])
        return decided

    async def _decide_nameless(
        self, facts: Facts, told: set[OrphanKey], pasts: PastValues, work: UnitOfWork
    ) -> Decision:
        """A stop that names none of ours ends the one that it can only mean, or is an orphan; told again, nothing."""
        named, stop, _, token, _, of_station, *_ = facts
        key = orphan_stop(stop).key
        if key in told:
            return Decision(Updated(token))
        told.add(key)
        if known := told_before(stop, of_station, self._token_group):
            return Decision(Updated(token), orphan=orphan_stop(stop, joined_id=known.id))
        meant = meant_by(stop, of_station, self._token_group)
        if meant:
            station = await graces_store.station(work.db, stop.station_id)
            meant = None if may_be_elsewhere(stop, named, meant, station, of_station) else meant
        if meant is None:
            return decide(None, stop, token=token)
        decision = decide_joined(meant, stop, token, of_station)
        if found := await pasts.of(decision):
            decision = decide_joined(meant, stop, token, of_station, found)
        return decision

    def _is_nameless(
        self, report: Report, named: Transaction | None, of_station: Sequence[Transaction], told: set[OrphanKey]
    ) -> bool:
        if not may_be_nameless(report):
            return False
        if named is None or (told and orphan_stop(report).key in told):
            return True
        return is_misnumbered(report, named, of_station, self._token_group)

    def _mixed_up(
        self, report: Report, named: Transaction | None, of_station: Sequence[Transaction]
    ) -> Sequence[Transaction]:
        if named is None or report.kind != ReportKind.ENDED:
            return ()
        return has_card_of_another(report, named, of_station, self._token_group)


def _came_from(decision: Decision, started_by: RemoteStartCommand) -> bool:
    return decision.transaction is not None and decision.transaction.command_id == started_by.command_id


def _samples(report: Report, decision: Decision) -> list[SampleRow]:
    one = decision.transaction
    return [sample_row(one.id, value, report) for value in report.meter_values] if one else []


def _ruling(one: DecidedReport) -> Ruling | None:
    """What is kept of the verdict on the idToken of a report."""
    report, transaction = one.report, one.decision.transaction
    if one.token is None or report.id_token is None or transaction is None:
        return None
    presented = IdToken(report.id_token, report.id_token_type)
    call = one.call
    return ruling(call.id, report.station_id, call.action, presented, one.token, call.received_at, transaction.id)


def announce(events: Events, one: DecidedReport) -> Iterator[Record]:
    """The events of a report. What it ends is told before what begins."""
    call, decision = one.call, one.decision
    for other, revision in decision.others:
        event = (
            announcements.revised(other, revision, call.version)
            if revision
            else announcements.transaction_settled(other, call.version)
        )
        cause = announcements.cause(f"{call.id}/{other.id}", revision)
        yield events.record(event, call.station_id, cause, call.received_at)
    if after := decision.transaction:
        event = announcements.transaction_changed(
            one.report, after, decision.revision, call.version, starts=decision.starts
        )
        cause = announcements.cause(call.id, decision.revision)
        yield events.record(event, call.station_id, cause, call.received_at)


def _log(one: DecidedReport) -> None:
    for other, revision in one.decision.others:
        if revision and other.superseded_by is not None:
            log.warning("transaction superseded", station_id=other.station_id, transaction=other.id)
    if (after := one.decision.transaction) and one.report.kind != ReportKind.UPDATED:
        event = "transaction ended" if one.report.kind == ReportKind.ENDED else "transaction started"
        log.info(event, station_id=after.station_id, message_id=one.call.message_id, transaction=after.id)
