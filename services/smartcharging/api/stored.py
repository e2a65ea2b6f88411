"""REST of stored profiles, which operators keep to install them again."""

from datetime import datetime
from typing import Annotated, Any

import asyncpg
import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.fields import NO_DOTS, VISIBLE
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem
from services.smartcharging import reads
from services.smartcharging.announcements import stored_profile_changed, stored_profile_removed
from services.smartcharging.api.bodies import ProfileBody
from services.smartcharging.api.fields import OPERATE, READ, ProfileName
from services.smartcharging.domain.profile import Purpose


class StoredView(BaseModel):
    """A profile that is kept by a name."""

    name: str
    profile: ProfileBody
    changed_at: datetime
    author: str | None = Field(description="`sub` of the bearer token that set it; null: not known")


MISSING = "there is no such stored profile"
PUT: dict[int | str, dict[str, Any]] = {
    200: {"description": "it existed, and is now as requested"},
    201: {"model": StoredView, "description": "it is new"},
}


def router(database: Database, access: Access, announcer: Announcer, clock: Clock) -> APIRouter:
    """/v1/profiles."""
    routes = APIRouter(prefix="/v1/profiles", tags=["profiles"])
    read, write = [access.require(READ)], [access.require(OPERATE)]

    @routes.put("/{name}", dependencies=write, responses=PUT)
    async def put(
        name: Annotated[ProfileName, NO_DOTS, VISIBLE], author: Author, body: ProfileBody, response: Response
    ) -> StoredView:
        """Keeps a profile; it is installed by POST /v1/stations/{station_id}/profiles."""
        tx = body.purpose == Purpose.TX
        body.profile(1 if tx else 0, "of whichever transaction" if tx else None)
        now = clock()
        async with database.transaction() as db:
            new = await reads.save_stored(db, name, body.model_dump(mode="json"), now, author)
            await announcer.add(db, stored_profile_changed(name, now, author), name, now)
        announcer.wake()
        response.status_code = 201 if new else 200
        return StoredView(name=name, profile=body, changed_at=now, author=author)

    @routes.get("", dependencies=read)
    async def all_stored(limit: Limit = 50, cursor: Cursor = None) -> Page[StoredView]:
        """Stored profiles by name."""
        position = read_cursor(cursor, str)
        async with database.connection() as db:
            rows = await reads.all_stored(db, str(position[0]) if position else "", limit + 1)
        items = [_view(row) for row in rows[:limit]]
        return Page(items=items, next=write_cursor(items[-1].name) if len(rows) > limit else None)

    @routes.get("/{name}", dependencies=read, responses=problem_responses({404: MISSING}))
    async def stored(name: ProfileName) -> StoredView:
        """One stored profile."""
        return await find(database, name)

    @routes.delete("/{name}", dependencies=write, status_code=204, responses=problem_responses({404: MISSING}))
    async def remove(name: ProfileName, author: Author) -> None:
        """Deletes a stored profile; where it is installed, it stays."""
        now = clock()
        async with database.transaction() as db:
            if not await reads.drop_stored(db, name):
                raise _missing()
            await announcer.add(db, stored_profile_removed(name, now, author), name, now)
        announcer.wake()

    return routes


async def find(database: Database, name: str) -> StoredView:
    """Raises Problem where there is none."""
    async with database.connection() as db:
        row = await reads.stored(db, name)
    if row is None:
        raise _missing()
    return _view(row)


def _view(row: asyncpg.Record) -> StoredView:
    return StoredView(
        name=row["name"], profile=orjson.loads(row["profile"]), changed_at=row["changed_at"], author=row["author"]
    )


def _missing() -> Problem:
    return Problem(404, MISSING)
