"""REST of firmware: ids that knocked and were refused."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.common.postgres.database import Database
from services.common.web.fields import NO_NUL, UtcDatetime
from services.common.web.pages import Cursor, Limit, Page, read_time_cursor, write_time_cursor
from services.firmware.listing import refused
from services.firmware.listing.refused import ListedRefusal, RefusalFilter
from services.ocpp.refusals import RefusalReason


class RefusedStationView(BaseModel):
    """An id that knocked and was not let in."""

    station_id: str
    reason: str = Field(description="of the last time", examples=["unknown_station"])
    times: int
    first_at: datetime
    last_at: datetime
    remote_address: str = Field(description="of the station, the last time")
    subprotocols: str = Field(description="that it offered the last time", examples=["ocpp1.6,ocpp2.0.1"])
    registered: bool
    quarantined: bool = Field(description="it is connected now, only to be seen")
    connected_from: str | None = Field(
        description="the address of the device that is connected under this id now: with `id_in_use`, of the other one"
    )


def routes(database: Database) -> APIRouter:
    """Below /v1/stations; before those whose last segment is an id."""
    routes = APIRouter()

    @routes.get("/refused")
    async def refused_stations(
        reason: Annotated[RefusalReason | None, Query(description="of the last time")] = None,
        q: Annotated[
            str | None, Query(max_length=48, pattern=NO_NUL, description="a part of the id, in any case")
        ] = None,
        remote_address: Annotated[
            str | None, Query(max_length=45, pattern=NO_NUL, description="of the last time")
        ] = None,
        since: Annotated[UtcDatetime | None, Query(description="that knocked then or later")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[RefusedStationView]:
        """Ids that gateways refused, the newest first, without those that were registered or let in since.

        `POST /v1/stations/refused/{station_id}/accept` of auth registers one.
        """
        before = read_time_cursor(cursor, str)
        wanted = RefusalFilter(reason=reason, q=q, remote_address=remote_address, since=since)
        async with database.list_connection() as db:
            found = await refused.page(db, wanted, before, limit + 1)
        items = [_view(one) for one in found[:limit]]
        last = items[-1] if len(found) > limit else None
        return Page(items=items, next=write_time_cursor(last.last_at, last.station_id) if last else None)

    return routes


def _view(one: ListedRefusal) -> RefusedStationView:
    known = one.refused
    return RefusedStationView(
        station_id=known.station_id,
        reason=known.reason,
        times=known.times,
        first_at=known.first_at,
        last_at=known.last_at,
        remote_address=known.remote_address,
        subprotocols=known.subprotocols,
        registered=one.registered,
        quarantined=one.quarantined,
        connected_from=one.connected_from,
    )
