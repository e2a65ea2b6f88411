"""Locations, where stations are: described, changed, removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

# What is said of a location.
ATTRIBUTES = ("name", "address", "country", "latitude", "longitude", "time_zone")


@dataclass(frozen=True, slots=True)
class Location:
    """A location. country: ISO 3166-1 alpha-2. latitude, longitude: degrees, both or none. time_zone: of IANA.

    author: who changed it last, where that is known.
    """

    location_id: str
    registered_at: datetime
    changed_at: datetime
    name: str | None = None
    address: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class LocationChanged:
    """A location is new or was changed."""

    location_id: str
    at: datetime
    author: str | None = None


@dataclass(frozen=True, slots=True)
class LocationRemoved:
    """A location was removed."""

    location_id: str
    at: datetime
    author: str | None = None


LocationEvent: TypeAlias = LocationChanged | LocationRemoved


@dataclass(frozen=True, slots=True)
class LocationDecision:
    """A location after a command. No events: nothing has changed."""

    location: Location
    events: Sequence[LocationEvent] = ()


def put(
    current: Location | None, location_id: str, said: Mapping[str, Any], now: datetime, author: str | None = None
) -> LocationDecision:
    """The location as requested; if nothing is different, nothing has changed. said: ATTRIBUTES, those that it has."""
    requested: dict[str, Any] = {**dict.fromkeys(ATTRIBUTES), **said}
    location = replace(current or Location(location_id, now, now), **requested)
    if location == current:
        return LocationDecision(current)
    changed = replace(location, changed_at=now, author=author)
    return LocationDecision(changed, [LocationChanged(location_id, now, author)])


def attributes(location: Location | None) -> dict[str, Any]:
    """ATTRIBUTES of a location."""
    return {name: getattr(location, name, None) for name in ATTRIBUTES}


def remove(current: Location, now: datetime, author: str | None = None) -> LocationDecision:
    """The location as it was."""
    return LocationDecision(current, [LocationRemoved(current.location_id, now, author)])
