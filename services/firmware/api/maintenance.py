"""REST of firmware: maintenance windows, during which outages do not count."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.web.access import Access
from services.common.web.callers import Caller
from services.common.web.fields import NO_DOTS, NO_NUL, VISIBLE, UtcDatetime
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem, field_problem
from services.firmware import maintenance
from services.firmware.announcements import maintenance_window_changed, maintenance_window_removed
from services.firmware.api.selection import Text
from services.firmware.maintenance import MaintenanceWindow
from services.firmware.rights import OPERATE, READ

MISSING = "there is no such maintenance window"
WindowId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f/]+$", examples=["garage-7-may"])]
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]


class WindowBody(BaseModel):
    """When outages do not count, and whose: of a station, of a group, or at a location."""

    model_config = ConfigDict(extra="forbid")

    station_id: Name | None = None
    group: Name | None = Field(None, examples=["vienna"])
    location_id: Name | None = None
    begin_at: UtcDatetime
    end_at: UtcDatetime
    reason: str = Field(min_length=1, max_length=500, pattern=NO_NUL, examples=["new transformer"])

    @model_validator(mode="after")
    def _one_and_in_order(self) -> Self:
        if [self.station_id, self.group, self.location_id].count(None) != 2:
            raise ValueError("give one of station_id, group and location_id")
        if self.end_at <= self.begin_at:
            raise ValueError("end_at must be after begin_at")
        return self


class WindowView(BaseModel):
    """A maintenance window."""

    id: str
    station_id: str | None
    group: str | None
    location_id: str | None
    begin_at: datetime
    end_at: datetime
    reason: str
    author: str = Field(description="`sub` of the bearer token that set it last")
    changed_at: datetime


CREATED: dict[int | str, dict[str, Any]] = {
    200: {"description": "it existed, and is now as requested"},
    201: {"model": WindowView, "description": "it is new"},
}
UNKNOWN = {
    "station_id": "is not registered, and was never here",
    "group": "no station is registered in it",
    "location_id": "there is no such location, and no station at it",
}
GONE = problem_responses({404: MISSING})


def router(database: Database, access: Access, announcer: Announcer, clock: Clock) -> APIRouter:
    """/v1/maintenance-windows."""
    routes = APIRouter(prefix="/v1/maintenance-windows", tags=["uptime"])

    @routes.get("", dependencies=[access.require(READ)])
    async def windows(
        station_id: Text = None,
        group: Text = None,
        location_id: Text = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[WindowView]:
        """Maintenance windows by id."""
        position = read_cursor(cursor, str)
        async with database.list_connection() as db:
            after = str(position[0]) if position else ""
            found = await maintenance.page(db, after, station_id, group, location_id, limit + 1)
        last = write_cursor(found[limit - 1].id) if len(found) > limit else None
        return Page(items=[_view(one) for one in found[:limit]], next=last)

    @routes.put("/{window_id}", responses=CREATED)
    async def put(
        window_id: Annotated[WindowId, NO_DOTS, VISIBLE],
        caller: Annotated[Caller, access.require(OPERATE)],
        body: WindowBody,
        response: Response,
    ) -> WindowView:
        """Sets a maintenance window, which may be over: outages in it do not count any more.

        Of a station, group or location that is known.
        """
        window = MaintenanceWindow(
            id=window_id,
            station_id=body.station_id,
            group=body.group,
            location_id=body.location_id,
            begin_at=body.begin_at,
            end_at=body.end_at,
            reason=body.reason,
            author=caller.author,
            changed_at=clock(),
        )
        async with database.transaction() as db:
            if not await maintenance.known(db, window):
                name, what = next((name, what) for name, what in UNKNOWN.items() if getattr(body, name) is not None)
                raise field_problem(f"body.{name}", what)
            response.status_code = 201 if await maintenance.save(db, window) else 200
            await announcer.add(db, maintenance_window_changed(window), window_id, window.changed_at)
        announcer.wake()
        return _view(window)

    @routes.get("/{window_id}", dependencies=[access.require(READ)], responses=GONE)
    async def window(window_id: WindowId) -> WindowView:
        """One maintenance window."""
        async with database.connection() as db:
            found = await maintenance.one(db, window_id)
        if found is None:
            raise Problem(404, MISSING)
        return _view(found)

    @routes.delete("/{window_id}", status_code=204, responses=GONE)
    async def remove(window_id: WindowId, caller: Annotated[Caller, access.require(OPERATE)]) -> None:
        """Removes a maintenance window: outages in it count again."""
        now, author = clock(), caller.author
        async with database.transaction() as db:
            if not await maintenance.remove(db, window_id):
                raise Problem(404, MISSING)
            await announcer.add(db, maintenance_window_removed(window_id, now, author), window_id, now)
        announcer.wake()

    return routes


def _view(one: MaintenanceWindow) -> WindowView:
    return WindowView(
        id=one.id,
        station_id=one.station_id,
        group=one.group,
        location_id=one.location_id,
        begin_at=one.begin_at,
        end_at=one.end_at,
        reason=one.reason,
        author=one.author,
        changed_at=one.changed_at,
    )
