"""Compares what became of commands with what stations have received of them. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from services.common.commands.command import OPEN, PATIENCE
from voltbus.lab.chaos.expected import Books, Received
from voltbus.lab.chaos.observed import Command, Told, Whole
from voltbus.lab.chaos.violation import Breach

# Of these nothing was on the wire.
UNSENT = frozenset({"undelivered", "expired", "unrenderable", "cancelled"})
# How much later than its time a command may end, for services look now and then; and how late it may reach its station.
_SLACK = 5.0
_LATEST = 1.0


def commands(books: Books, whole: Whole, told: Told, down: float) -> Iterator[Breach]:
    """Every command came to an end in time, reached its station once at the most, and on no later connection.

    down: how long the longest fault kept its part away, which is how much later a command may end.
    """
    received = defaultdict[str, list[Received]](list)
    for one in books.received:
        received[one.id].append(one)
    known = {command.id: command for command in whole.commands}
    on = _connections(books, told)
    for command in whole.commands:
        yield from _ended(command, down)
        yield from _received(command, received.pop(command.id, []), on)
        yield from _told(command, told)
    for orders in received.values():
        yield Breach("command", orders[0].at, f"{orders[0].station}: {orders[0].id} was never given")
    for given in books.given:
        about = f"{given.station}: {given.action} under {given.key}"
        if given.id is None:
            yield Breach("command", given.at, f"{about}: {given.refused or 'never accepted'}")
        elif given.id not in known:
            yield Breach("lost", given.at, f"{about}: {given.id} is not known")


def _ended(command: Command, down: float) -> Iterator[Breach]:
    at, about = command.created_at.timestamp(), f"{command.service} {command.id} of {command.station}"
    if command.status in OPEN or command.ended_at is None:
        yield Breach("command", at, f"{about} is {command.status}")
    elif command.ended_at > command.expires_at + PATIENCE and (
        (command.ended_at - command.expires_at - PATIENCE).total_seconds() > _SLACK + down
    ):
        yield Breach("late", at, f"{about} ended at {command.ended_at}, its time was {command.expires_at}")


def _received(command: Command, orders: list[Received], on: dict[tuple[str, int], str]) -> Iterator[Breach]:
    at, about = command.created_at.timestamp(), f"{command.service} {command.id} of {command.station}"
    if len(orders) > 1:
        yield Breach("command", at, f"{about} was received {len(orders)} times")
    for order in orders:
        if order.station != command.station:
            yield Breach("command", at, f"{about} went to {order.station}")
        connection = on.get((order.station, order.connection), command.connection)
        if connection != command.connection:
            yield Breach("command", at, f"{about} was sent to {command.connection}, and reached {connection}")
        if command.outcome in UNSENT:
            yield Breach("command", at, f"{about} was received, and is {command.outcome}")
        if order.at > command.expires_at.timestamp() + _LATEST:
            yield Breach("command", at, f"{about} was received after {command.expires_at}")
    if command.outcome == "answered" and not any(order.answered for order in orders):
        yield Breach("command", at, f"{about} is answered, and was never received")


def _told(command: Command, told: Told) -> Iterator[Breach]:
    for step in {"accepted", command.outcome or command.status} - told.steps.get(command.id, set()):
        yield Breach("missing", command.created_at.timestamp(), f"no event: {command.service} {command.id} is {step}")


def _connections(books: Books, told: Told) -> dict[tuple[str, int], str]:
    """What gateways call the connections of stations, by station and the number that it has there."""
    return {
        (said.station, tried.connection): told.calls[tried.message_id].connection
        for said in books.said()
        for tried in said.tries
        if tried.message_id in told.calls
    }
