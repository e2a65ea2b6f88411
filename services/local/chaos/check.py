"""Compares the books of the stations with what Voltbus has kept and told: every difference is a breach. Pure."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from services.common.events import NAMESPACE
from services.local.chaos.books import Charge, Kind, Said
from services.local.chaos.found import Event, Kept, Told, Transaction, Whole
from services.local.station.facts import Payload

KINDS = {Kind.START: "TransactionStarted", Kind.SAMPLE: "TransactionUpdated", Kind.END: "TransactionEnded"}
NEVER = datetime.max.replace(tzinfo=UTC)
# A change of owner is seen so much later at the most.
SEEN = timedelta(seconds=0.3)
# Of a message that stands for itself: its event.
EVENTS = {
    Kind.BOOT: "voltbus.firmware.v1.StationBooted",
    Kind.SECURITY: "voltbus.firmware.v1.SecurityEventReported",
    Kind.AUTHORIZE: "voltbus.auth.v1.AuthorizationDecided",
}


@dataclass(frozen=True, slots=True)
class Breach:
    """what: lost, twice, missing (no event), double (two events), repeated (one event twice), order, refused,
    unanswered, command, late, slot, presence.

    at: when the message was first sent, or the like, in seconds since 1970.
    """

    what: str
    at: float
    about: str


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
                yield _breach("lost", said, "no transaction")
        return
    if len(rows) > 1:
        yield _breach("twice", start, f"transactions {sorted(row.id for row in rows)}")
    row = rows[0]
    if start.acknowledged and (row.started_at, row.start_wh) != (start.at, start.wh):
        yield _breach("lost", start, f"transaction {row.id} does not know it")
    if strange := charge.numbers - {row.id}:
        yield _breach("twice", start, f"was also called {sorted(strange)}")
    if end.kind is Kind.END and end.acknowledged and (row.stopped_at, row.stop_wh) != (end.at, end.wh):
        yield _breach("lost", end, f"transaction {row.id} does not know it")


def _samples(charge: Charge, samples: dict[datetime, int]) -> Iterator[Breach]:
    """`samples`: of its transaction, how many by their moment."""
    left = dict(samples)
    for said in charge.said:
        if said.kind is Kind.SAMPLE or charge.metered:
            count = left.pop(said.at, 0)
            if count == 0 and said.acknowledged:
                yield _breach("lost", said, "no sample")
            if count > 1:
                yield _breach("twice", said, f"{count} samples")
    for at, count in left.items():
        yield _breach("twice", charge.said[0], f"{count} samples of {at} that it never took")


def _events(charge: Charge, events: Sequence[Event]) -> Iterator[Breach]:
    """Those of its transaction."""
    ids = defaultdict[tuple[str, datetime | None], set[str]](set)
    for event in events:
        ids[event.kind, event.at].add(event.id)
    place = {(KINDS[said.kind], said.at): number for number, said in enumerate(charge.said)}
    for said in charge.said:
        count = len(ids[KINDS[said.kind], said.at])
        if count == 0 and said.acknowledged:
            yield _breach("missing", said, "no event")
        if count > 1:
            yield _breach("double", said, f"{count} events")
    first = list(dict.fromkeys(place[key] for event in events if (key := (event.kind, event.at)) in place))
    if first != sorted(first):
        yield _breach("order", charge.said[0], f"events in the order {first}")
    for event in events:
        if (event.kind, event.at) not in place:
            yield _breach("double", charge.said[0], f"{event.kind} of {event.at}, which was never said")


def calls(said: Iterable[Said], whole: Whole, told: Told) -> Iterator[Breach]:
    """Messages that stand for themselves: each that was answered is kept, and told under the id of its CALL."""
    for one in said:
        if one.kind in EVENTS:
            for call in (told.calls.get(tried.message_id) for tried in one.tries if tried.answer is not None):
                if call is None or (one.kind is Kind.BOOT and call.id not in whole.boots):
                    yield _breach("lost", one, "no boot")
                elif not told.times[event_id(one, call.id)]:
                    yield _breach("missing", one, "no event")


def event_id(said: Said, call_id: str) -> str:
    """What ce_id must be."""
    return str(uuid.uuid5(NAMESPACE, f"{EVENTS[said.kind]}/{said.station}/{call_id}"))


def passed(said: Iterable[Said], told: Told) -> Iterator[Breach]:
    """Every CALL that was answered went on to the services. (Heartbeats are answered before that.)"""
    for one in said:
        for tried in one.tries:
            if tried.answer is not None and one.action != "Heartbeat" and tried.message_id not in told.calls:
                yield _breach("lost", one, f"{tried.message_id} is not on Kafka")


def states(said: Iterable[Said], told: Told) -> Iterator[Breach]:
    """Every change of a connector's state is told, once and in order."""
    heard = defaultdict[str, dict[str, str]](dict)
    for event in told.events:
        if event.kind == "ConnectorStatusChanged":
            heard[event.subject][event.id] = event.step
    last: dict[str, Said] = {}
    wanted = defaultdict[str, list[str]](list)
    for one in said:
        if one.kind is Kind.STATUS and one.acknowledged:
            if one.station not in last or last[one.station].state != one.state:
                wanted[one.station].append(one.state)
            last[one.station] = one
    for station, found in wanted.items():
        events = list(heard[station].values())
        if events != found:
            what = "missing" if len(events) < len(found) else "double" if len(events) > len(found) else "order"
            place = next((n for n, pair in enumerate(zip(events, found, strict=False)) if pair[0] != pair[1]), -1)
            about = f"{len(events)} changes of state were told, {len(found)} said; the {place}th is the first to differ"
            yield _breach(what, last[station], about)


def answers(said: Iterable[Said]) -> Iterator[Breach]:
    """A failure of infrastructure is never turned into a verdict, and the same message has the same answer."""
    for one in said:
        for tried in one.tries:
            if tried.refused:
                yield _breach("refused", one, tried.refused)
            elif tried.answer is not None and (verdict := _verdict(tried.answer)) != "Accepted":
                yield _breach("refused", one, verdict)


def unanswered(said: Iterable[Said], troubled: Sequence[tuple[float, float]]) -> Iterator[Breach]:
    """Where nothing was wrong, no CALL is passed over: one that came after it was answered, and it never was.

    troubled: from when to when something was wrong.
    """
    tries = [(one, tried) for one in said for tried in one.tries]
    last = dict[tuple[str, int], float]()
    for one, tried in tries:
        if tried.answered is not None:
            place = one.station, tried.connection
            last[place] = max(last.get(place, 0.0), tried.sent)
    for one, tried in tries:
        passed_over = tried.answered is None and tried.sent < last.get((one.station, tried.connection), 0.0)
        if passed_over and not any(begin < tried.sent < end for begin, end in troubled):
            yield _breach("unanswered", one, f"no answer to {tried.message_id}")


def presence(on: Mapping[str, str], said: Iterable[Said], whole: Whole, told: Told) -> Iterator[Breach]:
    """The inventory knows who is here, on which connection, and what was said last of each connector.

    on: stations that are connected, and the message id of the last CALL that was answered there.
    """
    now = max((call.at.timestamp() for call in told.calls.values()), default=0.0)
    for station, message_id in on.items():
        online, connection = whole.stations.get(station, (False, None))
        wanted = told.calls[message_id].connection if message_id in told.calls else connection
        if not online or connection != wanted:
            is_on = f"on {connection}" if online else "offline"
            yield Breach("presence", now, f"{station} is {is_on}, and not on {wanted}")
    last = {one.station: one for one in said if one.kind is Kind.STATUS}
    for one in last.values():
        if one.acknowledged and whole.states.get(one.station) != one.state:
            yield _breach("lost", one, f"is {whole.states.get(one.station)}, and not {one.state}")


def repeated(told: Told) -> Iterator[Breach]:
    """Every event is told once."""
    again = {event.id: event for event in told.events if told.times[event.id] > 1}
    for event in again.values():
        about = f"{event.kind} {event.id} of {event.subject} was told {told.times[event.id]} times"
        yield Breach("repeated", event.told_at, about)


def slots(told: Told) -> Iterator[Breach]:
    """No gateway takes a CALL in a slot that is another's. (A connection's id says which gateway it is of.)"""
    spans: dict[tuple[int, str], list[datetime]] = defaultdict(list)
    for call in told.calls.values():
        spans[call.slot, call.connection.partition("-")[0]].append(call.at)
    for (slot, gateway), moments in spans.items():
        others = [
            (since, until, owner)
            for (since, owner), (until, _) in pairwise([*told.owners.get(slot, ()), (NEVER, None)])
            if owner not in (gateway, None)
        ]
        for since, until, owner in others:
            if wrong := [at for at in moments if since + SEEN < at < until]:
                about = f"slot {slot}: {owner} has it from {since}, {gateway} took {len(wrong)} CALLs there"
                yield Breach("slot", min(wrong).timestamp(), about)


def _verdict(answer: Payload) -> str:
    """Accepted where there is none."""
    for name in ("idTagInfo", "idTokenInfo"):
        if isinstance(info := answer.get(name), dict):
            return str(info.get("status"))
    return str(answer.get("status", "Accepted"))


def _breach(what: str, said: Said, why: str) -> Breach:
    at = said.tries[0].sent if said.tries else said.due
    return Breach(what, at, f"{said.station}: {said.action} ({said.kind}) of {said.at.isoformat()}: {why}")
