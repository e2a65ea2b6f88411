"""REST of what is desired of groups of stations, and of how their stations stand to it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.common.calls.stations import Filter
from services.common.commands.service import CommandService
from services.common.postgres.database import Connection
from services.common.web.access import Access
from services.common.web.fields import NO_NUL
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem
from services.firmware.configuration import group_settings, reads, settings_store, steps_store
from services.firmware.configuration.api.views import GroupView, StationDifferences, ToDesire
from services.firmware.configuration.domain.settings import Setting, key
from services.firmware.configuration.group_settings import Desired
from services.firmware.configuration.requests import SettingsRequests, faulty

READ, WRITE = "firmware:read", "firmware:write"
# Stations that are looked at in one go.
AT_ONCE = 500
MISSING = "nothing is desired of this group"
Group = Annotated[str, Path(min_length=1, max_length=255, pattern=NO_NUL, description="as stations are registered in")]


def router(asking: SettingsRequests, access: Access) -> APIRouter:
    """Everything under /v1/groups/{group}/configuration."""
    whole, prefix = APIRouter(), "/v1/groups/{group}/configuration"
    for routes, scope in ((_reading(asking), READ), (_acting(asking), WRITE)):
        whole.include_router(routes, prefix=prefix, tags=["groups"], dependencies=[access.require(scope)])
    return whole


def _reading(asking: SettingsRequests) -> APIRouter:
    routes = APIRouter()

    @routes.get("", responses=problem_responses({404: MISSING}))
    async def configuration(group: Group) -> GroupView:
        """What is desired of the stations of a group."""
        return GroupView.of(await _desired(asking, group), len(_members(asking.command_service, group)))

    @routes.get("/differences", responses=problem_responses({404: MISSING}))
    async def differences(
        group: Group,
        everything: Annotated[bool, Query(alias="all", description="what is as desired too")] = False,
        in_sync: Annotated[bool | None, Query(description="only stations that are, or are not")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[StationDifferences]:
        """How each station of the group stands to what is desired of it, by id; those that never were here too."""
        wanted, position = await _desired(asking, group), read_cursor(cursor, str)
        after = str(position[0]) if position else ""
        members = [id_ for id_ in _members(asking.command_service, group) if id_ > after]
        found: list[StationDifferences] = []
        async with asking.database.connection() as db:
            for start in range(0, len(members), AT_ONCE):
                stood = await _stand(db, wanted, members[start : start + AT_ONCE], everything)
                found += [one for one in stood if in_sync in (None, one.in_sync)]
                if len(found) > limit:
                    break
        return Page(items=found[:limit], next=write_cursor(found[limit - 1].station_id) if len(found) > limit else None)

    return routes


async def _stand(db: Connection, wanted: Desired, members: Sequence[str], everything: bool) -> list[StationDifferences]:
    """How stations stand to what is desired."""
    stations = await reads.members(db, members)
    named = {one.station_id: wanted.of(one.version) for one in stations}
    keys = {(id_, key(name)) for id_, values in named.items() for name in values}
    known: dict[str, dict[str, Setting]] = {id_: {} for id_ in named}
    for (id_, one), setting in (await settings_store.load(db, keys)).items():
        known[id_][one] = setting
    return [StationDifferences.of(one, named[one.station_id], known[one.station_id], everything) for one in stations]


def _acting(asking: SettingsRequests) -> APIRouter:
    routes = APIRouter()

    @routes.put("")
    async def desire(group: Group, body: ToDesire) -> GroupView:
        """From now on desired of the group, instead of what was.

        Stations that are here are read and set now, in turns; the others when they are back or boot. A station that
        changes its group is set when it boots.
        """
        if found := list(group_settings.faults(body.settings, body.versions)):
            raise faulty(found)
        now, members = asking.clock(), _members(asking.command_service, group)
        wanted = Desired(group, body.settings, body.versions, now)
        async with asking.database.transaction() as db:
            await group_settings.save(db, wanted)
            await steps_store.mark_due(db, members, now)
        return GroupView.of(wanted, len(members))

    @routes.delete("", status_code=204, responses=problem_responses({404: MISSING}))
    async def leave(group: Group) -> Response:
        """Nothing is desired any more; stations keep what they have."""
        async with asking.database.transaction() as db:
            if not await group_settings.remove(db, group):
                raise Problem(404, MISSING)
        return Response(status_code=204)

    return routes


async def _desired(asking: SettingsRequests, group: str) -> Desired:
    async with asking.database.connection() as db:
        found = (await group_settings.load(db, [group])).get(group)
    if found is None:
        raise Problem(404, MISSING)
    return found


def _members(command_service: CommandService, group: str) -> list[str]:
    """The stations of a group by id. Raises Problem."""
    if not command_service.stations.ready():
        raise Problem(503, "not all stations are known yet: try again", headers={"Retry-After": "1"})
    return command_service.stations.chosen(Filter(group=group))
