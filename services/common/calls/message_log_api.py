"""REST over the recorded messages, the same for every service that keeps some."""

from datetime import datetime
from typing import Annotated, Any

import asyncpg
import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.common.calls import message_log
from services.common.postgres.database import Database
from services.common.web.access import Access
from services.common.web.fields import NO_NUL, StationId
from services.common.web.pages import Cursor, Limit, Page, read_time_cursor, write_time_cursor


class Message(BaseModel):
    """A message as the station sent it."""

    id: str = Field(description="unique for all time")
    station_id: str
    version: str
    action: str
    message_id: str = Field(description="as the station chose it")
    payload: Any
    received_at: datetime


def router(database: Database, access: Access, scope: str) -> APIRouter:
    """GET /v1/stations/{station_id}/messages, for tokens that hold the scope."""
    routes = APIRouter(prefix="/v1/stations", tags=["messages"], dependencies=[access.require(scope)])

    @routes.get("/{station_id}/messages")
    async def messages(
        station_id: StationId,
        action: Annotated[str | None, Query(max_length=50, pattern=NO_NUL, description="only this action")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[Message]:
        """What the station sent that this service keeps verbatim, newest first."""
        before = read_time_cursor(cursor, str)
        async with database.list_connection() as db:
            rows = await message_log.page(db, station_id, action, before, limit + 1)
        return _page(rows, limit)

    return routes


def _page(rows: list[asyncpg.Record], limit: int) -> Page[Message]:
    items = [_message(row) for row in rows[:limit]]
    last = items[-1] if len(rows) > limit else None
    return Page(items=items, next=write_time_cursor(last.received_at, last.id) if last else None)


def _message(row: asyncpg.Record) -> Message:
    return Message(**(dict(row) | {"id": row["call_id"], "payload": orjson.loads(row["payload"])}))
