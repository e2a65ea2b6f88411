"""What an action is to Voltbus: who owns it, who may call it, and what of it is needed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One action of one version.

    owner: the service that decides about it. from_station: a station may call it. to_station: a station may be called
    with it, so that it is a command. needs: paths of what is needed of a station's CALL, answer_needs: of a station's
    answer (see schema_nodes.node); beside what the schema requires of an answer itself.
    """

    owner: str
    from_station: bool = False
    to_station: bool = False
    needs: Sequence[str] = ()
    answer_needs: Sequence[str] = ()
