"""REST of firmware: how the status of connectors has changed."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.common.postgres.database import Database
from services.common.web.fields import StationId, UtcDatetime
from services.common.web.pages import Cursor, Limit, Page, read_time_cursor, write_time_cursor
from services.firmware import history_store
from services.firmware.history_store import HistoryFilter

Number = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


class StatusChangeView(BaseModel):
    """A status of a connector, from a time on. EVSE 0 is the station itself."""

    evse_id: int
    connector_id: int
    status: str
    error_code: str | None
    info: str | None
    vendor_error_code: str | None
    happened_at: datetime = Field(description="by the station's clock where that can be true, else received_at")
    reported_at: datetime | None = Field(description="by the station's clock")
    received_at: datetime


def routes(database: Database) -> APIRouter:
    """Below /v1/stations."""
    routes = APIRouter()

    @routes.get("/{station_id}/status-history")
    async def history(
        station_id: StationId,
        since: Annotated[UtcDatetime | None, Query(description="that happened then or later")] = None,
        until: Annotated[UtcDatetime | None, Query(description="that happened before")] = None,
        evse_id: Number = None,
        connector_id: Number = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[StatusChangeView]:
        """How the status of its connectors has changed, newest first; also what was told late, where it belongs."""
        wanted = HistoryFilter(since=since, until=until, evse_id=evse_id, connector_id=connector_id)
        before = read_time_cursor(cursor, str)
        async with database.list_connection() as db:
            found = await history_store.page(db, station_id, wanted, before, limit + 1)
        fields = StatusChangeView.model_fields
        items = [StatusChangeView(**{name: row[name] for name in fields}) for row in found[:limit]]
        last = found[limit - 1] if len(found) > limit else None
        return Page(items=items, next=write_time_cursor(last["happened_at"], last["call_id"]) if last else None)

    return routes
