"""REST of sites: the limit, the stations that share it, and how it is shared now."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.fields import NO_DOTS, VISIBLE
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem, field_problem
from services.smartcharging import reads
from services.smartcharging.api import views
from services.smartcharging.api.fields import OPERATE, READ, SessionPreferencesBody, SiteBody, SiteId
from services.smartcharging.api.views import SessionView, SiteStateView, SiteView
from services.smartcharging.sites import Sites, StationTaken

PUT: dict[int | str, dict[str, Any]] = {
    200: {"description": "it existed, and is now as requested"},
    201: {"model": SiteStateView, "description": "it is new"},
    **problem_responses({409: "one of its stations is in another site"}),
}
MISSING = problem_responses({404: "there is no such site, or no such session in it"})
SessionId = Annotated[int, Path(ge=1, lt=2**63, description="our id of its transaction")]


def router(sites: Sites, access: Access, clock: Clock) -> APIRouter:
    """/v1/sites."""
    routes = APIRouter(prefix="/v1/sites", tags=["sites"])
    read, write = [access.require(READ)], [access.require(OPERATE)]

    @routes.put("/{site_id}", dependencies=write, responses=PUT)
    async def put(
        site_id: Annotated[SiteId, NO_DOTS, VISIBLE], author: Author, body: SiteBody, response: Response
    ) -> SiteStateView:
        """Sets a site; its limit is shared again at once. 409 where one of its stations is in another site."""
        try:
            new = await sites.put(replace(body.site(site_id), author=author))
        except StationTaken as error:
            raise field_problem("body.stations", str(error), 409) from None
        response.status_code = 201 if new else 200
        return await state(site_id)

    @routes.get("", dependencies=read)
    async def all_sites(limit: Limit = 50, cursor: Cursor = None) -> Page[SiteView]:
        """Sites by id."""
        position = read_cursor(cursor, str)
        async with sites.database.connection() as db:
            rows = await reads.sites(db, str(position[0]) if position else "", limit + 1)
            members = await reads.members_of(db, [row["site_id"] for row in rows])
        items = [views.site(row, members[row["site_id"]]) for row in rows[:limit]]
        return Page(items=items, next=write_cursor(items[-1].site_id) if len(rows) > limit else None)

    @routes.get("/{site_id}", dependencies=read, responses=MISSING)
    async def site(site_id: SiteId) -> SiteStateView:
        """A site, its phases, EVSEs and sessions as they are now."""
        return await state(site_id)

    @routes.delete("/{site_id}", dependencies=write, status_code=204, responses=MISSING)
    async def remove(site_id: SiteId, author: Author) -> None:
        """Removes a site; its stations are freed of its limits."""
        if not await sites.remove(site_id, author):
            raise _missing()

    @routes.get("/{site_id}/sessions", dependencies=read, responses=MISSING)
    async def sessions(site_id: SiteId) -> Page[SessionView]:
        """The active sessions of a site and their shares."""
        return Page(items=(await state(site_id)).sessions)

    @routes.put("/{site_id}/sessions/{session}", dependencies=write, responses=MISSING)
    async def wish(site_id: SiteId, session: SessionId, author: Author, body: SessionPreferencesBody) -> SessionView:
        """Sets what an operator wants for one session, until it ends; null takes it back."""
        if not await sites.prefer(site_id, session, body.preferences(), author):
            raise Problem(404, "there is no such session in this site")
        found = next((one for one in (await state(site_id)).sessions if one.session == session), None)
        if found is None:
            raise Problem(404, "the EVSE of the session does not belong to this site")
        return found

    async def state(site_id: str) -> SiteStateView:
        found = await sites.snapshot(site_id)
        if found is None:
            raise _missing()
        return views.site_state(*found, clock())

    return routes


def _missing() -> Problem:
    return Problem(404, "there is no such site")
