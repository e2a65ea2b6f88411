"""Which stations a call is about, by its query, and in which order."""

from enum import StrEnum
from typing import Annotated, Literal

from fastapi import Query

from services.common.web.access import Groups
from services.common.web.fields import NO_NUL
from services.firmware.domain.station import BootStatus
from services.firmware.listing.query import StationFilter

Text = Annotated[str | None, Query(max_length=255, pattern=NO_NUL)]

# Occupied is all that tells of a vehicle or a cable, whatever the version.
Word = Literal[
    "Available",
    "Occupied",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
]
INCLUDED = {"Occupied": ("Occupied", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing")}

Sort = Annotated[
    Literal[
        "station_id",
        "-station_id",
        "last_seen_at",
        "-last_seen_at",
        "connected_at",
        "-connected_at",
        "disconnected_at",
        "-disconnected_at",
        "booted_at",
        "-booted_at",
        "vendor",
        "-vendor",
        "model",
        "-model",
        "firmware_version",
        "-firmware_version",
        "location_id",
        "-location_id",
    ],
    Query(description="with -, from the last; what is not known is first, or with - last"),
]


class CountedBy(StrEnum):
    """What stations are counted by; by connector_status, their connectors."""

    ONLINE = "online"
    REGISTERED = "registered"
    QUARANTINED = "quarantined"
    VERSION = "version"
    VENDOR = "vendor"
    MODEL = "model"
    FIRMWARE_VERSION = "firmware_version"
    STATUS = "status"
    LOCATION_ID = "location_id"
    GROUP = "group"
    CONNECTOR_STATUS = "connector_status"


def station_filter(
    groups: Groups,
    online: bool | None = None,
    registered: bool | None = None,
    quarantined: bool | None = None,
    group: Annotated[Text, Query(description="one of its groups")] = None,
    location_id: Text = None,
    version: Annotated[Text, Query(description="of OCPP")] = None,
    vendor: Text = None,
    model: Text = None,
    firmware_version: Text = None,
    status: Annotated[BootStatus | None, Query(description="the verdict on its last boot")] = None,
    connector_status: Annotated[
        Word | None,
        Query(description="of one of its connectors; Occupied: whatever says that a vehicle or a cable is there"),
    ] = None,
    certificate_ends_within: Annotated[
        int | None,
        Query(ge=0, le=3650, description="days: stations whose certificate ends until then, or has ended"),
    ] = None,
    in_session: Annotated[bool | None, Query(description="whether a session runs there")] = None,
    q: Annotated[
        Text, Query(description="a part of its id, serial number, model, or the name of its location; any case")
    ] = None,
) -> StationFilter:
    """The query of a list, within what the caller is limited to."""
    words = INCLUDED.get(connector_status, (connector_status,)) if connector_status else None
    return StationFilter(
        online=online,
        registered=registered,
        quarantined=quarantined,
        group=group,
        within=groups,
        location_id=location_id,
        version=version,
        vendor=vendor,
        model=model,
        firmware_version=firmware_version,
        status=status,
        connector_status=words,
        certificate_ends_within=certificate_ends_within,
        in_session=in_session,
        q=q,
    )
