"""Compares the sessions of stations with transactions, samples and events. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from voltbus.lab.chaos.expected import ChargingSession, MessageKind
from voltbus.lab.chaos.observed import Observed, ObservedEvent, StoredSessions, TransactionRow
from voltbus.lab.chaos.violation import Violation, of_message

KINDS = {
    MessageKind.START: "TransactionStarted",
    MessageKind.SAMPLE: "TransactionUpdated",
    MessageKind.END: "TransactionEnded",
}


def sessions(sessions: Sequence[ChargingSession], kept: StoredSessions, observed: Observed) -> Iterator[Violation]:
    """Sessions that are over: one transaction each, every sample once, every event once and in order."""
    by_name, by_begin = (
        defaultdict[tuple[str, str], list[TransactionRow]](list),
        defaultdict[tuple[str, datetime], list[TransactionRow]](list),
    )
    for row in kept.transactions:
        by_name[row.station, row.name].append(row)
        by_begin[row.station, row.started_at].append(row)
    samples = defaultdict[int, dict[datetime, int]](dict)
    for (number, at), count in kept.samples.items():
        samples[number][at] = count
    for session in sessions:
        rows = (
            by_name[session.station, session.name] if session.metered else by_begin[session.station, session.started_at]
        )
        yield from _session(session, rows)
        if rows:
            yield from _samples(session, samples[rows[0].id])
            yield from _events(session, observed.of_transaction.get(rows[0].id, []))


def unknown_transactions(sessions: Iterable[ChargingSession], kept: StoredSessions) -> Iterator[Violation]:
    """Transactions that no station has started."""
    known = {(session.station, session.name) for session in sessions} | {(it.station, it.started_at) for it in sessions}
    for row in kept.transactions:
        if (row.station, row.name) not in known and (row.station, row.started_at) not in known:
            yield Violation("twice", row.started_at.timestamp(), f"{row.station}: transaction {row.id} is nobody's")


def _session(session: ChargingSession, rows: Sequence[TransactionRow]) -> Iterator[Violation]:
    start, end = session.messages[0], session.messages[-1]
    if not rows:
        for message in session.messages:
            if message.acknowledged:
                yield of_message("lost", message, "no transaction")
        return
    if len(rows) > 1:
        yield of_message("twice", start, f"transactions {sorted(row.id for row in rows)}")
    row = rows[0]
    if start.acknowledged and (row.started_at, row.start_wh) != (start.at, start.wh):
        yield of_message("lost", start, f"transaction {row.id} does not know it")
    if strange := session.numbers - {row.id}:
        yield of_message("twice", start, f"was also called {sorted(strange)}")
    if end.kind is MessageKind.END and end.acknowledged and (row.stopped_at, row.stop_wh) != (end.at, end.wh):
        yield of_message("lost", end, f"transaction {row.id} does not know it")


def _samples(session: ChargingSession, samples: dict[datetime, int]) -> Iterator[Violation]:
    """`samples`: of its transaction, how many by their moment."""
    left = dict(samples)
    for message in session.messages:
        if message.kind is MessageKind.SAMPLE or session.metered:
            count = left.pop(message.at, 0)
            if count == 0 and message.acknowledged:
                yield of_message("lost", message, "no sample")
            if count > 1:
                yield of_message("twice", message, f"{count} samples")
    for at, count in left.items():
        yield of_message("twice", session.messages[0], f"{count} samples of {at} that it never took")


def _events(session: ChargingSession, events: Sequence[ObservedEvent]) -> Iterator[Violation]:
    """Those of its transaction."""
    ids = defaultdict[tuple[str, datetime | None], set[str]](set)
    for event in events:
        ids[event.kind, event.at].add(event.id)
    place = {(KINDS[message.kind], message.at): number for number, message in enumerate(session.messages)}
    for message in session.messages:
        count = len(ids[KINDS[message.kind], message.at])
        if count == 0 and message.acknowledged:
            yield of_message("missing", message, "no event")
        if count > 1:
            yield of_message("double", message, f"{count} events")
    first = list(dict.fromkeys(place[key] for event in events if (key := (event.kind, event.at)) in place))
    if first != sorted(first):
        yield of_message("order", session.messages[0], f"events in the order {first}")
    for event in events:
        if (event.kind, event.at) not in place:
            yield of_message("double", session.messages[0], f"{event.kind} of {event.at}, which never happened")
