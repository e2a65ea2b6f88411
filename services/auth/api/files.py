"""REST of stations and idTokens as files: CSV or NDJSON, imported and exported."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from services.auth.api.fields import READ, WRITE, IdTokenPath, StationId
from services.auth.api.stations import PLAIN, StationBody, password_of
from services.auth.api.tokens import TokenChange, Type
from services.auth.domain.imports import StationLine, TokenLine
from services.auth.domain.stations import Station
from services.auth.domain.tokens import RegisteredToken
from services.auth.importing import STATIONS, TOKENS, Importer, Kind
from services.auth.passwords import Passwords
from services.auth.staging import Staged
from services.auth.store import Store
from services.common.process.clock import Clock
from services.common.web.access import Access
from services.common.web.exports import Rows, export, exported, files
from services.common.web.fields import NO_NUL
from services.common.web.files import faulty, lines_of, sent_as
from services.common.web.openapi import problem_responses
from services.common.web.problems import Problem
from services.common.web.tables import READERS, Columns, Fault, Faulty, Row, unknown
from services.ocpp.id_tokens import Authorization, token_key

# What an empty cell must not change: it would take a password away, or accept a blocked card.
STATION_COLUMNS = Columns(
    ("station_id", "auth", "password", "description", "group", "groups", "location_id", "reading", "rated_power_w"),
    needed="station_id",
    lists=frozenset({"groups"}),
    kept=frozenset({"auth", "password", "group"}),
)
EXPORTED_STATION = Columns(
    ("station_id", "auth", "description", "groups", "location_id", "reading", "rated_power_w"), "station_id"
)
TOKEN_COLUMNS = Columns(
    ("id_token", "type", "status", "expires_at", "group_id", "cache_expires_at", "language"),
    needed="id_token",
    kept=frozenset({"type", "status"}),
)
# Rows that are read and written together in an export, and imports that a process takes at once.
AT_ONCE, IMPORTS = 1000, 2

T = TypeVar("T", bound=BaseModel)
State = TypeVar("State", Station, RegisteredToken)
NextPage = Callable[[str], Awaitable[Sequence[State]]]


class StationFields(StationBody):
    """A line of a file of stations."""

    station_id: StationId


class TokenFields(TokenChange):
    """A line of a file of idTokens."""

    id_token: IdTokenPath


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


def router(store: Store, passwords: Passwords, access: Access, clock: Clock) -> APIRouter:
    """/v1/stations/import and …/export, and the same of /v1/tokens; before those whose last segment is an id."""
    routes = APIRouter(prefix="/v1")
    read, write = [access.require(READ)], [access.require(WRITE)]
    importer, free = Importer(store, clock), asyncio.Semaphore(IMPORTS)

    async def import_(request: Request, kind: Kind[Any, Any, Any], lines: "Lines", dry_run: bool) -> ImportView:
        if free.locked():
            raise Problem(503, "other files are being imported", headers={"Retry-After": "10"})
        async with free:
            try:
                counts = await importer.run(kind, lines.of(request), dry_run)
            except Faulty as error:
                raise faulty(error.faults) from None
        return ImportView(**counts, dry_run=dry_run)

    stations, tokens = station_lines(passwords), token_lines()
    body = {"requestBody": {"required": True, "content": STATION_FILES}}

    @routes.post("/stations/import", tags=["stations"], dependencies=write, openapi_extra=body, responses=IMPORTED)
    async def import_stations(request: Request, dry_run: DryRun = False) -> ImportView:
        """Registers or changes the stations of a file: all of them or, if a line is at fault, none.

        A line changes what it names, and registers a station that is new. An empty cell of a CSV file empties the
        field; of auth and password it says nothing. The same file again changes nothing.
        """
        return await import_(request, STATIONS, stations, dry_run)

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

    @routes.post("/tokens/import", tags=["tokens"], dependencies=write, openapi_extra=body, responses=IMPORTED)
    async def import_tokens(request: Request, dry_run: DryRun = False) -> ImportView:
        """Registers or changes the idTokens of a file: all of them or, if a line is at fault, none.

        A line changes what it names, and registers an idToken that is new. An empty cell of a CSV file empties the
        field; of type and status it says nothing. The same file again changes nothing.
        """
        return await import_(request, TOKENS, tokens, dry_run)

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
            return await store.tokens(after, type, status, group_id, AT_ONCE)

        pages = _pages(page, lambda one: one.key, token_fields)
        return await export(request, "tokens", pages, TOKEN_COLUMNS)

    return routes


class Lines:
    """Lines of a file, read and checked. check: what a row says; raises ValidationError."""

    def __init__(self, columns: Columns, check: Callable[[Row], Staged]) -> None:
        self.columns, self._check = columns, check

    async def of(self, request: Request) -> AsyncIterator[Sequence[Staged | Fault]]:
        """As they arrive. Raises Problem and Faulty."""
        reader = READERS[sent_as(request)](self.columns)
        async for lines in lines_of(request):
            rows = (reader.read(number, line) for number, line in lines)
            yield [one for row in rows if row for one in self.checked(row)]
        if fault := reader.end():
            yield [fault]

    def checked(self, row: Row | Fault) -> Sequence[Staged | Fault]:
        """What a line says, or all that is wrong with it."""
        if isinstance(row, Fault):
            return [row]
        try:
            return [self._check(row)]
        except ValidationError as error:
            return list(dict.fromkeys(self._fault(row.line, one) for one in error.errors(include_input=False)))

    def _fault(self, line: int, error: Mapping[str, Any]) -> Fault:
        """A field that there is not may be a secret in the wrong place, and is not repeated."""
        if error["type"] == "extra_forbidden":
            return Fault(line, "", unknown(str(error["loc"][0]), "a field", self.columns))
        name, *items = error["loc"]
        where = ".".join([str(name), *(str(one) for one in items if isinstance(one, int))])
        told = (
            "has a character that it cannot have" if error["type"] == "string_pattern_mismatch" else str(error["msg"])
        )
        return Fault(line, where, told.removeprefix("Value error, "))


def station_lines(passwords: Passwords) -> Lines:
    """Lines of a file of stations."""
    return Lines(STATION_COLUMNS, lambda row: _station(row, passwords))


def token_lines() -> Lines:
    """Lines of a file of idTokens."""
    return Lines(TOKEN_COLUMNS, _token)


def _station(row: Row, passwords: Passwords) -> Staged:
    """Raises ValidationError."""
    fields = StationFields.model_validate(row.fields)
    named = fields.model_dump(include=set(PLAIN), exclude_unset=True)
    if {"group", "groups"} & fields.model_fields_set:
        named["groups"] = fields.groups_or(())
    line = StationLine(fields.station_id, password_of(fields, passwords), named)
    return Staged(row.line, line.station_id, STATIONS.pack(line))


def _token(row: Row) -> Staged:
    """Raises ValidationError."""
    named = TokenFields.model_validate(row.fields).model_dump(exclude_unset=True)
    line = TokenLine(named.pop("id_token"), named)
    return Staged(row.line, token_key(line.id_token), TOKENS.pack(line))


def station_fields(station: Station) -> Mapping[str, Any]:
    """EXPORTED_STATION of a station."""
    return asdict(station) | {"auth": "basic" if station.password else "none"}


def token_fields(registered: RegisteredToken) -> Mapping[str, Any]:
    """TOKEN_COLUMNS of an idToken."""
    return asdict(registered.token)


async def _pages(
    page: NextPage[State], key: Callable[[State], str], fields: Callable[[State], Mapping[str, Any]]
) -> AsyncIterator[Rows]:
    """All rows, each as it is when its page is read."""
    found = await page("")
    while found:
        yield [fields(one) for one in found]
        found = await page(key(found[-1]))
