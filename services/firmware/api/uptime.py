"""REST of firmware: uptime of connectors."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.web.access import Access
from services.common.web.exports import Rows, export, exported, files
from services.common.web.fields import UtcDatetime
from services.common.web.pages import Cursor, Page, read_cursor, write_cursor
from services.common.web.problems import field_problem
from services.common.web.tables import Columns
from services.firmware.api.selection import Text
from services.firmware.listing import query
from services.firmware.listing.query import Position, StationFilter
from services.firmware.rights import READ
from services.firmware.uptime import LAST, PRESETS, MeasuredConnector, Preset, measured

AT_ONCE = 100
LONGEST = timedelta(days=732)


class UptimeView(BaseModel):
    """A connector in a period: minutes, and the share of them in which it was usable."""

    station_id: str
    evse_id: int
    connector_id: int
    begin_at: datetime
    end_at: datetime
    period_minutes: float = Field(description="since it was first heard of")
    unknown_minutes: float = Field(description="before that")
    outage_minutes: float = Field(description="in all")
    excluded_minutes: float = Field(description="of these in maintenance windows, or out of use by an operator's order")
    offline_minutes: float = Field(description="of those that count")
    faulted_minutes: float
    unavailable_minutes: float
    uptime_percent: float | None = Field(
        description="100 * (period - (outage - excluded)) / period; null where nothing is known"
    )
    meets: bool | None = Field(description="whether that is what the preset requires; null without one")


@dataclass(frozen=True, slots=True)
class UptimeQuery:
    """Whose uptime, from when to when."""

    stations: StationFilter
    begin: datetime
    end: datetime
    preset: Preset | None


COLUMNS = Columns(tuple(UptimeView.model_fields), "station_id")
FILES = files(
    "station_id,evse_id,connector_id,uptime_percent\r\nCP001,1,1,99.2\r\n",
    '{"station_id": "CP001", "evse_id": 1, "connector_id": 1, "uptime_percent": 99.2}\n',
)


def _asked(clock: Clock) -> Callable[..., UptimeQuery]:
    def asked(
        station_id: Text = None,
        group: Text = None,
        location_id: Text = None,
        begin: Annotated[
            UtcDatetime | None, Query(alias="from", description="30 days before `to`, or as the preset has it")
        ] = None,
        end: Annotated[UtcDatetime | None, Query(alias="to", description="now, or as the preset has it")] = None,
        preset: Annotated[
            Literal["nevi"] | None,
            Query(description="nevi: the twelve months before this one, of which 97 % are required"),
        ] = None,
    ) -> UptimeQuery:
        """What is asked, and no later than now."""
        now = clock()
        rules = PRESETS[preset] if preset else None
        first, last = rules.period(now) if rules else (None, now)
        last = min(end or last, now)
        first = begin or (first if first and first < last else last - LAST)
        if not first < last:
            raise field_problem("query.from", "must be before `to`, and before now")
        if last - first > LONGEST:
            raise field_problem("query.from", f"must be at most {LONGEST.days} days before `to`")
        return UptimeQuery(
            StationFilter(station_id=station_id, group=group, location_id=location_id), first, last, rules
        )

    return asked


def router(database: Database, access: Access, clock: Clock) -> APIRouter:
    """/v1/uptime."""
    routes = APIRouter(prefix="/v1/uptime", tags=["uptime"], dependencies=[access.require(READ)])
    wanted = Annotated[UptimeQuery, Depends(_asked(clock))]

    @routes.get("")
    async def uptime(
        asked: wanted,
        limit: Annotated[int, Query(ge=1, le=AT_ONCE, description="how many stations at the most")] = 50,
        cursor: Cursor = None,
    ) -> Page[UptimeView]:
        """How long each connector was usable, by station.

        An outage: the station is away for more than a minute, or the connector (or the station itself) is Faulted, or
        Unavailable without an order of an operator. Outages in maintenance windows do not count.
        """
        position = read_cursor(cursor, str)
        after = Position(str(position[0]), str(position[0])) if position else None
        items, last = await _page(database, asked, limit, after)
        return Page(items=items, next=write_cursor(last.station_id) if last else None)

    @routes.get("/export", response_class=StreamingResponse, responses=exported(FILES))
    async def export_uptime(request: Request, asked: wanted) -> StreamingResponse:
        """The same as a file, of all stations that fit."""
        return await export(request, "uptime", _pages(database, asked), COLUMNS)

    return routes


async def _page(
    database: Database, asked: UptimeQuery, limit: int, after: Position | None
) -> tuple[list[UptimeView], Position | None]:
    """Connectors of so many stations, and where the next page begins; None after the last."""
    async with database.list_connection() as db:
        found = await query.page(db, asked.stations, limit + 1, after=after)
        connectors = await measured(db, found[:limit], asked.begin, asked.end)
    last = found[limit - 1].station.station_id if len(found) > limit else None
    return [_view(one, asked) for one in connectors], Position(last, last) if last else None


async def _pages(database: Database, asked: UptimeQuery) -> AsyncIterator[Rows]:
    after: Position | None = None
    while True:
        items, after = await _page(database, asked, AT_ONCE, after)
        if items:
            yield [one.model_dump(mode="json") for one in items]
        if after is None:
            return


def _view(one: MeasuredConnector, asked: UptimeQuery) -> UptimeView:
    known, share = one.uptime, one.uptime.share
    return UptimeView(
        station_id=one.station_id,
        evse_id=one.place.evse_id,
        connector_id=one.place.connector_id,
        begin_at=asked.begin,
        end_at=asked.end,
        period_minutes=_minutes(known.period),
        unknown_minutes=_minutes(known.unknown),
        outage_minutes=_minutes(known.outage),
        excluded_minutes=_minutes(known.excluded),
        offline_minutes=_minutes(known.offline),
        faulted_minutes=_minutes(known.faulted),
        unavailable_minutes=_minutes(known.unavailable),
        uptime_percent=None if share is None else round(100 * share, 4),
        meets=None if share is None or asked.preset is None else share >= asked.preset.least,
    )


def _minutes(length: timedelta) -> float:
    return round(length / timedelta(minutes=1), 3)
