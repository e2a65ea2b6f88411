"""What a station may send before it is accepted. Acceptance persists: without a status here, everything may pass."""

from msgspec import Struct, structs

BOOT_NOTIFICATION, HEARTBEAT = "BootNotification", "Heartbeat"
ACCEPTED, PENDING, REJECTED = "Accepted", "Pending", "Rejected"


class BootGate(Struct, frozen=True):
    """The status in the last BootNotification response on this connection, and what the station was asked for since.

    B02.FR.09: while Pending, other CALLs than BootNotification and what the CSMS asked for are a SecurityError.
    B03.FR.07: while Rejected, all but BootNotification are. 1.6-J errata §3.10 recommends the same.
    A quarantined station may only send BootNotification and Heartbeat, whatever it was answered.
    """

    quarantined: bool = False
    status: str | None = None
    requested: frozenset[str] = frozenset()

    def admits(self, action: str) -> bool:
        """Whether a CALL of the station may pass."""
        if action == BOOT_NOTIFICATION:
            return True
        if self.quarantined:
            return action == HEARTBEAT
        return self.status in (None, ACCEPTED) or (self.status == PENDING and action in self.requested)

    @property
    def blocks_commands(self) -> bool:
        """Whether nothing may be sent to the station: it is rejected (B03.FR.03) or quarantined."""
        return self.quarantined or self.status == REJECTED

    @property
    def pending(self) -> bool:
        return self.status == PENDING

    def answered(self, status: str) -> "BootGate":
        """After a BootNotification was answered."""
        return self if status == self.status else structs.replace(self, status=status)

    def requesting(self, actions: frozenset[str]) -> "BootGate":
        """After a command that makes the station send something."""
        return structs.replace(self, requested=self.requested | actions) if actions - self.requested else self


OPEN, QUARANTINED = BootGate(), BootGate(quarantined=True)
