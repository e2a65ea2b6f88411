"""Rows of the inventory: their columns in one order, and what is made of them."""

from datetime import datetime

import asyncpg

from services.firmware.domain.station import (
    BootStatus,
    Connector,
    FirmwareStatus,
    Identity,
    Presence,
    Registration,
    Station,
)

# Identity, Presence and Connector have their fields by the names and in the order of their columns.
IDENTITY = Identity.__struct_fields__
REGISTRATION = ("boot_status", "boot_reason", "booted_at", "accepted", "boot_decision", "boot_interval")
PRESENCE = Presence.__struct_fields__
STATION_COLUMNS = (
    *("station_id", "version", "quarantined"),
    *IDENTITY,
    *REGISTRATION,
    *PRESENCE,
    *("update_status", "update_status_at", "update_request_id", "update_earlier_ids"),
)
CONNECTOR_COLUMNS = ("station_id", "evse_id", "connector_id", *Connector.__struct_fields__)
# What a batch writes: what an operator ordered is not its to write.
SAVED_COLUMNS = tuple(name for name in STATION_COLUMNS if name not in ("boot_decision", "boot_interval"))

_REGISTRATION = 3 + len(IDENTITY)
_PRESENCE = _REGISTRATION + len(REGISTRATION)
_UPDATE = _PRESENCE + len(PRESENCE)
_END = len(STATION_COLUMNS)
_STATUSES: dict[str | None, BootStatus | None] = {None: None} | {status.value: status for status in BootStatus}


def names(columns: tuple[str, ...], table: str = "") -> str:
    """Columns as SQL lists them. table: that they are of."""
    return ", ".join(f"{table}.{name}" if table else name for name in columns)


def station(row: asyncpg.Record) -> Station:
    """From STATION_COLUMNS, by their places, whatever comes after them: this is done for every message."""
    status, reason, booted_at, accepted, decision, interval = row[_REGISTRATION:_PRESENCE]
    return Station(
        row[0],
        row[1],
        row[2],
        Identity(*row[3:_REGISTRATION]),
        Registration(_STATUSES[status], reason, booted_at, accepted, _STATUSES[decision], interval),
        Presence(*row[_PRESENCE:_UPDATE]),
        _firmware_status(*row[_UPDATE:_END]) if row[_UPDATE] else None,
    )


def _firmware_status(status: str, at: datetime, request_id: int | None, earlier: str | None) -> FirmwareStatus:
    return FirmwareStatus(status, at, request_id, tuple(map(int, earlier.split(","))) if earlier else ())


def connector(row: asyncpg.Record) -> Connector:
    """From CONNECTOR_COLUMNS."""
    return Connector(*row[3:])
