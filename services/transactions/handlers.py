"""A batch of calls and results: read, load, decide in order, announce, save, answer.

Everything of a batch is one database transaction, however many stations it is from: of reports alone, one statement
that writes them and their news, after one that reads. What was read is held by the revisions until it is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.common.calls import message_log
from services.common.calls.call import Answer, Call, Refused
from services.common.calls.replies import Replies
from services.common.commands.service import CommandService
from services.common.kafka.bus import Record
from services.common.kafka.dead_letters import dead_letter
from services.common.kafka.events import Events
from services.common.kafka.table import CompactedTable
from services.common.process.clock import Clock
from services.common.process.errors import Unprocessable
from services.ocpp.errors import OcppError
from services.ocpp.id_tokens import IdToken, Token, TokenInfo, authorize
from services.transactions import announcements
from services.transactions.batch import Batch, Changes, Decided, Known, in_doubt, settle
from services.transactions.dialects import DIALECTS
from services.transactions.domain.decide import Decision, begins, decide
from services.transactions.domain.messages import Kind, Report
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import Sample, write_sample
from services.transactions.store import Store, Work

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches. results: the topic of what became of commands. dead: of what cannot be handled."""

    store: Store
    tokens: CompactedTable[Token]
    command_service: CommandService
    events: Events
    replies: Replies
    results: str
    dead: str
    clock: Clock

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Everything of a batch in one transaction; then the replies that stations wait for."""
        batch = Batch(self.clock())
        results = [record for record in records if record.topic == self.results]
        calls = self._read(batch, [record for record in records if record.topic != self.results])
        async with self.store.work() as work:
            changes = await take_reports(self, batch, work)
            async with work.together(batch.mixed or bool(results)):
                await keep_orphans(self, batch, work)
                await keep_outside(self, batch, work)
                await keep_verbatim(self, batch, work)
                concluded = await self.command_service.conclude(work.db, results)
                news = batch.outbox()
                await work.write(changes, news)
        if news or concluded:
            self.command_service.tell()
        answers = [(call, _answer(batch, call)) for call in calls]
        return [*batch.dead, *self.replies.settle(answers, self.clock())]

    def verdict(self, report: Report, now: datetime) -> TokenInfo | None:
        """On the idToken of a report (1.6 §4.8, E01.FR.11): always the newest, whatever the station decided itself."""
        if report.id_token is None:
            return None
        presented = IdToken(report.id_token, report.id_token_type)
        return authorize(presented, self.tokens.get(presented.key), now)

    def _read(self, batch: Batch, records: Sequence[Record]) -> list[Call]:
        """The calls of a batch; what cannot be read is refused, or put aside where the gateway has answered it."""
        calls: list[Call] = []
        for record in records:
            try:
                call = Call.read(record)
                message = DIALECTS.read(call)
            except OcppError as error:
                message = Refused(error.code.value, error.description)
            except Unprocessable as error:
                batch.dead.append(dead_letter(record, self.dead, error, batch.now))
                continue
            batch.order[call.id] = len(calls)
            calls.append(call)
            if not isinstance(message, Refused):
                batch.take(call, message)
                continue
            batch.refused[call.id] = message
            log.warning("call refused", station_id=call.station_id, message_id=call.message_id, reason=message.code)
            if call.answered:
                reason = Unprocessable(f"{message.code}: {message.description}")
                batch.dead.append(dead_letter(record, self.dead, reason, batch.now))
        return calls


async def take_reports(shell: Handler, batch: Batch, work: Work) -> Changes:
    """Folds reports into their transactions, and announces what is new: what is to be written of them."""
    if not batch.reports:
        return Changes()
    known = Known(await work.load([report for _, report in batch.reports]))
    decided = await _decide(shell, batch, work, known)
    changes, news = settle(known, decided, await work.there(in_doubt(decided)))
    for one in news:
        if after := one.decision.transaction:
            event = announcements.happened(one.report, after, one.call.version)
            batch.add(one.call.id, shell.events.record(event, one.call.station_id, one.call.id, one.call.received_at))
            _tell(one.call, one.report, after)
    return changes


async def keep_orphans(shell: Handler, batch: Batch, work: Work) -> None:
    """Stops of transactions that are none of ours."""
    new = await work.save_orphans(batch.orphans)
    for orphan in batch.orphans:
        if orphan.call_id in new:
            event = announcements.orphan(orphan)
            record = shell.events.record(event, orphan.station_id, orphan.call_id, orphan.received_at)
            batch.add(orphan.call_id, record)
            log.warning("stop without a start", station_id=orphan.station_id, transaction_id=orphan.transaction_id)


async def keep_outside(shell: Handler, batch: Batch, work: Work) -> None:
    """Meter values that belong to no transaction."""
    new = await work.save_outside(batch.outside)
    for one in batch.outside:
        if one.call_id in new:
            event = announcements.outside(one)
            batch.add(one.call_id, shell.events.record(event, one.station_id, one.call_id, one.received_at))


async def keep_verbatim(shell: Handler, batch: Batch, work: Work) -> None:
    """Calls as they came."""
    for call in await message_log.save(work.db, batch.verbatim):
        batch.add(call.id, message_log.event(shell.events, call))


async def _decide(shell: Handler, batch: Batch, work: Work, known: Known) -> list[Decided]:
    """Each report in its turn: the second of a station sees what the first did."""
    reports = [report for _, report in batch.reports]
    beginning = [report for report in reports if begins(known.of(report), report)]
    wanted = len({(report.station_id, report.key) for report in beginning})
    numbers = iter(await work.reserve(wanted, batch.now))
    asked = await _asked(work, beginning, [report for report in reports if report.remote_start_id is not None])
    decided: list[Decided] = []
    for call, report in batch.reports:
        before, number = known.of(report), None
        if begins(before, report):
            number = next(numbers, None) or (await work.reserve(1, batch.now))[0]
        token = shell.verdict(report, batch.now)
        decision = decide(before, report, number, token, asked.get(call.id))
        known.take(decision)
        batch.decide(call, decision)
        decided.append(Decided(call, report, decision, _samples(report, decision)))
    return decided


async def _asked(work: Work, beginning: Sequence[Report], numbered: Sequence[Report]) -> dict[str, str]:
    """Ids of the remote starts that reports come from, by call.

    remoteStartId says it in 2.x (F02.FR.01), the idToken and the connector in 1.6.
    """
    by_number = await work.asked_by_number(numbered)
    found = {report.call_id: by_number.get((report.station_id, report.remote_start_id or 0)) for report in numbered}
    by_token = await work.asked_by_token([report for report in beginning if report.seq_no is None])
    return {call_id: command_id for call_id, command_id in found.items() if command_id} | by_token


def _samples(report: Report, decision: Decision) -> list[Sample]:
    one = decision.transaction
    return [write_sample(one.id, value, report) for value in report.meter_values] if one else []


def _answer(batch: Batch, call: Call) -> Answer:
    refused = batch.refused.get(call.id)
    return refused or DIALECTS.write(call, batch.replies[call.id])


def _tell(call: Call, report: Report, after: Transaction) -> None:
    if report.kind != Kind.UPDATED:
        what = "transaction ended" if report.kind == Kind.ENDED else "transaction started"
        log.info(what, station_id=after.station_id, message_id=call.message_id, transaction=after.id)
