"""Compares the sessions of stations with transactions, samples and events. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from voltbus.lab.chaos.expected import ChargingSession, Message, MessageKind
from voltbus.lab.chaos.observed import Observed, ObservedEvent, StoredSessions, TransactionRow
from voltbus.lab.chaos.violation import Violation, of_message
from voltbus.simulator.station.habits import Habit

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
        rows = _rows(session, by_name[session.station, session.name], by_begin[session.station, session.started_at])
        yield from _session(session, rows, kept, observed)
        if rows:
            yield from _samples(session, samples[rows[0].id])
            yield from _events(session, rows[0], observed.of_transaction.get(rows[0].id, []))


def _rows(
    session: ChargingSession, by_name: Sequence[TransactionRow], by_begin: Sequence[TransactionRow]
) -> Sequence[TransactionRow]:
    """Its transactions. by_name, by_begin: all of its station with its name, and with its begin."""
    if not session.metered:
        return by_begin
    return [row for row in by_name if row in by_begin] if session.name_shared else by_name


def unknown_transactions(sessions: Iterable[ChargingSession], kept: StoredSessions) -> Iterator[Violation]:
    """Transactions that no station has started."""
    known = {(session.station, session.name) for session in sessions} | {(it.station, it.started_at) for it in sessions}
    for row in kept.transactions:
        if (row.station, row.name) not in known and (row.station, row.started_at) not in known:
            yield Violation("twice", row.started_at.timestamp(), f"{row.station}: transaction {row.id} is nobody's")


def _session(
    session: ChargingSession, rows: Sequence[TransactionRow], kept: StoredSessions, observed: Observed
) -> Iterator[Violation]:
    start, end = session.messages[0], session.messages[-1]
    if not rows:
        for message in session.messages:
            if message.acknowledged:
                yield of_message("lost", message, "no transaction")
        return
    if len(rows) > 1:
        yield of_message("twice", start, f"transactions {sorted(row.id for row in rows)}")
    row = rows[0]
    if start.acknowledged and (row.started_at, row.start_wh, row.evse) != (start.at, start.wh, 1):
        yield of_message("lost", start, f"transaction {row.id} does not know it")
    if strange := session.numbers - {row.id}:
        yield of_message("twice", start, f"was also called {sorted(strange)}")
    if end.kind is MessageKind.END and end.acknowledged:
        yield from _end(session, row, kept, observed)


def _end(
    session: ChargingSession, row: TransactionRow, kept: StoredSessions, observed: Observed
) -> Iterator[Violation]:
    """It has ended, as its station says and with that energy; where the station could not name it, as an orphan."""
    end = session.messages[-1]
    if _has_end(session, row):
        marked = session.habit is Habit.REGISTER_RESET and row.doubted
        if not marked and row.energy_wh != session.energy_wh:
            yield of_message("energy", end, f"transaction {row.id} has {row.energy_wh} Wh, not {session.energy_wh}")
    elif not (session.unnamed and row.stopped_at and (end.station, end.at, end.wh) in kept.orphans):
        yield of_message("lost", end, f"transaction {row.id} does not know it")
    elif (end.station, end.at) not in observed.orphans:
        yield of_message("missing", end, "no event of the orphan")


def _has_end(session: ChargingSession, row: TransactionRow) -> bool:
    end = session.messages[-1]
    return (row.stopped_at, row.stop_wh) == (end.at, end.wh)


def _samples(session: ChargingSession, samples: dict[datetime, int]) -> Iterator[Violation]:
    """`samples`: of its transaction, how many by their moment."""
    left = dict(samples)
    for message in session.messages:
        if message.kind is MessageKind.SAMPLE or session.metered:
            count = left.pop(message.at, 0)
            if count == 0 and message.acknowledged and not session.unnamed:
                yield of_message("lost", message, "no sample")
            if count > 1:
                yield of_message("twice", message, f"{count} samples")
    for at, count in left.items():
        yield of_message("twice", session.messages[0], f"{count} samples of {at} that it never took")


def _events(session: ChargingSession, row: TransactionRow, events: Sequence[ObservedEvent]) -> Iterator[Violation]:
    """Those of its transaction."""
    ids = defaultdict[tuple[str, datetime | None], set[str]](set)
    for event in events:
        ids[event.kind, event.at].add(event.id)
    told = {(KINDS[message.kind], message.at): message for message in _told(session, row)}
    for key, message in told.items():
        if not ids[key] and message.acknowledged:
            yield of_message("missing", message, "no event")
        if len(ids[key]) > 1:
            yield of_message("double", message, f"{len(ids[key])} events")
    place: dict[tuple[str, datetime | None], int] = {key: number for number, key in enumerate(told)}
    known = [(event.kind, event.at) for event in events if (event.kind, event.at) in place]
    first = list(dict.fromkeys(place[key] for key in known))
    if first != sorted(first):
        yield of_message("order", session.messages[0], f"events in the order {first}")
    for event in events:
        by_us = session.unnamed and (event.kind, event.at) == (KINDS[MessageKind.END], row.stopped_at)
        if (event.kind, event.at) not in place and not by_us:
            yield of_message("double", session.messages[0], f"{event.kind} of {event.at}, which never happened")


def _told(session: ChargingSession, row: TransactionRow) -> Sequence[Message]:
    """Those that the transaction has events of: of a session that its station cannot name, its start at least."""
    if not session.unnamed:
        return session.messages
    return [session.messages[0], *(session.messages[-1:] if _has_end(session, row) else ())]
