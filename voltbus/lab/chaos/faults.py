"""What can happen to a running system, as data, and in which order it does."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError

GATEWAYS = ("gateway", "gateway-1")
SERVERS = ("kafka", "postgres", "redis")
# Who is cut off from what: each goes through a door of its own.
CUTS = (
    ("gateway", "kafka"),
    ("gateway", "redis"),
    ("transactions", "kafka"),
    ("transactions", "postgres"),
    ("firmware", "kafka"),
    ("firmware", "postgres"),
)
# Longer than every lease and time-out that the part, or what depends on it, has: a slot (10 s), a route (30 s here), a
# member of a Kafka group (30 s), a request to Kafka (40 s), a statement of Postgres (60 s), a command to Redis (5 s).
_FROZEN = {"kafka": 45.0, "postgres": 65.0, "redis": 15.0}
_FROZEN_OTHERS = 35.0
_CUT = 20.0
# Until stations look for another gateway, which then says what this one has said and Kafka has not heard yet.
_CUT_OFF = 30.0


@dataclass(frozen=True, slots=True)
class Fault:
    """kind: kill, empty, freeze, usurp, reset, stall, flap. part: what it befalls. server: of a cut, its other end.

    seconds: how long the part is kept away, beside the time that it takes to come back.
    """

    kind: str
    part: str
    seconds: float = 0.0
    server: str = ""

    @property
    def name(self) -> str:
        """As it is asked for: kill:kafka, stall:gateway-redis."""
        return f"{self.kind}:{self.part}" * bool(self.part) + f"-{self.server}" * bool(self.server) or self.kind

    def restarts(self, part: str) -> int:
        """How often it makes that part begin anew by itself. A gateway that has lost its slot ends, and is started."""
        return int(part == self.part and self.kind in ("kill", "empty", "usurp"))


NONE = Fault("none", "")
FAULTS = (
    *(Fault("kill", part) for part in (*GATEWAYS, *SERVICES, *SERVERS)),
    Fault("empty", "redis"),
    *(Fault("freeze", part, _FROZEN.get(part, _FROZEN_OTHERS)) for part in (*GATEWAYS, *SERVICES, *SERVERS)),
    Fault("usurp", "gateway", 12.0),
    *(
        Fault(kind, part, _CUT_OFF if (part, server) == ("gateway", "kafka") else _CUT, server)
        for kind in ("reset", "stall", "flap")
        for part, server in CUTS
    ),
)


def chosen(names: Sequence[str], rounds: int, seed: int) -> list[Fault]:
    """`rounds` times all faults of these names or kinds (all for none), each round in an order of its own.

    Raises LocalError for a name that there is not.
    """
    for name in names:
        if not any(name in (fault.name, fault.kind) for fault in FAULTS):
            known = ", ".join(sorted({fault.kind for fault in FAULTS}))
            raise LocalError(f"no fault {name!r}: choose of {known}, or one such as {FAULTS[0].name}")
    wanted = [fault for fault in FAULTS if not names or fault.name in names or fault.kind in names]
    dice = random.Random(f"{seed}/faults")
    return [fault for _ in range(rounds) for fault in dice.sample(wanted, len(wanted))]
