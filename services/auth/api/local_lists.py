"""REST of local authorization lists: what is wanted of groups, and how stations stand to it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.auth import local_lists_store as lists_store
from services.auth.api.fields import AUTHOR, ID_TOKEN, OPERATE, READ, GroupId, StationId, not_found
from services.auth.dialects.local_lists import BY_VERSION
from services.auth.domain.list_progress import ListProgress, Step, Trouble
from services.auth.domain.local_lists import LONGEST_LIST, Entries, Entry, ListRule, changes
from services.auth.local_list_desires import LocalListDesires, TooLong, Unlistable
from services.auth.local_lists import RICHEST, Assignment
from services.common.calls.stations import Stations
from services.common.desired.group_store import GroupDocument
from services.common.postgres.database import Connection
from services.common.web.access import Access, Author
from services.common.web.fields import NO_DOTS
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem, field_problem
from services.ocpp.id_tokens import LONGEST_ID_TOKEN

GroupPath = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["vienna"])]
NamedToken = Annotated[str, Field(min_length=1, max_length=LONGEST_ID_TOKEN, pattern=ID_TOKEN)]
NO_LIST, NO_LIST_FOR_STATION = "no local list is kept for this group", "none of its groups has a local list"
# Of a difference, and of stations whose list would be too long.
SHOWN = 100


class ListState(StrEnum):
    """How a station stands to its list."""

    IN_SYNC = "in_sync"
    PENDING = "pending"
    FAILED = "failed"


STATES = "in_sync; pending: it is asked, or is when it is back; failed: see trouble"


class LocalListBody(BaseModel):
    """What the local lists of the stations of a group are to have. Without either, they are to be empty."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"token_groups": ["FLEET-7"], "id_tokens": ["04A2B3C4D5E6F7"]}]},
    )

    token_groups: list[GroupId] = Field(
        default_factory=list, max_length=100, description="all of their idTokens that are accepted"
    )
    id_tokens: list[NamedToken] = Field(
        default_factory=list,
        max_length=LONGEST_LIST,
        description="these, with the status that they have: one that is blocked or has expired is listed as such",
    )


class LocalListView(BaseModel):
    """The local list of a group."""

    group: str = Field(examples=["vienna"])
    token_groups: list[str]
    id_tokens: list[str]
    entries: int = Field(description="idTokens that this comes to now, for a station where all of them may charge")
    stations: int = Field(description="how many are in the group")
    changed_at: datetime
    author: str | None = Field(description=AUTHOR)


class StationListState(BaseModel):
    """How a station stands to its local list."""

    station_id: str
    group: str = Field(description="the first of its groups that has a list: that is the one that counts")
    conflicts: list[str] = Field(description="groups of it that come after, and have one too")
    state: ListState = Field(description=STATES)
    trouble: Trouble | None = Field(
        description="unsupported: it has no local lists, and is asked again when it is back; too_large: more than it "
        "keeps; refused: it took neither changes nor the whole list, and gets it again later; unanswered: it does not "
        "answer"
    )
    reason: str | None = Field(description="in the station's words")
    version: int | None = Field(description="of the list that it has, as it last said; null: it was never asked")
    changed_at: datetime | None = Field(description="when it last said something of its list")
    entries: int = Field(description="idTokens that it is to have")
    left_out: int = Field(description="idTokens that its version of OCPP has no room for")
    withdrawn: int = Field(description="idTokens that it was told to forget, and is not sent before they are changed")


class LocalListDifference(BaseModel):
    """What is missing on a station, and what it has beyond; null: what it has is not known, and it gets all."""

    put: int
    remove: int
    put_tokens: list[str] = Field(description=f"the first {SHOWN}")
    remove_tokens: list[str] = Field(description=f"the first {SHOWN}")


class StationLocalList(StationListState):
    """The same with the difference."""

    difference: LocalListDifference | None = Field(description="null: what it has is not known, and it gets all")


def router(desires: LocalListDesires, known: Stations, access: Access) -> APIRouter:
    """/v1/groups/{group}/local-list and /v1/stations/{station_id}/local-list."""
    routes = APIRouter(prefix="/v1", tags=["local lists"])
    read, write = [access.require(READ)], [access.require(OPERATE)]
    missing = problem_responses({404: NO_LIST})

    @routes.put("/groups/{group:path}/local-list", dependencies=write)
    async def put(group: Annotated[GroupPath, NO_DOTS], author: Author, body: LocalListBody) -> LocalListView:
        """Replaces what the local lists of the stations of a group are to have.

        Stations that are here get it now, in turns; the others when they are back.
        """
        rule = ListRule(tuple(dict.fromkeys(body.token_groups)), tuple(dict.fromkeys(body.id_tokens)))
        try:
            return await _view(*await desires.put(group, rule, author))
        except Unlistable as error:
            raise field_problem(f"body.id_tokens.{body.id_tokens.index(error.id_token)}", error.why) from None
        except TooLong as error:
            raise field_problem("body", str(error)) from None

    @routes.get("/groups/{group:path}/local-list", dependencies=read, responses=missing)
    async def get(group: GroupPath) -> LocalListView:
        """What the local lists of the stations of a group are to have."""
        document = await _document(group)
        async with desires.store.database.connection() as db:
            entries = await desires.desired(db).count(lists_store.rule_of(document))
        return await _view(document, entries)

    @routes.delete("/groups/{group:path}/local-list", dependencies=write, status_code=204, responses=missing)
    async def remove(group: GroupPath, author: Author) -> Response:
        """Keeps no local list for the group any more; its stations keep what they have."""
        if not await desires.remove(group, author):
            raise Problem(404, NO_LIST)
        return Response(status_code=204)

    @routes.get("/groups/{group:path}/local-list/differences", dependencies=read, responses=missing)
    async def differences(
        group: GroupPath,
        state: Annotated[ListState | None, Query(description=STATES)] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[StationListState]:
        """How each station of the group stands to the list that counts for it, by id."""
        await _document(group)
        position = read_cursor(cursor, str)
        after, found = str(position[0]) if position else "", list[StationListState]()
        async with desires.store.database.list_connection() as db:
            while members := await lists_store.members(db, group, after, SHOWN):
                after = max(members)
                found += [one for one in await _states(db, list(members)) if state in (None, one.state)]
                if len(found) > limit:
                    break
        more = len(found) > limit
        return Page(items=found[:limit], next=write_cursor(found[limit - 1].station_id) if more else None)

    @routes.get(
        "/stations/{station_id}/local-list",
        dependencies=read,
        responses=problem_responses({404: f"there is no such station, or {NO_LIST_FOR_STATION}"}),
    )
    async def of_station(station_id: StationId) -> StationLocalList:
        """How a station stands to its local list, and what is different."""
        async with desires.store.database.connection() as db:
            if not await lists_store.groups_of(db, [station_id]):
                raise not_found("station")
            progress, wanted = await _read(db, [station_id])
            if station_id not in wanted:
                raise Problem(404, NO_LIST_FOR_STATION)
            one = progress.get(station_id)
            contents = await lists_store.contents(db, [one] if one else [], BY_VERSION)
        different = _difference(one, contents, wanted[station_id])
        return StationLocalList(**_state(station_id, one, wanted[station_id]), difference=different)

    async def _document(group: str) -> GroupDocument:
        async with desires.store.database.connection() as db:
            if (found := (await lists_store.LISTS.load(db, [group])).get(group)) is None:
                raise Problem(404, NO_LIST)
        return found

    async def _view(document: GroupDocument, entries: int) -> LocalListView:
        rule = lists_store.rule_of(document)
        async with desires.store.database.connection() as db:
            stations = await lists_store.count_members(db, document.group)
        return LocalListView(
            group=document.group,
            token_groups=list(rule.token_groups),
            id_tokens=list(rule.id_tokens),
            entries=entries,
            stations=stations,
            changed_at=document.changed_at,
            author=document.author,
        )

    async def _states(db: Connection, station_ids: list[str]) -> list[StationListState]:
        progress, wanted = await _read(db, station_ids)
        return [StationListState(**_state(id_, progress.get(id_), wanted[id_])) for id_ in station_ids if id_ in wanted]

    async def _read(
        db: Connection, station_ids: list[str]
    ) -> tuple[Mapping[str, ListProgress], Mapping[str, Assignment]]:
        progress = await lists_store.read(db, station_ids)
        said = {id_: (id_ in progress and progress[id_].ocpp_version) or known.version(id_) for id_ in station_ids}
        versions = {id_: version if version in BY_VERSION else RICHEST for id_, version in said.items()}
        return progress, await desires.desired(db).of({id_: version or "" for id_, version in versions.items()})

    return routes


def _state(station_id: str, one: ListProgress | None, wanted: Assignment) -> dict[str, Any]:
    state = ListState.PENDING
    if one and one.trouble:
        state = ListState.FAILED
    elif one and one.step is Step.IDLE:
        state = ListState.IN_SYNC
    return {
        "station_id": station_id,
        "group": wanted.group,
        "conflicts": list(wanted.conflicts),
        "state": state,
        "trouble": one and one.trouble,
        "reason": one and one.reason,
        "version": one and one.version,
        "changed_at": one and one.changed_at,
        "entries": len(wanted.entries),
        "left_out": wanted.left_out,
        "withdrawn": len(wanted.withdrawn),
    }


def _difference(
    one: ListProgress | None, contents: Mapping[str, Entries], wanted: Assignment
) -> LocalListDifference | None:
    if one is None or (has := contents.get(one.known or "")) is None:
        return None
    said = changes(has, wanted.entries, BY_VERSION[one.ocpp_version or ""])
    put = [_name(entry) for key, entry in said if key in wanted.entries]
    gone = [_name(entry) for key, entry in said if key not in wanted.entries]
    return LocalListDifference(put=len(put), remove=len(gone), put_tokens=put[:SHOWN], remove_tokens=gone[:SHOWN])


def _name(entry: Entry) -> str:
    """The idToken of an entry."""
    return str(entry["idTag"] if "idTag" in entry else entry["idToken"]["idToken"])
