"""What other services say of stations, at hand: their groups (topic `stations`) and what they are (`inventory`)."""

import asyncio
from dataclasses import dataclass, fields
from typing import NamedTuple

from services.common.kafka.bus import Bus
from services.common.kafka.table import CompactedTable
from voltbus.v1.state_pb2 import Inventory, Station


class Known(NamedTuple):
    """What a station last said of itself; empty where it said nothing."""

    version: str
    vendor: str
    model: str
    firmware_version: str


NOBODY = Known("", "", "", "")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which stations; None: whatever."""

    group: str | None = None
    version: str | None = None
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None


class Stations:
    """Copies of both topics. registered, inventory: as they are called on this broker."""

    def __init__(self, bus: Bus, registered: str, inventory: str) -> None:
        self._groups = CompactedTable[str](bus, registered, lambda value: Station.FromString(value).group)
        self._inventory = CompactedTable[Known](bus, inventory, _known)

    def ready(self) -> bool:
        """Whether everything that was there at the start has been read."""
        return self._groups.ready() and self._inventory.ready()

    async def wait(self) -> None:
        """Until the copies are whole."""
        await asyncio.gather(self._groups.wait(), self._inventory.wait())

    async def run(self) -> None:
        """Reads on until cancelled."""
        await asyncio.gather(self._groups.run(), self._inventory.run())

    def version(self, station_id: str) -> str | None:
        """The OCPP version of its last connection; None where it was never here."""
        known = self._inventory.get(station_id)
        return (known and known.version) or None

    def group(self, station_id: str) -> str | None:
        """The group that it is registered in."""
        return self._groups.get(station_id) or None

    def chosen(self, wanted: Filter) -> list[str]:
        """The stations that are registered or were here, and that fit, by id."""
        everyone = sorted({*self._groups, *self._inventory})
        return [station_id for station_id in everyone if self._fits(station_id, wanted)]

    def _fits(self, station_id: str, wanted: Filter) -> bool:
        known = self._inventory.get(station_id) or NOBODY
        said = known._asdict() | {"group": self._groups.get(station_id) or ""}
        asked = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
        return all(value is None or said[name] == value for name, value in asked.items())


def _known(value: bytes) -> Known:
    said = Inventory.FromString(value)
    return Known(said.version, said.vendor, said.model, said.firmware_version)
