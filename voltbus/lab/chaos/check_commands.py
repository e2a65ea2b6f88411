"""Compares the outcomes of commands with what stations have received. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from services.common.commands.command import OPEN, PATIENCE
from voltbus.lab.chaos.expected import Expected, ReceivedCommand
from voltbus.lab.chaos.observed import CommandRow, Observed, StoredState
from voltbus.lab.chaos.violation import Violation

# Of these nothing was on the wire.
UNSENT = frozenset({"undelivered", "expired", "unrenderable", "cancelled"})
# How much later than its time a command may end, for services look now and then; and how late it may reach its station.
_SLACK = 5.0
_LATEST = 1.0


def commands(expected: Expected, whole: StoredState, observed: Observed, down: float) -> Iterator[Violation]:
    """Every command came to an end in time, reached its station once at the most, and on no later connection.

    down: how long the longest fault kept its target away, which is how much later a command may end.
    """
    received = defaultdict[str, list[ReceivedCommand]](list)
    for one in expected.received:
        received[one.id].append(one)
    known = {command.id: command for command in whole.commands}
    on = _connections(expected, observed)
    for command in whole.commands:
        yield from _ended(command, down)
        yield from _received(command, received.pop(command.id, []), on)
        yield from _told(command, observed)
    for orders in received.values():
        yield Violation("command", orders[0].at, f"{orders[0].station}: {orders[0].id} was never requested")
    for requested in expected.requested:
        about = f"{requested.station}: {requested.action} under {requested.key}"
        if requested.id is None:
            yield Violation("command", requested.at, f"{about}: {requested.refused or 'never accepted'}")
        elif requested.id not in known:
            yield Violation("lost", requested.at, f"{about}: {requested.id} is not known")


def _ended(command: CommandRow, down: float) -> Iterator[Violation]:
    at, about = command.created_at.timestamp(), f"{command.service} {command.id} of {command.station}"
    if command.status in OPEN or command.ended_at is None:
        yield Violation("command", at, f"{about} is {command.status}")
    elif command.ended_at > command.expires_at + PATIENCE and (
        (command.ended_at - command.expires_at - PATIENCE).total_seconds() > _SLACK + down
    ):
        yield Violation("late", at, f"{about} ended at {command.ended_at}, its time was {command.expires_at}")


def _received(
    command: CommandRow, orders: list[ReceivedCommand], on: dict[tuple[str, int], str]
) -> Iterator[Violation]:
    at, about = command.created_at.timestamp(), f"{command.service} {command.id} of {command.station}"
    if len(orders) > 1:
        yield Violation("command", at, f"{about} was received {len(orders)} times")
    for order in orders:
        if order.station != command.station:
            yield Violation("command", at, f"{about} went to {order.station}")
        connection = on.get((order.station, order.connection), command.connection)
        if connection != command.connection:
            yield Violation("command", at, f"{about} was sent to {command.connection}, and reached {connection}")
        if command.outcome in UNSENT:
            yield Violation("command", at, f"{about} was received, and is {command.outcome}")
        if order.at > command.expires_at.timestamp() + _LATEST:
            yield Violation("command", at, f"{about} was received after {command.expires_at}")
    if command.outcome == "answered" and not any(order.answered for order in orders):
        yield Violation("command", at, f"{about} is answered, and was never received")


def _told(command: CommandRow, observed: Observed) -> Iterator[Violation]:
    for step in {"accepted", command.outcome or command.status} - observed.steps.get(command.id, set()):
        yield Violation(
            "missing", command.created_at.timestamp(), f"no event: {command.service} {command.id} is {step}"
        )


def _connections(expected: Expected, observed: Observed) -> dict[tuple[str, int], str]:
    """The gateway's ids of connections, by station and the connection's number there."""
    return {
        (message.station, attempt.connection): observed.calls[attempt.message_id].connection
        for message in expected.messages()
        for attempt in message.attempts
        if attempt.message_id in observed.calls
    }
