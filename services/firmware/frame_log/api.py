"""REST of the station log: pages, a file, and as it grows."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from services.common.postgres.database import Database
from services.common.web.access import LEEWAY, Access, Calling
from services.common.web.exports import Rows, export, exported, files
from services.common.web.fields import NO_NUL, StationId, UtcDatetime
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.server_sent import MEDIA_TYPE
from services.common.web.tables import Columns
from services.firmware.frame_log.exchanges import Place
from services.firmware.frame_log.reads import LogFilter, page
from services.firmware.frame_log.tail import LONGEST, TailResponse, Tails
from services.firmware.frame_log.views import LogItem
from services.firmware.rights import READ

# Items of a file that are read together.
AT_ONCE = 500
COLUMNS = Columns(("station_id", *LogItem.model_fields), "station_id")
EXAMPLES = files(
    "station_id,at,kind,direction,action\r\nCP001,2026-03-01T12:00:00Z,call,in,Heartbeat\r\n",
    '{"station_id": "CP001", "at": "2026-03-01T12:00:00Z", "kind": "call", "direction": "in", "action": "Heartbeat"}\n',
)
EVENTS = {
    MEDIA_TYPE: {
        "schema": {"type": "object", "properties": {"data": {"type": "string"}, "event": {"type": "string"}}},
        "examples": {"call": {"value": 'data: {"id": "1.1.1", "kind": "call", "action": "Heartbeat"}\n\n'}},
    }
}

Text = Annotated[str | None, Query(min_length=1, max_length=255, pattern=NO_NUL)]


def shown_filter(
    action: Annotated[Text, Query(description="of OCPP")] = None,
    direction: Annotated[
        Literal["in", "out"] | None, Query(description="in: begun by the station; out: by the CSMS")
    ] = None,
    message_id: Text = None,
    errors: Annotated[bool, Query(description="only what was refused, failed, or had no answer")] = False,
    text: Annotated[Text, Query(description="anywhere in a frame, in any case")] = None,
    transaction_id: Annotated[
        Text,
        Query(description="as the station's frames say it; in OCPP 1.6 it is the one that it has here, too"),
    ] = None,
) -> LogFilter:
    """The query of whatever shows a log."""
    return LogFilter(
        action=action,
        direction=direction,
        message_id=message_id,
        errors=errors,
        text=text,
        transaction_id=transaction_id,
    )


def kept_filter(
    wanted: Annotated[LogFilter, Depends(shown_filter)],
    since: Annotated[UtcDatetime | None, Query(description="at this time or later")] = None,
    until: Annotated[UtcDatetime | None, Query(description="at this time or earlier")] = None,
) -> LogFilter:
    """The query of what shows what was kept."""
    return replace(wanted, since=since, until=until)


Order = Annotated[Literal["newest", "oldest"], Query(description="which comes first")]
Kept = Annotated[LogFilter, Depends(kept_filter)]


def router(database: Database, tails: Tails, access: Access) -> APIRouter:
    """/v1/stations/{station_id}/log."""
    routes = APIRouter(prefix="/v1/stations", tags=["log"], dependencies=[access.require(READ)])

    @routes.get("/{station_id}/log")
    async def log(
        station_id: StationId, wanted: Kept, order: Order = "newest", limit: Limit = 50, cursor: Cursor = None
    ) -> Page[LogItem]:
        """Every frame of the station, each CALL with its answer; connects and disconnects; what was refused or dropped.

        A page ends earlier than after `limit`, even without an item, where a filter looks through much; `next` goes on.
        """
        position = read_cursor(cursor, int, int, int)
        after = Place(*map(int, position)) if position else None
        found = await page(database, station_id, wanted, after, limit, oldest_first=order == "oldest")
        following = write_cursor(*found.after) if found.after else None
        return Page(items=[LogItem.of(one) for one in found.items], next=following)

    @routes.get("/{station_id}/log/export", response_class=StreamingResponse, responses=exported(EXAMPLES))
    async def export_log(
        request: Request, station_id: StationId, wanted: Kept, order: Order = "oldest"
    ) -> StreamingResponse:
        """All that fits, as CSV or NDJSON. In CSV a payload is JSON in its cell."""
        pages = _pages(database, station_id, wanted, oldest_first=order == "oldest")
        return await export(request, "log", pages, COLUMNS)

    @routes.get(
        "/{station_id}/log/tail",
        response_class=StreamingResponse,
        responses={
            200: {"description": "an event for each item, with its JSON", "content": EVENTS},
            **problem_responses({503: "too many logs are followed already"}),
        },
    )
    async def tail(
        caller: Calling,
        station_id: StationId,
        wanted: Annotated[LogFilter, Depends(shown_filter)],
        seconds: Annotated[float, Query(gt=0, le=LONGEST, description="after which it ends")] = LONGEST,
    ) -> TailResponse:
        """The log as it grows, from now on, as server-sent events; each has an item as JSON.

        An item is sent again, with the same id, when its answer has come. It ends after an hour at the latest, with the
        bearer token, when the service stops, and for a client that does not read: connect again.
        """
        return await tails.begin(station_id, wanted, min(seconds, caller.expires_at + LEEWAY - time.time()))

    return routes


async def _pages(database: Database, station_id: str, wanted: LogFilter, *, oldest_first: bool) -> AsyncIterator[Rows]:
    after: Place | None = None
    while True:
        found = await page(database, station_id, wanted, after, AT_ONCE, oldest_first=oldest_first)
        yield [{"station_id": station_id, **LogItem.of(one).row()} for one in found.items]
        if (after := found.after) is None:
            return
