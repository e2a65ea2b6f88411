"""The faults of a running system, as data, and their order in a run."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError

GATEWAYS = ("gateway", "gateway-1")
SERVERS = ("kafka", "postgres", "redis")
# Processes that are cut off from a server: each connects through a proxy of its own.
CUTS = (
    ("gateway", "kafka"),
    ("gateway", "redis"),
    ("transactions", "kafka"),
    ("transactions", "postgres"),
    ("firmware", "kafka"),
    ("firmware", "postgres"),
)
# Longer than every lease and time-out of the target and of what depends on it: a slot (10 s), a route (30 s here), a
# member of a Kafka group (30 s), a request to Kafka (40 s), a statement of Postgres (60 s), a command to Redis (5 s).
_FROZEN = {"kafka": 45.0, "postgres": 65.0, "redis": 15.0}
_FROZEN_OTHERS = 35.0
_CUT = 20.0
# Until stations look for another gateway, and repeat there what this one has not written to Kafka yet.
_CUT_OFF = 30.0


@dataclass(frozen=True, slots=True)
class Fault:
    """kind: kill, empty, freeze, usurp, reset, stall, flap. target: a process or server.

    server: the other end of a cut. seconds: how long the target is kept away, without the time it takes to come back.
    """

    kind: str
    target: str
    seconds: float = 0.0
    server: str = ""

    @property
    def name(self) -> str:
        """As on the command line: kill:kafka, stall:gateway-redis."""
        return f"{self.kind}:{self.target}" * bool(self.target) + f"-{self.server}" * bool(self.server) or self.kind

    def restarts(self, target: str) -> int:
        """How often it makes that process restart. A gateway that has lost its slot ends, and is started."""
        return int(target == self.target and self.kind in ("kill", "empty", "usurp"))


NONE = Fault("none", "")
FAULTS = (
    *(Fault("kill", target) for target in (*GATEWAYS, *SERVICES, *SERVERS)),
    Fault("empty", "redis"),
    *(Fault("freeze", target, _FROZEN.get(target, _FROZEN_OTHERS)) for target in (*GATEWAYS, *SERVICES, *SERVERS)),
    Fault("usurp", "gateway", 12.0),
    *(
        Fault(kind, target, _CUT_OFF if (target, server) == ("gateway", "kafka") else _CUT, server)
        for kind in ("reset", "stall", "flap")
        for target, server in CUTS
    ),
)


def choose(names: Sequence[str], rounds: int, seed: int) -> list[Fault]:
    """All faults of these names or kinds (all if none is given), `rounds` times, each round in a new order.

    Raises LocalError for an unknown name.
    """
    for name in names:
        if not any(name in (fault.name, fault.kind) for fault in FAULTS):
            known = ", ".join(sorted({fault.kind for fault in FAULTS}))
            raise LocalError(f"there is no fault {name!r}: choose from {known}, or one such as {FAULTS[0].name}")
    wanted = [fault for fault in FAULTS if not names or fault.name in names or fault.kind in names]
    dice = random.Random(f"{seed}/faults")
    return [fault for _ in range(rounds) for fault in dice.sample(wanted, len(wanted))]
