"""A difference between what stations expect and what Voltbus holds."""

from dataclasses import dataclass

from voltbus.lab.chaos.expected import Message


@dataclass(frozen=True, slots=True)
class Violation:
    """what: lost, twice, energy, missing (no event), double (two events), repeated (one event twice), order, refused,
    unanswered, command, late, slot, presence.

    at: when the message was first sent, or the like, in seconds since 1970.
    """

    what: str
    at: float
    about: str


def of_message(what: str, message: Message, why: str) -> Violation:
    """A violation about a message."""
    at = message.attempts[0].sent if message.attempts else message.due
    return Violation(
        what, at, f"{message.station}: {message.action} ({message.kind}) of {message.at.isoformat()}: {why}"
    )
