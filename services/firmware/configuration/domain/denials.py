"""Connectors that a station no longer has, by what it says of itself: its inventory, or how many there are. Pure."""

from collections.abc import Collection

from services.firmware.domain.station import Place

# The key of a setting of 1.6 (§9.1.19).
NUMBER_OF_CONNECTORS = "numberofconnectors"


def denied(named: Collection[Place], places: Collection[Place]) -> list[Place]:
    """Those that a full inventory (2.x B07) does not name; none where it names no connector at all.

    named: its connectors. places: what was told of; an EVSE itself is named with any of its connectors.
    """
    known = {*named, *(Place(one.evse_id, 0) for one in named)}
    return [one for one in places if one.evse_id and one not in known] if named else []


def number_of_connectors(value: str | None) -> int | None:
    """None where that is no number of connectors."""
    number = int(value) if value and value.isascii() and value.isdecimal() and len(value) < 10 else 0
    return number or None
