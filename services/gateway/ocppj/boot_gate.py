"""What a station may send before it is accepted. Acceptance persists: without a verdict here, everything may pass."""

from msgspec import Struct, structs

BOOT, HEARTBEAT = "BootNotification", "Heartbeat"
ACCEPTED, PENDING, REJECTED = "Accepted", "Pending", "Rejected"


class Gate(Struct, frozen=True):
    """The verdict of the last BootNotification on this connection, and what was asked of the station since.

    B02.FR.09: while Pending, other CALLs than BootNotification and what the CSMS asked for are a SecurityError.
    B03.FR.07: while Rejected, all but BootNotification are. 1.6-J errata §3.10 recommends the same.
    A quarantined station may only boot and beat, whatever it was told.
    """

    quarantined: bool = False
    verdict: str | None = None
    asked: frozenset[str] = frozenset()

    def admits(self, action: str) -> bool:
        """Whether a CALL of the station may pass."""
        if action == BOOT:
            return True
        if self.quarantined:
            return action == HEARTBEAT
        return self.verdict in (None, ACCEPTED) or (self.verdict == PENDING and action in self.asked)

    @property
    def silent(self) -> bool:
        """Whether nothing may be sent to the station: it is rejected (B03.FR.03) or only let in to be seen."""
        return self.quarantined or self.verdict == REJECTED

    def told(self, verdict: str) -> "Gate":
        """After a BootNotification was answered."""
        return self if verdict == self.verdict else structs.replace(self, verdict=verdict)

    def asking(self, actions: frozenset[str]) -> "Gate":
        """After a command that makes the station send something."""
        return structs.replace(self, asked=self.asked | actions) if actions - self.asked else self


OPEN, QUARANTINED = Gate(), Gate(quarantined=True)
