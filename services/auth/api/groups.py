"""REST of groups: what stations say that they are in, and what holds for all stations of one."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from services.auth.api.fields import ADMINISTER, READ
from services.auth.api.stations import FreeVend, account_of, free_vend_of
from services.auth.group_settings import GroupSettings
from services.auth.store import Store
from services.common.web.access import Access, Author
from services.common.web.fields import NO_DOTS
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor

GroupPath = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["vienna"])]
FREE_VEND = "whoever comes may charge at its stations; null: that is not said"


class GroupView(BaseModel):
    """A group: what stations say they are in."""

    group: str = Field(examples=["vienna"])
    stations: int = Field(description="how many are in it")
    free_vend: FreeVend | None = Field(description=FREE_VEND)
    author: str | None = Field(description="`sub` of the bearer token that set that; null: not known")


class GroupBody(BaseModel):
    """What holds for all stations of a group."""

    model_config = ConfigDict(extra="forbid")

    free_vend: FreeVend | None = Field(description=FREE_VEND)


def router(store: Store, settings: GroupSettings, access: Access) -> APIRouter:
    """/v1/groups."""
    routes = APIRouter(prefix="/v1/groups", tags=["groups"])

    @routes.get("", dependencies=[access.require(READ)])
    async def groups(limit: Limit = 50, cursor: Cursor = None) -> Page[GroupView]:
        """Groups by name, with the number of their stations."""
        position = read_cursor(cursor, str)
        found = await store.groups(str(position[0]) if position else "", limit + 1)
        after = write_cursor(found[limit - 1][0]) if len(found) > limit else None
        items = [
            GroupView(group=name, stations=count, free_vend=free_vend_of(one), author=author)
            for name, count, one, author in found[:limit]
        ]
        return Page(items=items, next=after)

    @routes.put("/{group:path}", dependencies=[access.require(ADMINISTER)])
    async def put(group: Annotated[GroupPath, NO_DOTS], author: Author, body: GroupBody) -> GroupBody:
        """Sets what holds for the stations of a group, of which the first counts that says something.

        What a station says itself comes before. The same again changes nothing.
        """
        await settings.set_free_vend(group, account_of(body.free_vend), author)
        return body

    return routes
