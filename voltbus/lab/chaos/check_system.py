"""Checks the system as a whole: who is connected where, no event twice, no slot of two gateways. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from voltbus.lab.chaos.expected import Message, MessageKind
from voltbus.lab.chaos.observed import Observed, StoredState
from voltbus.lab.chaos.violation import Violation, of_message

NEVER = datetime.max.replace(tzinfo=UTC)
# A change of owner is observed at most this much later.
OWNER_DELAY = timedelta(seconds=0.3)


def presence(
    on: Mapping[str, str], messages: Iterable[Message], whole: StoredState, observed: Observed
) -> Iterator[Violation]:
    """The inventory knows who is connected, on which connection, and the last state of each connector.

    on: stations that are connected, and the message id of the last CALL that was answered there.
    """
    now = max((call.at.timestamp() for call in observed.calls.values()), default=0.0)
    for station, message_id in on.items():
        online, connection = whole.stations.get(station, (False, None))
        wanted = observed.calls[message_id].connection if message_id in observed.calls else connection
        if not online or connection != wanted:
            is_on = f"on {connection}" if online else "offline"
            yield Violation("presence", now, f"{station} is {is_on}, and not on {wanted}")
    last = {one.station: one for one in messages if one.kind is MessageKind.STATUS}
    for one in last.values():
        if one.acknowledged and whole.states.get(one.station) != one.state:
            yield of_message("lost", one, f"is {whole.states.get(one.station)}, and not {one.state}")


def repeated(observed: Observed) -> Iterator[Violation]:
    """Every event is published once."""
    again = {event.id: event for event in observed.events if observed.times[event.id] > 1}
    for event in again.values():
        about = f"{event.kind} {event.id} of {event.subject} was published {observed.times[event.id]} times"
        yield Violation("repeated", event.published_at, about)


def slots(observed: Observed) -> Iterator[Violation]:
    """No gateway accepts a CALL in a slot of another one. (A connection's id names its gateway.)"""
    spans: dict[tuple[int, str], list[datetime]] = defaultdict(list)
    for call in observed.calls.values():
        spans[call.slot, call.connection.partition("-")[0]].append(call.at)
    for (slot, gateway), moments in spans.items():
        others = [
            (since, until, owner)
            for (since, owner), (until, _) in pairwise([*observed.owners.get(slot, ()), (NEVER, None)])
            if owner not in (gateway, None)
        ]
        for since, until, owner in others:
            if wrong := [at for at in moments if since + OWNER_DELAY < at < until]:
                about = f"slot {slot}: {owner} has it from {since}, {gateway} accepted {len(wrong)} CALLs there"
                yield Violation("slot", min(wrong).timestamp(), about)
