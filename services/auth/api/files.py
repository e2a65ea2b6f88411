"""REST of stations, idTokens and locations as files: CSV or NDJSON, imported and exported."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.auth.api.fields import ADMINISTER, OPERATE, READ
from services.auth.api.lines import (
    EXPORTED_STATION,
    LOCATION_COLUMNS,
    TOKEN_COLUMNS,
    Lines,
    location_fields,
    location_lines,
    station_fields,
    station_lines,
    token_fields,
    token_lines,
)
from services.auth.api.locations import Country
from services.auth.api.tokens import Type
from services.auth.domain.locations import Location
from services.auth.domain.stations import Station
from services.auth.domain.tokens import RegisteredToken
from services.auth.importing import LOCATIONS, STATIONS, TOKENS, Importer, Kind
from services.auth.passwords import Passwords
from services.auth.store import Store
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.exports import Rows, export, exported, files
from services.common.web.fields import NO_NUL
from services.common.web.files import faulty
from services.common.web.openapi import problem_responses
from services.common.web.problems import Problem
from services.common.web.tables import Faulty
from services.ocpp.id_tokens import Authorization

# Rows that are read and written together in an export, and imports that a process takes at once.
AT_ONCE, IMPORTS = 200, 2

State = TypeVar("State", Station, RegisteredToken, Location)
NextPage = Callable[[str], Awaitable[Sequence[State]]]


class ImportView(BaseModel):
    """What became of the lines of a file."""

    created: int
    changed: int
    unchanged: int = Field(description="the same already: nothing was written or published of them")
    dry_run: bool = Field(description="nothing was done; so many would be")


DryRun = Annotated[bool, Query(description="checks the file and counts, and changes nothing")]
IMPORTED = problem_responses(
    {
        408: "the file did not come in time",
        413: "the file, or a line of it, is too long",
        415: "the body is neither CSV nor NDJSON",
    }
)


STATION_FILES = files(
    "station_id;password;groups\r\nCP001;0123456789abcdef0123456789abcdef01234567;vienna|level 2\r\n",
    '{"station_id": "CP001", "password": "0123456789abcdef0123456789abcdef01234567", "groups": ["vienna"]}\n',
)
TOKEN_FILES = files(
    "id_token,type,status,group_id\r\n04A2B3C4D5E6F7,ISO14443,Accepted,FLEET-7\r\n",
    '{"id_token": "04A2B3C4D5E6F7", "type": "ISO14443"}\n',
)
LOCATION_FILES = files(
    "location_id,name,country,latitude,longitude,time_zone\r\ngarage-7,Garage 7,AT,48.2082,16.3738,Europe/Vienna\r\n",
    '{"location_id": "garage-7", "name": "Garage 7", "country": "AT"}\n',
)


def router(store: Store, passwords: Passwords, access: Access, clock: Clock) -> APIRouter:
    """/v1/stations/import and …/export, and the same of tokens and locations; before routes that end in an id."""
    routes = APIRouter(prefix="/v1")
    read, operate = [access.require(READ)], [access.require(OPERATE)]
    administer = [access.require(ADMINISTER)]
    importer, free = Importer(store, clock), asyncio.Semaphore(IMPORTS)

    async def import_(
        request: Request, kind: Kind[Any, Any, Any], lines: Lines, author: str | None, *, dry_run: bool
    ) -> ImportView:
        if free.locked():
            raise Problem(503, "other files are being imported", headers={"Retry-After": "10"})
        async with free:
            try:
                counts = await importer.run(kind, lines.of(request), dry_run, author)
            except Faulty as error:
                raise faulty(error.faults) from None
        return ImportView(**counts, dry_run=dry_run)

    stations, tokens, locations = station_lines(passwords), token_lines(), location_lines()
    body = {"requestBody": {"required": True, "content": STATION_FILES}}

    @routes.post("/stations/import", tags=["stations"], dependencies=administer, openapi_extra=body, responses=IMPORTED)
    async def import_stations(request: Request, author: Author, dry_run: DryRun = False) -> ImportView:
        """Registers or changes the stations of a file: all of them or, if a line is at fault, none.

        A line changes what it names, and registers a station that is new. An empty cell of a CSV file empties the
        field; of auth and password it says nothing. The same file again changes nothing.
        """
        return await import_(request, STATIONS, stations, author, dry_run=dry_run)

    @routes.get(
        "/stations/export",
        tags=["stations"],
        dependencies=read,
        response_class=StreamingResponse,
        responses=exported(STATION_FILES),
    )
    async def export_stations(
        request: Request,
        group: Annotated[str | None, Query(max_length=200, pattern=NO_NUL, description="one of its groups")] = None,
        location_id: Annotated[str | None, Query(max_length=64, pattern=NO_NUL)] = None,
    ) -> StreamingResponse:
        """Stations by id, without their passwords, as an import takes them."""

        async def page(after: str) -> Sequence[Station]:
            return await store.stations(after, group, location_id, AT_ONCE)

        pages = _pages(page, lambda one: one.station_id, station_fields)
        return await export(request, "stations", pages, EXPORTED_STATION)

    body = {"requestBody": {"required": True, "content": TOKEN_FILES}}

    @routes.post("/tokens/import", tags=["tokens"], dependencies=operate, openapi_extra=body, responses=IMPORTED)
    async def import_tokens(request: Request, author: Author, dry_run: DryRun = False) -> ImportView:
        """Registers or changes the idTokens of a file: all of them or, if a line is at fault, none.

        A line changes what it names, and registers an idToken that is new. An empty cell of a CSV file empties the
        field; of type and status it says nothing. The same file again changes nothing.
        """
        return await import_(request, TOKENS, tokens, author, dry_run=dry_run)

    @routes.get(
        "/tokens/export",
        tags=["tokens"],
        dependencies=read,
        response_class=StreamingResponse,
        responses=exported(TOKEN_FILES),
    )
    async def export_tokens(
        request: Request,
        type: Annotated[Type | None, Query()] = None,
        status: Annotated[Authorization | None, Query()] = None,
        group_id: Annotated[str | None, Query(max_length=36, pattern=NO_NUL)] = None,
    ) -> StreamingResponse:
        """IdTokens in alphabetical order, as an import takes them."""

        async def page(after: str) -> Sequence[RegisteredToken]:
            return await store.tokens(after, type, status, group_id, AT_ONCE, outside=False)

        pages = _pages(page, lambda one: one.key, token_fields)
        return await export(request, "tokens", pages, TOKEN_COLUMNS)

    body = {"requestBody": {"required": True, "content": LOCATION_FILES}}

    @routes.post("/locations/import", tags=["locations"], dependencies=operate, openapi_extra=body, responses=IMPORTED)
    async def import_locations(request: Request, author: Author, dry_run: DryRun = False) -> ImportView:
        """Describes or changes the locations of a file: all of them or, if a line is at fault, none.

        A line changes what it names. An empty cell of a CSV file empties the field. The same file again changes
        nothing.
        """
        return await import_(request, LOCATIONS, locations, author, dry_run=dry_run)

    @routes.get(
        "/locations/export",
        tags=["locations"],
        dependencies=read,
        response_class=StreamingResponse,
        responses=exported(LOCATION_FILES),
    )
    async def export_locations(
        request: Request, country: Annotated[Country | None, Query()] = None
    ) -> StreamingResponse:
        """Locations by id, as an import takes them."""

        async def page(after: str) -> Sequence[Location]:
            return await store.locations(after, country, AT_ONCE)

        pages = _pages(page, lambda one: one.location_id, location_fields)
        return await export(request, "locations", pages, LOCATION_COLUMNS)

    return routes


async def _pages(
    page: NextPage[State], key: Callable[[State], str], fields: Callable[[State], Mapping[str, Any]]
) -> AsyncIterator[Rows]:
    """All rows, each as it is when its page is read."""
    found = await page("")
    while found:
        yield [fields(one) for one in found]
        found = await page(key(found[-1]))
