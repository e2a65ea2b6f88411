"""REST of what is desired of groups of stations, and of how their stations stand to it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.common.desired.group_store import GroupDocument
from services.common.desired.groups import MISSING, DesiredGroups
from services.common.desired.resource import desired_of
from services.common.postgres.database import Connection
from services.common.web.access import Access, Author
from services.common.web.fields import NO_DOTS, NO_NUL
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page
from services.firmware.configuration import group_settings, reads, settings_store
from services.firmware.configuration.api.views import DesiredSettings, GroupView, StationDifferences
from services.firmware.configuration.domain.settings import Setting
from services.firmware.configuration.group_settings import GroupSettings
from services.firmware.configuration.reads import GroupMember
from services.firmware.configuration.requests import invalid
from services.firmware.configuration.resource import RESOURCE, by_name
from services.firmware.rights import ADMINISTER, READ

Group = Annotated[
    str, Path(min_length=1, max_length=255, pattern=NO_NUL, description="a group that stations are registered in")
]


def router(groups: DesiredGroups, access: Access) -> APIRouter:
    """Everything under /v1/groups/{group}/configuration."""
    all_, prefix = APIRouter(), "/v1/groups/{group}/configuration"
    for routes, scope in ((_read_routes(groups), READ), (_write_routes(groups), ADMINISTER)):
        all_.include_router(routes, prefix=prefix, tags=["groups"], dependencies=[access.require(scope)])
    return all_


def _read_routes(groups: DesiredGroups) -> APIRouter:
    routes = APIRouter()

    @routes.get("", responses=problem_responses({404: MISSING}))
    async def configuration(group: Group) -> GroupView:
        """What is desired of the stations of a group."""
        return GroupView.of(await groups.get(group), len(groups.members(group)))

    @routes.get("/differences", responses=problem_responses({404: MISSING}))
    async def differences(
        group: Group,
        everything: Annotated[bool, Query(alias="all", description="settings that do not differ, too")] = False,
        in_sync: Annotated[
            bool | None, Query(description="only stations that have all settings as desired, or that do not")
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[StationDifferences]:
        """How each station of the group stands to what is desired of it, by id; those that never were here too."""

        async def compare(
            db: Connection, document: GroupDocument, station_ids: Sequence[str]
        ) -> Sequence[StationDifferences]:
            return await _compare(db, groups, document, station_ids, everything)

        return await groups.differences(
            group, compare, lambda one: in_sync in (None, one.in_sync), limit=limit, cursor=cursor
        )

    return routes


async def _compare(
    db: Connection, groups: DesiredGroups, document: GroupDocument, station_ids: Sequence[str], everything: bool
) -> list[StationDifferences]:
    """How stations stand to what is desired of the group; where a group before it says otherwise, in conflict."""
    stations = await reads.members(db, station_ids)
    desired = {one.station_id: RESOURCE.values(document, one.version or "") for one in stations}
    known: dict[str, dict[str, Setting]] = {id_: {} for id_ in desired}
    keys = {(id_, key) for id_, values in desired.items() for key in values}
    for (id_, key), setting in (await settings_store.load(db, keys)).items():
        known[id_][key] = setting
    conflicts = await _conflicts(db, groups, document.group, stations)
    return [
        StationDifferences.of(
            one,
            by_name(desired[one.station_id].values()),
            known=known[one.station_id],
            conflicts=conflicts[one.station_id],
            everything=everything,
        )
        for one in stations
    ]


async def _conflicts(
    db: Connection, groups: DesiredGroups, group: str, stations: Sequence[GroupMember]
) -> dict[str, set[str]]:
    """Keys of settings of which a group before this one says otherwise, by station."""
    order = {one.station_id: groups.stations.registration(one.station_id).groups for one in stations}
    documents = await groups.groups.load(db, {name for names in order.values() for name in names})
    found: dict[str, set[str]] = {}
    for one in stations:
        desired = desired_of(RESOURCE, order[one.station_id], documents, one.version or "")
        found[one.station_id] = {key for key, wanted in desired.items() if group in wanted.conflicts}
    return found


def _write_routes(groups: DesiredGroups) -> APIRouter:
    routes = APIRouter()

    @routes.put("")
    async def desire(group: Annotated[Group, NO_DOTS], author: Author, body: DesiredSettings) -> GroupView:
        """Replaces the settings that the stations of the group are to have.

        Stations that are here are read and set now, in turns; the others when they are back or boot. A station that
        changes its group is set when it boots.
        """
        if found := list(group_settings.faults(body.settings, body.versions)):
            raise invalid(found)
        members = groups.members(group)
        document = await groups.put(group, GroupSettings(body.settings, body.versions).content(), author)
        return GroupView.of(document, len(members))

    @routes.delete("", status_code=204, responses=problem_responses({404: MISSING}))
    async def leave(group: Group, author: Author) -> Response:
        """Keeps no settings for the group any more; its stations stay as they are."""
        await groups.remove(group, author)
        return Response(status_code=204)

    return routes
