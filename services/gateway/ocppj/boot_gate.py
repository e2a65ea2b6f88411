"""What a station may send before it is accepted. Acceptance persists: without a status here, everything may pass."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, structs

BOOT_NOTIFICATION, HEARTBEAT = "BootNotification", "Heartbeat"
ACCEPTED, PENDING, REJECTED = "Accepted", "Pending", "Rejected"
# No station has as many connectors; one that makes them up is not heard before it is accepted.
MOST_PLACES = 100


class Asked(Struct, frozen=True):
    """Messages of one action that the station was asked for, each of which it may send once.

    single: how many were asked for of one place; which that is, the station may know better. everywhere: how often
    those of all places were asked for. came: the places that have told, each as often as it has.
    """

    single: int = 0
    everywhere: int = 0
    came: tuple[str, ...] = ()

    def admits(self, place: str) -> bool:
        return self.single > 0 or self._is_due(place)

    def and_also(self, everywhere: bool) -> "Asked":
        """It was asked once more."""
        if everywhere:
            return structs.replace(self, everywhere=self.everywhere + 1)
        return structs.replace(self, single=self.single + 1)

    def after(self, place: str) -> "Asked":
        """One of this place has come."""
        if self._is_due(place):
            return structs.replace(self, came=(*self.came, place))
        return structs.replace(self, single=self.single - 1)

    def _is_due(self, place: str) -> bool:
        return self.came.count(place) < self.everywhere and len(self.came) < MOST_PLACES


NOTHING = Asked()
NOBODY: Mapping[str, Asked] = MappingProxyType({})


class BootGate(Struct, frozen=True):
    """The status in the last BootNotification response on this connection, and what the station was asked for since.

    B02.FR.09: while Pending, other CALLs than BootNotification and what the CSMS asked for are a SecurityError.
    B03.FR.07: while Rejected, all but BootNotification are. 1.6-J errata §3.10 recommends the same.
    A quarantined station may only send BootNotification and Heartbeat, whatever it was answered.
    """

    quarantined: bool = False
    status: str | None = None
    asked: Mapping[str, Asked] = NOBODY

    @property
    def open(self) -> bool:
        """Whether everything may pass."""
        return not self.quarantined and self.status in (None, ACCEPTED)

    def admits(self, action: str, place: str = "") -> bool:
        """Whether a CALL of the station may pass. place: what of the station it is about; empty where it has none."""
        if action == BOOT_NOTIFICATION or self.open:
            return True
        if self.quarantined:
            return action == HEARTBEAT
        return self.pending and self.asked.get(action, NOTHING).admits(place)

    @property
    def blocks_commands(self) -> bool:
        """Whether nothing may be sent to the station: it is rejected (B03.FR.03) or quarantined."""
        return self.quarantined or self.status == REJECTED

    @property
    def pending(self) -> bool:
        return self.status == PENDING

    def answered(self, status: str) -> "BootGate":
        """After a BootNotification was answered. An accepted station needs not be asked."""
        asked = NOBODY if status == ACCEPTED else self.asked
        return structs.replace(self, status=status, asked=asked)

    def asking(self, action: str, everywhere: bool) -> "BootGate":
        """After a command that makes the station send something."""
        asked = self.asked.get(action, NOTHING).and_also(everywhere)
        return structs.replace(self, asked={**self.asked, action: asked})

    def passed(self, action: str, place: str) -> "BootGate":
        """After what was asked for has come."""
        asked = self.asked.get(action, NOTHING)
        return structs.replace(self, asked={**self.asked, action: asked.after(place)}) if asked.admits(place) else self


OPEN, QUARANTINED = BootGate(), BootGate(quarantined=True)
