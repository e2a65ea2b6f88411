"""What other services say of stations, at hand: their `registrations`, and what they are (`inventory`)."""

import asyncio
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple

from services.common.kafka.bus import Bus
from services.common.kafka.table import CompactedTable
from services.common.process.clock import from_timestamp
from services.common.process.errors import Unavailable
from voltbus.v1.state_pb2 import Capabilities as CapabilitiesRecord
from voltbus.v1.state_pb2 import Inventory
from voltbus.v1.state_pb2 import Registration as RegistrationRecord

# Names that are compared one by one; of a larger fleet only those are looked for that are one slip away.
COMPARED = 1000
# Seconds. What is written is read within milliseconds anyway.
ASK_EVERY = 0.1
MOST_UNREGISTERED = 100_000
LETTERS = string.ascii_letters + string.digits + "-_.:* "


class Capabilities(NamedTuple):
    """What a station has reported of what it can take; None: nothing. See Capabilities of state.proto."""

    local_list_entries: int | None = None
    local_list_items_per_message: int | None = None
    local_list_bytes_per_message: int | None = None
    certificate_chain_size: int | None = None
    certificate_entries: int | None = None
    additional_root_certificate_check: bool | None = None


NOTHING_REPORTED = Capabilities()


class StationIdentity(NamedTuple):
    """What a station last said of itself; empty where it said nothing. transaction_limits: that it keeps to.

    downgrade_allowed: from security profile 3 to 2. told_at: when all of this was last told.
    """

    version: str
    vendor: str
    model: str
    firmware_version: str
    transaction_limits: frozenset[str] = frozenset()
    downgrade_allowed: bool = False
    told_at: datetime | None = None
    capabilities: Capabilities = NOTHING_REPORTED


class Registration(NamedTuple):
    """What the operator says of a station: its groups, in order; where it is, and what each of its EVSEs can deliver.

    Empty and 0 where that is not said. free_vend: None where it is not; else on whose account, empty for nobody's.
    """

    groups: tuple[str, ...]
    location_id: str
    rated_power_w: float = 0
    free_vend: str | None = None


UNKNOWN_IDENTITY = StationIdentity("", "", "", "")
UNREGISTERED = Registration((), "")
# By which stations are chosen.
IDENTIFYING = ("version", "vendor", "model", "firmware_version")


@dataclass(frozen=True, slots=True)
class StationFilter:
    """Which stations; None: whatever. group: one of theirs."""

    group: str | None = None
    location_id: str | None = None
    version: str | None = None
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None


class Stations:
    """Copies of both topics. registered, inventory: as they are called on this broker."""

    def __init__(self, bus: Bus, registered: str, inventory: str) -> None:
        self._registrations = CompactedTable[Registration](bus, registered, _registration)
        self._inventory = CompactedTable[StationIdentity](bus, inventory, _identity)
        # Those that were not registered when registrations were read to their end.
        self._unregistered: set[str] = set()

    def ready(self) -> bool:
        """Whether everything that was there at the start has been read."""
        return self._registrations.ready() and self._inventory.ready()

    async def wait(self) -> None:
        """Until the copies are whole."""
        await asyncio.gather(self._registrations.wait(), self._inventory.wait())

    async def run(self) -> None:
        """Reads on until cancelled."""
        await asyncio.gather(self._registrations.run(), self._inventory.run())

    async def unknown(self, station_ids: Iterable[str]) -> list[str]:
        """Those that are not registered and were never here. Raises Unavailable where that cannot be known now.

        Whoever registered one just now knows it, and so do we: we read on before we say that it is unknown.
        """
        missing = [station_id for station_id in station_ids if station_id not in self]
        if missing:
            await asyncio.gather(self._registrations.catch_up(), self._inventory.catch_up())
        return [station_id for station_id in missing if station_id not in self]

    async def catch_up(self, station_ids: Iterable[str]) -> None:
        """Reads on where some are not registered as far as is known: they may be by now. Raises Unavailable.

        Of those that were not registered the last time, some are asked for in every batch: for them only now and then.
        """
        missing = {station_id for station_id in station_ids if station_id not in self._registrations}
        if not missing or (missing <= self._unregistered and self._registrations.since_end() < ASK_EVERY):
            return
        await self._registrations.catch_up()
        if len(self._unregistered) > MOST_UNREGISTERED:
            self._unregistered.clear()
        self._unregistered |= {station_id for station_id in missing if station_id not in self._registrations}

    def __contains__(self, station_id: str) -> bool:
        return station_id in self._registrations or station_id in self._inventory

    def nearest(self, station_id: str) -> str | None:
        """The known station that was probably meant; None where no name is near."""
        if len(self._registrations) + len(self._inventory) > COMPARED:
            return next((one for one in _one_edit_away(station_id) if one in self), None)
        folded = {one.casefold(): one for one in sorted({*self._registrations, *self._inventory})}
        nearest = get_close_matches(station_id.casefold(), folded, n=1)
        return folded[nearest[0]] if nearest else None

    def version(self, station_id: str) -> str | None:
        """The OCPP version of its last connection; None where it was never here."""
        known = self._inventory.get(station_id)
        return (known and known.version) or None

    def identity(self, station_id: str) -> StationIdentity:
        """What it last said of itself."""
        return self._inventory.get(station_id) or UNKNOWN_IDENTITY

    def downgradable(self) -> set[str]:
        """Those that say that they may go back from security profile 3 to 2."""
        return {station_id for station_id in self._inventory if self.identity(station_id).downgrade_allowed}

    def transaction_limits(self, station_id: str) -> frozenset[str]:
        """Which limits of a transaction it keeps to, as far as it has reported that: cost, energy, time, soc."""
        return (self._inventory.get(station_id) or UNKNOWN_IDENTITY).transaction_limits

    def capabilities(self, station_id: str) -> Capabilities:
        """What it has reported of what it can take."""
        return self.identity(station_id).capabilities

    def registration(self, station_id: str) -> Registration:
        """What its operator says of it."""
        return self._registrations.get(station_id) or UNREGISTERED

    def assignment(self, station_id: str) -> tuple[tuple[str, ...], str]:
        """Its groups and its location, as events say them. Raises Unavailable while registrations are being read."""
        if not self._registrations.ready():
            raise Unavailable("registrations of stations are still being read")
        return self.registration(station_id)[:2]

    async def groups_of(self, station_id: str) -> tuple[str, ...]:
        """Its groups, also where it was registered just now. Raises Unavailable while that cannot be known."""
        if not (groups := self.assignment(station_id)[0]):
            await self.catch_up([station_id])
            groups = self.assignment(station_id)[0]
        return groups

    def matching(self, wanted: StationFilter) -> list[str]:
        """The stations that are registered or were here, and that fit, by id."""
        everyone = sorted({*self._registrations, *self._inventory})
        return [station_id for station_id in everyone if self._fits(station_id, wanted)]

    def _fits(self, station_id: str, wanted: StationFilter) -> bool:
        known, registered = self._inventory.get(station_id) or UNKNOWN_IDENTITY, self.registration(station_id)
        if wanted.group is not None and wanted.group not in registered.groups:
            return False
        if wanted.location_id is not None and wanted.location_id != registered.location_id:
            return False
        asked = {name: getattr(wanted, name) for name in IDENTIFYING}
        return all(value is None or getattr(known, name) == value for name, value in asked.items())


def _one_edit_away(name: str) -> Iterator[str]:
    """In another case, and with two characters swapped, one left out, one replaced, or one more."""
    yield from (name.upper(), name.lower())
    for n in range(len(name) + 1):
        before, after = name[:n], name[n:]
        yield before + after[1:2] + after[:1] + after[2:]
        yield before + after[1:]
        yield from (before + letter + after[1:] for letter in LETTERS)
        yield from (before + letter + after for letter in LETTERS)


def _registration(value: bytes) -> Registration:
    said = RegistrationRecord.FromString(value)
    free_vend = said.free_vend_account if said.free_vend else None
    return Registration(tuple(said.groups), said.location_id, said.rated_power_w, free_vend)


def _identity(value: bytes) -> StationIdentity:
    said = Inventory.FromString(value)
    identity = (said.version, said.vendor, said.model, said.firmware_version)
    limits, told_at = frozenset(said.transaction_limits), from_timestamp(said.changed_at)
    return StationIdentity(*identity, limits, said.downgrade_allowed, told_at, _capabilities(said.capabilities))


def _capabilities(said: CapabilitiesRecord) -> Capabilities:
    if not said.ListFields():
        return NOTHING_REPORTED
    return Capabilities(*(getattr(said, name) if said.HasField(name) else None for name in Capabilities._fields))
