"""Stations and what is heard of them, for tables of decisions."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.firmware.domain.messages import Heard
from services.firmware.domain.station import Presence, Station

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def heard(seconds: float = 0, connection: str = "a", **more: Any) -> Heard:
    fields = {"id": f"{connection}.{seconds}", "station_id": "CP1", "version": "1.6"} | more
    return Heard(connection_id=connection, at=at(seconds), **fields)


def here(connection: str = "a", since: float = 0, seen: float | None = None) -> Station:
    """A station that is online by a connection."""
    last = at(since if seen is None else seen)
    presence = Presence(True, connection, connected_at=at(since), last_seen_at=last, alive_at=last)
    return Station("CP1", "1.6", presence=presence)
