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
from services.common.web.roles import Right


class Deviation(BaseModel):
    """In what a message deviates from its schema. path: the field; empty: the message as a whole."""

    kind: str
    path: str
    times: int


class Message(BaseModel):
    """A message as the station sent it."""

    id: str = Field(description="unique, and never used again")
    station_id: str
    version: str
    action: str
    message_id: str = Field(description="as the station chose it")
    payload: Any = Field(description="as the station sent it; as text where it is nested too deep to be shown")
    normalised: Any = Field(description="how it was read, if it deviates from its schema")
    deviations: list[Deviation] = Field(description="from its schema")
    refused: str | None = Field(description="why it was answered with a CALLERROR")
    received_at: datetime


def router(database: Database, access: Access, right: Right) -> APIRouter:
    """GET /v1/stations/{station_id}/messages, for callers with the right."""
    routes = APIRouter(prefix="/v1/stations", tags=["messages"], dependencies=[access.require(right)])

    @routes.get("/{station_id}/messages")
    async def messages(
        station_id: StationId,
        action: Annotated[str | None, Query(max_length=50, pattern=NO_NUL, description="only this action")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[Message]:
        """What the station sent that this service keeps verbatim, newest first.

        A page ends earlier than after `limit` where its messages come to more than 4 MiB.
        """
        before = read_time_cursor(cursor, str)
        async with database.list_connection() as db:
            rows = await message_log.page(db, station_id, action, before, limit + 1)
        return _page(rows, limit)

    return routes


def _page(rows: list[asyncpg.Record], limit: int) -> Page[Message]:
    items = [_message(row) for row in rows[:limit]]
    last = items[-1] if items and rows[0]["found"] > len(items) else None
    return Page(items=items, next=write_time_cursor(last.received_at, last.id) if last else None)


def _message(row: asyncpg.Record) -> Message:
    written = {name: shown(row[name]) for name in ("payload", "normalised")}
    deviations = orjson.loads(row["deviations"] or "[]")
    return Message(**(dict(row) | written | {"id": row["call_id"], "deviations": deviations}))


def shown(written: str | None) -> Any:
    """JSON that a station wrote, as an answer can have it."""
    value = orjson.loads(written or "null")
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return written
    return value
