"""A site: the limit that its stations share, and how they are connected to its phases."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from services.smartcharging.domain.loads import ALL, Loads, scaled, tenths, total, within

PHASES = ("L1", "L2", "L3")
# The least that IEC 61851 lets a vehicle be offered; below it a vehicle does not charge.
MINIMUM = 60
MAXIMUM = 320
# For idle EVSEs so much of the limit may be set aside for sessions that start before we know of them.
IDLE_PART = 0.25


@dataclass(frozen=True, slots=True)
class Limit:
    """unit: A, for each phase; or W, for all phases together."""

    value: float
    unit: str = "A"


@dataclass(frozen=True, slots=True)
class Member:
    """A station of a site. Currents in tenths of an ampere.

    evse_ids: which of its EVSEs belong to the site; None: all it has. phases: of the site, that its EVSEs are on.
    minimum: below it a session is paused. maximum: what an EVSE can take. unit: in which its profiles are written.
    """

    station_id: str
    evse_ids: tuple[int, ...] | None = None
    phases: tuple[str, ...] = PHASES
    minimum: int = MINIMUM
    maximum: int = MAXIMUM
    priority: int = 0
    unit: str = "A"

    def default_keys(self) -> tuple[int, ...]:
        """The EVSEs that a TxDefaultProfile is installed on; 0 covers all of a station (K01.FR.14)."""
        return (0,) if self.evse_ids is None else self.evse_ids

    def default_key(self, evse_id: int) -> int:
        """The one of them that covers an EVSE."""
        return 0 if self.evse_ids is None else evse_id

    def covers(self, evse_id: int) -> bool:
        return evse_id > 0 and (self.evse_ids is None or evse_id in self.evse_ids)


@dataclass(frozen=True)
class Site:
    """default: what a session may draw that nobody has granted anything yet, in tenths of an ampere; None: by rule.

    author: who set it, where that is known.
    """

    site_id: str
    limit: Limit
    members: tuple[Member, ...] = ()
    phases: int = 3
    voltage: float = 230
    default: int | None = None
    author: str | None = None

    @cached_property
    def capacity(self) -> Loads:
        """The limit, in tenths of an ampere."""
        if self.limit.unit == "W":
            return {ALL: tenths(self.limit.value / self.voltage)}
        return dict.fromkeys(PHASES[: self.phases], tenths(self.limit.value))

    def weights(self, member: Member) -> Loads:
        """How often the current of one of a station's EVSEs counts: on each of its phases, or once for each."""
        if self.limit.unit == "W":
            return {ALL: len(member.phases)}
        return dict.fromkeys(member.phases, 1)

    def defaults(self, evses: Iterable[Member]) -> dict[str, int]:
        """The limit of the TxDefaultProfile by station. evses: the station of each EVSE, as often as it has some.

        Unless the operator says otherwise: the minimum, where that is a small part of the limit for all EVSEs together.
        Otherwise 0 A, for what is set aside for sessions to come is lost to those that charge.
        """
        evses = tuple(evses)
        if self.default is not None:
            return {member.station_id: min(self.default, member.maximum) for member in evses}
        spare = {name: int(current * IDLE_PART) for name, current in self.capacity.items()}
        needed = total(scaled(self.weights(member), member.minimum) for member in evses)
        return {member.station_id: member.minimum if within(needed, spare) else 0 for member in evses}
