"""Stations and the contexts of their messages, for tables of decisions."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.firmware.domain.context import Context
from services.firmware.domain.messages import Envelope
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import Presence, Station

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def context(
    seconds: float = 0, connection: str = "a", rules: Rules = RULES, now: datetime | None = None, **more: Any
) -> Context:
    """Of what was received at a time; decided at once unless now is another."""
    fields = {"id": f"{connection}.{seconds}", "station_id": "CP1", "version": "1.6"} | more
    envelope = Envelope(connection_id=connection, at=at(seconds), **fields)
    return Context(envelope, rules, at(seconds) if now is None else now)


def online(connection: str = "a", since: float = 0, seen: float | None = None) -> Station:
    """A station that is online by a connection."""
    last = at(since if seen is None else seen)
    presence = Presence(True, connection, connected_at=at(since), last_seen_at=last, alive_at=last)
    return Station("CP1", "1.6", presence=presence)
