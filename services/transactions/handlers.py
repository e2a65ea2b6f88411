"""A batch of calls and results: read, load, decide in order, save, announce, answer.

Everything of a batch is one database transaction of a few statements, however many stations it is from.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.common import outbox, recorded
from services.common.bus import Record
from services.common.calls import Answer, Call, Refused, Replies
from services.common.clock import Clock
from services.common.commands_desk import Desk
from services.common.copies import Copy
from services.common.dead import dead_letter
from services.common.errors import Unprocessable
from services.common.events import Events
from services.ocpp.errors import OcppError
from services.ocpp.id_tokens import IdToken, Token, TokenInfo, authorize
from services.transactions import announcements
from services.transactions.batch import Batch, Known
from services.transactions.dialects import DIALECTS
from services.transactions.domain.decide import Decision, begins, decide
from services.transactions.domain.messages import Kind, Noted, Outside, Report, Verbatim
from services.transactions.domain.transaction import Transaction
from services.transactions.store import Sampled, Store, Work

log = structlog.get_logger()

Decided = tuple[Call, Report, Decision]


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches. results: the topic of what became of commands. dead: of what cannot be handled."""

    store: Store
    tokens: Copy[Token]
    desk: Desk
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
        async with self.store.transaction() as work:
            for kind, take in TAKE.items():
                if chosen := [(call, message) for call, message in batch.messages if isinstance(message, kind)]:
                    await take(self, batch, work, chosen)
            concluded = await self.desk.conclude(work.db, results)
            news = batch.outbox()
            await outbox.add(work.db, news)
        if news or concluded:
            self.desk.tell()
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
                batch.messages.append((call, message))
                continue
            batch.refused[call.id] = message
            log.warning("call refused", station_id=call.station_id, message_id=call.message_id, reason=message.code)
            if call.answered:
                reason = Unprocessable(f"{message.code}: {message.description}")
                batch.dead.append(dead_letter(record, self.dead, reason, batch.now))
        return calls


async def take_reports(shell: Handler, batch: Batch, work: Work, chosen: Sequence[tuple[Call, Report]]) -> None:
    """Folds reports into their transactions, saves those, and announces what was new."""
    known = Known(await work.load([report for _, report in chosen]))
    decided = await _decide(shell, batch, work, known, chosen)
    metered, changed = known.changed()
    await work.meter(metered)
    await work.save(changed)
    new = {sampled.source.call_id for sampled in await work.save_samples(_samples(decided))}
    for call, report, decision in decided:
        if (after := decision.transaction) and (decision.changed or call.id in new):
            event = announcements.happened(report, after)
            batch.add(call.id, shell.events.record(event, call.station_id, call.id, call.received_at))
            _tell(call, report, after)
    await _take_homeless(shell, batch, work, [decision for _, _, decision in decided])


async def take_outside(shell: Handler, batch: Batch, work: Work, chosen: Sequence[tuple[Call, Outside]]) -> None:
    """Keeps meter values that belong to no transaction."""
    await _keep_outside(shell, batch, work, [outside for _, outside in chosen])
    for call, _ in chosen:
        batch.replies[call.id] = Noted()


async def take_verbatim(shell: Handler, batch: Batch, work: Work, chosen: Sequence[tuple[Call, Verbatim]]) -> None:
    """Keeps calls as they came."""
    for call in await recorded.save(work.db, [call for call, _ in chosen]):
        batch.add(call.id, recorded.event(shell.events, call))
    for call, _ in chosen:
        batch.replies[call.id] = Noted()


TAKE: Mapping[type, Callable[..., Awaitable[None]]] = {
    Report: take_reports,
    Outside: take_outside,
    Verbatim: take_verbatim,
}


async def _decide(
    shell: Handler, batch: Batch, work: Work, known: Known, chosen: Sequence[tuple[Call, Report]]
) -> list[Decided]:
    """Each report in its turn: the second of a station sees what the first did."""
    beginning = [report for _, report in chosen if begins(known.of(report), report)]
    numbers = iter(await work.reserve(len({(report.station_id, report.key) for report in beginning})))
    asked = await _asked(work, beginning, [report for _, report in chosen if report.remote_start_id is not None])
    decided: list[Decided] = []
    for call, report in chosen:
        before, number = known.of(report), None
        if begins(before, report):
            number = next(numbers, None) or (await work.reserve(1))[0]
        token = shell.verdict(report, batch.now)
        decision = decide(before, report, number, token, asked.get(call.id))
        known.take(decision)
        batch.replies[call.id] = decision.reply
        decided.append((call, report, decision))
    return decided


async def _asked(work: Work, beginning: Sequence[Report], numbered: Sequence[Report]) -> dict[str, str]:
    """Ids of the remote starts that reports come from, by call.

    remoteStartId says it in 2.x (F02.FR.01), the idToken and the connector in 1.6.
    """
    by_number = await work.asked_by_number(numbered)
    found = {report.call_id: by_number.get((report.station_id, report.remote_start_id or 0)) for report in numbered}
    by_token = await work.asked_by_token([report for report in beginning if report.seq_no is None])
    return {call_id: command_id for call_id, command_id in found.items() if command_id} | by_token


async def _take_homeless(shell: Handler, batch: Batch, work: Work, decisions: Sequence[Decision]) -> None:
    """Stops and meter values that name no transaction of ours."""
    orphans = [decision.orphan for decision in decisions if decision.orphan]
    new = await work.save_orphans(orphans)
    for orphan in orphans:
        if orphan.call_id in new:
            event = announcements.orphan(orphan)
            record = shell.events.record(event, orphan.station_id, orphan.call_id, orphan.received_at)
            batch.add(orphan.call_id, record)
            log.warning("stop without a start", station_id=orphan.station_id, transaction_id=orphan.transaction_id)
    outside = [orphan.outside() for orphan in orphans if orphan.meter_values]
    await _keep_outside(shell, batch, work, outside + [d.outside for d in decisions if d.outside])


async def _keep_outside(shell: Handler, batch: Batch, work: Work, chosen: Sequence[Outside]) -> None:
    samples = [Sampled(one.station_id, value, one) for one in chosen for value in one.meter_values]
    new = {sampled.source.call_id for sampled in await work.save_station_samples(samples)}
    for one in chosen:
        if one.call_id in new:
            event = announcements.outside(one)
            batch.add(one.call_id, shell.events.record(event, one.station_id, one.call_id, one.received_at))


def _samples(decided: Sequence[Decided]) -> list[Sampled]:
    return [
        Sampled(decision.transaction.id, value, report)
        for _, report, decision in decided
        if decision.transaction
        for value in report.meter_values
    ]


def _answer(batch: Batch, call: Call) -> Answer:
    refused = batch.refused.get(call.id)
    return refused or DIALECTS.write(call, batch.replies[call.id])


def _tell(call: Call, report: Report, after: Transaction) -> None:
    if report.kind != Kind.UPDATED:
        what = "transaction ended" if report.kind == Kind.ENDED else "transaction started"
        log.info(what, station_id=after.station_id, message_id=call.message_id, transaction=after.id)
