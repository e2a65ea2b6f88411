"""REST of locations: where stations are."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any
from uuid import uuid4
from zoneinfo import available_timezones

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.auth.api.fields import AUTHOR, OPERATE, READ, LocationId, Text, not_found
from services.auth.domain import locations as domain
from services.auth.domain.locations import Location
from services.auth.store import Store
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.fields import NO_DOTS, VISIBLE
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor


@cache
def _zones() -> set[str]:
    """Empty where the machine knows none: then any will do."""
    return available_timezones()


def _zone(name: str) -> str:
    if name not in (zones := _zones()) and zones:
        raise ValueError("must be a time zone of IANA, such as Europe/Vienna")
    return name


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1, two capital letters", examples=["AT"])]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, examples=[48.2082])]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, examples=[16.3738])]
TimeZone = Annotated[
    str, Field(min_length=1, max_length=64, description="of IANA", examples=["Europe/Vienna"]), AfterValidator(_zone)
]
LocationPath = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f/]+$", examples=["garage-7"])]


class Coordinates(BaseModel):
    """Degrees."""

    model_config = ConfigDict(extra="forbid")

    latitude: Latitude
    longitude: Longitude


class LocationBody(BaseModel):
    """What an operator notes about a location. In PATCH, what is absent stays unchanged, and null empties it."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(None, examples=["Garage 7"])
    address: Text | None = Field(None, examples=["Hauptplatz 1, 1010 Wien"])
    country: Country | None = None
    coordinates: Coordinates | None = None
    time_zone: TimeZone | None = None

    def named(self) -> dict[str, Any]:
        """Attributes of a location, those that are requested."""
        said = self.model_dump(exclude={"coordinates"}, exclude_unset=True)
        if "coordinates" in self.model_fields_set:
            at = self.coordinates
            said |= {"latitude": at and at.latitude, "longitude": at and at.longitude}
        return said


class LocationView(BaseModel):
    """A location."""

    location_id: str = Field(examples=["garage-7"])
    name: str | None
    address: str | None
    country: str | None
    coordinates: Coordinates | None
    time_zone: str | None
    registered_at: datetime
    changed_at: datetime
    author: str | None = Field(description=AUTHOR)


CREATED: dict[int | str, dict[str, Any]] = {
    200: {"description": "it existed, and is now as requested"},
    201: {"model": LocationView, "description": "it is new"},
}
MISSING = problem_responses({404: "there is no such location"})


def router(store: Store, access: Access, clock: Clock) -> APIRouter:
    """/v1/locations."""
    routes = APIRouter(prefix="/v1", tags=["locations"])
    read, write = [access.require(READ)], [access.require(OPERATE)]

    @routes.put("/locations/{location_id}", dependencies=write, responses=CREATED)
    async def put(
        location_id: Annotated[LocationPath, NO_DOTS, VISIBLE], author: Author, response: Response, body: LocationBody
    ) -> LocationView:
        """Describes a location, or replaces its attributes. Stations name it as their `location_id`."""
        async with store.change() as work:
            current = await work.location(location_id)
            decision = domain.put(current, location_id, body.named(), clock(), author)
            await work.save_location(decision, uuid4().hex)
        response.status_code = 200 if current else 201
        return _view(decision.location)

    @routes.get("/locations", dependencies=read)
    async def locations(
        country: Annotated[Country | None, Query()] = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[LocationView]:
        """Locations by id."""
        position = read_cursor(cursor, str)
        found = await store.locations(str(position[0]) if position else "", country, limit + 1)
        after = write_cursor(found[limit - 1].location_id) if len(found) > limit else None
        return Page(items=[_view(one) for one in found[:limit]], next=after)

    @routes.get("/locations/{location_id}", dependencies=read, responses=MISSING)
    async def location(location_id: LocationPath) -> LocationView:
        """One location."""
        if (current := await store.location(location_id)) is None:
            raise not_found("location")
        return _view(current)

    @routes.patch("/locations/{location_id}", dependencies=write, responses=MISSING)
    async def change(location_id: LocationPath, author: Author, body: LocationBody) -> LocationView:
        """Changes the attributes that are given; null removes one."""
        async with store.change() as work:
            if (current := await work.location(location_id)) is None:
                raise not_found("location")
            decision = domain.put(current, location_id, domain.attributes(current) | body.named(), clock(), author)
            await work.save_location(decision, uuid4().hex)
        return _view(decision.location)

    @routes.delete("/locations/{location_id}", dependencies=write, status_code=204, responses=MISSING)
    async def remove(location_id: LocationPath, author: Author) -> None:
        """Removes a location; stations that name it go on naming it."""
        async with store.change() as work:
            if (current := await work.location(location_id)) is None:
                raise not_found("location")
            await work.remove_location(domain.remove(current, clock(), author), uuid4().hex)

    return routes


class LocationFields(BaseModel):
    """A line of a file of locations."""

    model_config = ConfigDict(extra="forbid")

    location_id: LocationId
    name: Text | None = None
    address: Text | None = None
    country: Country | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: TimeZone | None = None


def _view(location: Location) -> LocationView:
    at = None
    if location.latitude is not None and location.longitude is not None:
        at = Coordinates(latitude=location.latitude, longitude=location.longitude)
    return LocationView(
        location_id=location.location_id,
        name=location.name,
        address=location.address,
        country=location.country,
        coordinates=at,
        time_zone=location.time_zone,
        registered_at=location.registered_at,
        changed_at=location.changed_at,
        author=location.author,
    )
