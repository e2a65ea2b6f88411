"""What other services say of stations, at hand: their `registrations`, and what they are (`inventory`)."""

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

from services.common.kafka.bus import Bus
from services.common.kafka.table import CompactedTable
from voltbus.v1.state_pb2 import Inventory
from voltbus.v1.state_pb2 import Registration as RegistrationRecord


class StationIdentity(NamedTuple):
    """What a station last said of itself; empty where it said nothing."""

    version: str
    vendor: str
    model: str
    firmware_version: str


class Registration(NamedTuple):
    """What the operator says of a station: its groups, in order; where it is, and what each of its EVSEs can deliver.

    Empty and 0 where that is not said.
    """

    groups: tuple[str, ...]
    location_id: str
    rated_power_w: float = 0


UNKNOWN_IDENTITY = StationIdentity("", "", "", "")
UNREGISTERED = Registration((), "")


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

    def ready(self) -> bool:
        """Whether everything that was there at the start has been read."""
        return self._registrations.ready() and self._inventory.ready()

    async def wait(self) -> None:
        """Until the copies are whole."""
        await asyncio.gather(self._registrations.wait(), self._inventory.wait())

    async def run(self) -> None:
        """Reads on until cancelled."""
        await asyncio.gather(self._registrations.run(), self._inventory.run())

    async def is_known(self, station_id: str) -> bool:
        """Whether it is registered, or was ever here. Raises Unavailable where that cannot be known now."""
        if station_id in self._registrations or station_id in self._inventory:
            return True
        await asyncio.gather(self._registrations.catch_up(), self._inventory.catch_up())
        return station_id in self._registrations or station_id in self._inventory

    def version(self, station_id: str) -> str | None:
        """The OCPP version of its last connection; None where it was never here."""
        known = self._inventory.get(station_id)
        return (known and known.version) or None

    def registration(self, station_id: str) -> Registration:
        """What its operator says of it."""
        return self._registrations.get(station_id) or UNREGISTERED

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
        asked = {name: getattr(wanted, name) for name in StationIdentity._fields}
        return all(value is None or getattr(known, name) == value for name, value in asked.items())


def _registration(value: bytes) -> Registration:
    said = RegistrationRecord.FromString(value)
    return Registration(tuple(said.groups), said.location_id, said.rated_power_w)


def _identity(value: bytes) -> StationIdentity:
    said = Inventory.FromString(value)
    return StationIdentity(said.version, said.vendor, said.model, said.firmware_version)
