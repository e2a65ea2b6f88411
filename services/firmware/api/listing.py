"""REST of firmware: the one list of stations, as pages, as a file, and counted."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.common.postgres.database import Connection, Database
from services.common.web.exports import Rows, export, exported, files
from services.common.web.pages import Cursor, Limit, Page, read_cursor, read_time_cursor, write_cursor
from services.common.web.tables import Columns
from services.firmware import reads
from services.firmware.api.selection import CountedBy, Sort, station_filter
from services.firmware.api.views import StationView
from services.firmware.listing import query
from services.firmware.listing.query import ORDERS, ListedStation, Position, StationFilter

# Rows of a file that are read together.
AT_ONCE = 500
COLUMNS = Columns(tuple(StationView.model_fields), "station_id")
FILES = files(
    "station_id,online,groups\r\nCP001,true,vienna|level 2\r\n",
    '{"station_id": "CP001", "online": true, "groups": ["vienna", "level 2"]}\n',
)
Selection = Annotated[StationFilter, Depends(station_filter)]


class CountView(BaseModel):
    """How many there are of one value."""

    value: str | None = Field(description="null: those that have none")
    count: int


class SummaryView(BaseModel):
    """How many stations there are, and of each kind."""

    count: int = Field(description="of stations")
    items: list[CountView] = Field(description="the most frequent first; empty without `by`")
    others: int = Field(description="how many there are of values that are not among the items")


def routes(database: Database) -> APIRouter:
    """Below /v1/stations; before those whose last segment is an id."""
    routes = APIRouter()

    @routes.get("")
    async def stations(
        wanted: Selection, sort: Sort = "station_id", limit: Limit = 50, cursor: Cursor = None
    ) -> Page[StationView]:
        """All stations that are registered or were ever here."""
        after = _position(sort, cursor)
        async with database.list_connection() as db:
            found = await query.page(db, wanted, limit + 1, sort, after)
            items = await views(db, found[:limit])
        return Page(items=items, next=_cursor(found[limit - 1]) if len(found) > limit else None)

    @routes.get("/export", response_class=StreamingResponse, responses=exported(FILES))
    async def export_stations(request: Request, wanted: Selection) -> StreamingResponse:
        """All stations that fit, by id, with the fields that a list of them has.

        In CSV a list is a|b, and what has parts is JSON.
        """
        return await export(request, "stations", _pages(database, wanted), COLUMNS)

    @routes.get("/summary")
    async def summary(
        wanted: Selection,
        by: Annotated[CountedBy | None, Query(description="what to count them by")] = None,
        limit: Limit = 100,
    ) -> SummaryView:
        """How many stations fit, and how many of each value of `by`."""
        async with database.list_connection() as db:
            count = await query.count(db, wanted)
            found, others = await query.counts(db, wanted, by, limit) if by else ([], 0)
        return SummaryView(
            count=count, items=[CountView(value=one.value, count=one.count) for one in found], others=others
        )

    return routes


async def views(db: Connection, found: Sequence[ListedStation]) -> list[StationView]:
    """Stations as they are shown."""
    names = [one.station.station_id for one in found]
    connectors, sessions = await reads.connectors(db, names), await query.running_sessions(db, names)
    return [StationView.of(one, connectors[name], sessions[name]) for name, one in zip(names, found, strict=True)]


async def _pages(database: Database, wanted: StationFilter) -> AsyncIterator[Rows]:
    after: Position | None = None
    while True:
        async with database.list_connection() as db:
            found = await query.page(db, wanted, AT_ONCE, after=after)
            shown = await views(db, found)
        if shown:
            yield [one.model_dump(mode="json") for one in shown]
        if len(found) < AT_ONCE:
            return
        after = Position(found[-1].place, found[-1].station.station_id)


def _position(sort: str, cursor: str | None) -> Position | None:
    """Raises Problem where the cursor is of no list with this order."""
    if ORDERS[sort.removeprefix("-")].kind is datetime:
        at = read_time_cursor(cursor, str)
        return Position(*at) if at else None
    position = read_cursor(cursor, str, str)
    return Position(str(position[0]), str(position[1])) if position else None


def _cursor(last: ListedStation) -> str:
    place = last.place.isoformat() if isinstance(last.place, datetime) else last.place
    return write_cursor(place, last.station.station_id)
