"""What an action is to Voltbus: who owns it, and who may call it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One action of one version.

    owner: the service that decides about it. from_station: a station may call it. to_station: a station may be called
    with it, so that it is a command.
    """

    owner: str
    from_station: bool = False
    to_station: bool = False
