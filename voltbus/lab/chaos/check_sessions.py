"""Compares sessions, as their stations have lived them, with transactions, samples and events. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from voltbus.lab.chaos.expected import Charge, Kind
from voltbus.lab.chaos.observed import Event, Kept, Told, Transaction
from voltbus.lab.chaos.violation import Breach, breach

KINDS = {Kind.START: "TransactionStarted", Kind.SAMPLE: "TransactionUpdated", Kind.END: "TransactionEnded"}


def sessions(charges: Sequence[Charge], kept: Kept, told: Told) -> Iterator[Breach]:
    """Sessions that are over: one transaction each, every sample once, every event once and in order."""
    by_name, by_begin = (
        defaultdict[tuple[str, str], list[Transaction]](list),
        defaultdict[tuple[str, datetime], list[Transaction]](list),
    )
    for row in kept.transactions:
        by_name[row.station, row.name].append(row)
        by_begin[row.station, row.started_at].append(row)
    samples = defaultdict[int, dict[datetime, int]](dict)
    for (number, at), count in kept.samples.items():
        samples[number][at] = count
    for charge in charges:
        rows = by_name[charge.station, charge.name] if charge.metered else by_begin[charge.station, charge.begun]
        yield from _session(charge, rows)
        if rows:
            yield from _samples(charge, samples[rows[0].id])
            yield from _events(charge, told.of_transaction.get(rows[0].id, []))


def strangers(charges: Iterable[Charge], kept: Kept) -> Iterator[Breach]:
    """Transactions that no station has begun."""
    known = {(charge.station, charge.name) for charge in charges} | {(it.station, it.begun) for it in charges}
    for row in kept.transactions:
        if (row.station, row.name) not in known and (row.station, row.started_at) not in known:
            yield Breach("twice", row.started_at.timestamp(), f"{row.station}: transaction {row.id} is nobody's")


def _session(charge: Charge, rows: Sequence[Transaction]) -> Iterator[Breach]:
    start, end = charge.said[0], charge.said[-1]
    if not rows:
        for said in charge.said:
            if said.acknowledged:
                yield breach("lost", said, "no transaction")
        return
    if len(rows) > 1:
        yield breach("twice", start, f"transactions {sorted(row.id for row in rows)}")
    row = rows[0]
    if start.acknowledged and (row.started_at, row.start_wh) != (start.at, start.wh):
        yield breach("lost", start, f"transaction {row.id} does not know it")
    if strange := charge.numbers - {row.id}:
        yield breach("twice", start, f"was also called {sorted(strange)}")
    if end.kind is Kind.END and end.acknowledged and (row.stopped_at, row.stop_wh) != (end.at, end.wh):
        yield breach("lost", end, f"transaction {row.id} does not know it")


def _samples(charge: Charge, samples: dict[datetime, int]) -> Iterator[Breach]:
    """`samples`: of its transaction, how many by their moment."""
    left = dict(samples)
    for said in charge.said:
        if said.kind is Kind.SAMPLE or charge.metered:
            count = left.pop(said.at, 0)
            if count == 0 and said.acknowledged:
                yield breach("lost", said, "no sample")
            if count > 1:
                yield breach("twice", said, f"{count} samples")
    for at, count in left.items():
        yield breach("twice", charge.said[0], f"{count} samples of {at} that it never took")


def _events(charge: Charge, events: Sequence[Event]) -> Iterator[Breach]:
    """Those of its transaction."""
    ids = defaultdict[tuple[str, datetime | None], set[str]](set)
    for event in events:
        ids[event.kind, event.at].add(event.id)
    place = {(KINDS[said.kind], said.at): number for number, said in enumerate(charge.said)}
    for said in charge.said:
        count = len(ids[KINDS[said.kind], said.at])
        if count == 0 and said.acknowledged:
            yield breach("missing", said, "no event")
        if count > 1:
            yield breach("double", said, f"{count} events")
    first = list(dict.fromkeys(place[key] for event in events if (key := (event.kind, event.at)) in place))
    if first != sorted(first):
        yield breach("order", charge.said[0], f"events in the order {first}")
    for event in events:
        if (event.kind, event.at) not in place:
            yield breach("double", charge.said[0], f"{event.kind} of {event.at}, which was never said")
