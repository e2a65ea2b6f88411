"""What REST of groups does with what is desired of them: keeps it, shows it, and shows which stations differ."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

from google.protobuf.message import Message

from services.common.calls.stations import StationFilter, Stations
from services.common.desired.group_store import GroupDocument, GroupStore
from services.common.desired.progress_store import ProgressStore
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.web.pages import Page, read_cursor, write_cursor
from services.common.web.problems import Problem

# Stations that are compared in one go.
AT_ONCE = 500
MISSING = "no settings are kept for this group"


class OfStation(Protocol):
    """What is shown of a station."""

    station_id: str


S = TypeVar("S", bound=OfStation)
# How stations stand to a document, in their order; those that were never here too.
Compare: TypeAlias = Callable[[Connection, GroupDocument, Sequence[str]], Awaitable[Sequence[S]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredGroups:
    """One kind of desired state. nudge: the reconciler's.

    changed, removed: what is told of a group; each has group, at and author.
    """

    database: Database
    stations: Stations
    groups: GroupStore
    progress: ProgressStore
    nudge: Callable[[], None]
    announcer: Announcer
    changed: Callable[..., Message]
    removed: Callable[..., Message]
    clock: Clock

    def members(self, group: str) -> list[str]:
        """The stations of a group by id. Raises Problem."""
        if not self.stations.ready():
            raise Problem(
                503, "the service is still reading which stations there are: try again", headers={"Retry-After": "1"}
            )
        return self.stations.matching(StationFilter(group=group))

    async def get(self, group: str) -> GroupDocument:
        """Raises Problem where nothing is desired of it."""
        async with self.database.connection() as db:
            found = (await self.groups.load(db, [group])).get(group)
        if found is None:
            raise Problem(404, MISSING)
        return found

    async def put(self, group: str, content: Any, author: str | None = None) -> GroupDocument:
        """From now on desired of the group, instead of what was: its stations are due. Raises Problem."""
        document, members = GroupDocument(group, content, self.clock(), author), self.members(group)
        async with self.database.transaction() as db:
            await self.groups.save(db, document)
            await self.progress.mark_due(db, members, document.changed_at)
            await self._tell(db, self.changed, group, document.changed_at, author)
        self.announcer.wake()
        self.nudge()
        return document

    async def remove(self, group: str, author: str | None = None) -> None:
        """Nothing is desired any more; stations keep what they have. Raises Problem."""
        async with self.database.transaction() as db:
            if not await self.groups.remove(db, group):
                raise Problem(404, MISSING)
            await self._tell(db, self.removed, group, self.clock(), author)
        self.announcer.wake()

    async def _tell(
        self, db: Connection, event: Callable[..., Message], group: str, at: datetime, author: str | None
    ) -> None:
        await self.announcer.add(db, event(group=group, at=at, author=author or ""), group, at)

    async def differences(
        self, group: str, compare: Compare[S], shown: Callable[[S], bool], *, limit: int, cursor: str | None
    ) -> "Page[S]":
        """How each station of the group stands to what is desired, by id. shown: which of them. Raises Problem."""
        document, position = await self.get(group), read_cursor(cursor, str)
        after = str(position[0]) if position else ""
        members = [id_ for id_ in self.members(group) if id_ > after]
        found: list[S] = []
        async with self.database.connection() as db:
            for start in range(0, len(members), AT_ONCE):
                compared = await compare(db, document, members[start : start + AT_ONCE])
                found += [one for one in compared if shown(one)]
                if len(found) > limit:
                    break
        return Page(items=found[:limit], next=write_cursor(found[limit - 1].station_id) if len(found) > limit else None)
