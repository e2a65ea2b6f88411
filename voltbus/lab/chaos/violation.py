"""A difference between the books of the stations and what Voltbus has kept and told."""

from dataclasses import dataclass

from voltbus.lab.chaos.expected import Said


@dataclass(frozen=True, slots=True)
class Breach:
    """what: lost, twice, missing (no event), double (two events), repeated (one event twice), order, refused,
    unanswered, command, late, slot, presence.

    at: when the message was first sent, or the like, in seconds since 1970.
    """

    what: str
    at: float
    about: str


def breach(what: str, said: Said, why: str) -> Breach:
    """One about a message."""
    at = said.tries[0].sent if said.tries else said.due
    return Breach(what, at, f"{said.station}: {said.action} ({said.kind}) of {said.at.isoformat()}: {why}")
