"""What a line of an imported file makes of a station, an idToken or a location; what it does not name stays."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.auth.domain import locations, stations, tokens
from services.auth.domain.locations import Location, LocationDecision
from services.auth.domain.stations import Password, PasswordPolicy, RegisterStation, Station, StationDecision
from services.auth.domain.tokens import RegisteredToken, TokenDecision
from services.ocpp.id_tokens import Authorization, Token

# Attributes of a station that a line may name.
SECURITY = ("serial_number", "security_profile", "downgrade_allowed", "expired_certificate_allowed")
ATTRIBUTES = ("description", "groups", "location_id", "reading", "rated_power_w", "free_vend", *SECURITY)
UNSAID = Password(b"")
# The security profile whose stations need no password.
BY_CERTIFICATE = 3


class Unfit(Exception):
    """A line that cannot be applied to what is there. field: the one at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class StationLine:
    """What is said of a station. named: ATTRIBUTES, those that are."""

    station_id: str
    password: Password | PasswordPolicy
    named: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenLine:
    """What is said of an idToken. named: fields of Token, those that are."""

    id_token: str
    named: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocationLine:
    """What is said of a location. named: ATTRIBUTES of locations, those that are."""

    location_id: str
    named: Mapping[str, Any] = field(default_factory=dict)


def station(current: Station | None, line: StationLine, now: datetime, author: str | None = None) -> StationDecision:
    """current: the station of that id, or of one that differs in case alone.

    Raises Unfit for the latter, and for a station without a password, as nobody would be shown one that is generated.
    """
    if current and current.station_id != line.station_id:
        raise Unfit("station_id", stations.registered_as(current.station_id))
    attributes = {name: getattr(current, name) for name in ATTRIBUTES if current} | dict(line.named)
    if current and current.description == "" and attributes["description"] is None:
        # In a file they are the same, and one that was exported changes nothing.
        attributes["description"] = ""
    if current and (attributes.get("security_profile") or 0) < stations.profile(current):
        # A file that was written before it rose lowers nothing.
        attributes["security_profile"] = None
    password = line.password
    if current is None and password is PasswordPolicy.KEEP and attributes.get("security_profile") == BY_CERTIFICATE:
        password = PasswordPolicy.NONE
    command = RegisterStation(line.station_id, password, **attributes)
    try:
        decision = stations.register(current, command, UNSAID, now, author)
    except stations.UnfitProfile as error:
        raise Unfit("security_profile", str(error)) from None
    if decision.station.password is UNSAID:
        raise Unfit("password", "a station needs one, or auth none: an import generates no passwords")
    return decision


def token(current: RegisteredToken | None, line: TokenLine, now: datetime, author: str | None = None) -> TokenDecision:
    """Raises Unfit for a new idToken without a type, and for what cannot stand beside the rest of it."""
    if current:
        said = replace(current.token, id_token=line.id_token, **line.named, outside_until=None)
    elif "type" in line.named:
        said = Token(line.id_token, **{"status": Authorization.ACCEPTED, **line.named})
    else:
        raise Unfit("type", "a new idToken needs one")
    if fault := tokens.fault(said):
        raise Unfit(*fault)
    return tokens.put(current, said, now, author)


def location(
    current: Location | None, line: LocationLine, now: datetime, author: str | None = None
) -> LocationDecision:
    """Raises Unfit for half a coordinate."""
    said = locations.attributes(current) | dict(line.named)
    if (said["latitude"] is None) != (said["longitude"] is None):
        raise Unfit("longitude", "latitude and longitude belong together")
    for name in ("name", "address"):
        if not said[name] and current and getattr(current, name) == "":
            # In a file they are the same, as with stations.
            said[name] = ""
    return locations.put(current, line.location_id, said, now, author)
