"""Looks at what holds for all of it: who is where, no event twice, no slot of two gateways. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from voltbus.lab.chaos.expected import Kind, Said
from voltbus.lab.chaos.observed import Told, Whole
from voltbus.lab.chaos.violation import Breach, breach

NEVER = datetime.max.replace(tzinfo=UTC)
# A change of owner is seen so much later at the most.
SEEN = timedelta(seconds=0.3)


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
            yield breach("lost", one, f"is {whole.states.get(one.station)}, and not {one.state}")


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
