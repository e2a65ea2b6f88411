"""What operators do with local lists of groups."""

from collections.abc import Callable
from dataclasses import dataclass

from services.auth import local_lists_store as lists_store
from services.auth.domain.local_lists import LONGEST_LIST, UNLISTED, ListRule
from services.auth.local_lists import Desired
from services.auth.store import Store, UnitOfWork
from services.common.calls.stations import Stations
from services.common.desired.group_store import GroupDocument
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import VoltbusError
from services.ocpp.id_tokens import token_key
from voltbus.v1.events_pb2 import GroupLocalListChanged, GroupLocalListRemoved


class Unlistable(VoltbusError):
    """An idToken that no list can have. id_token: as it was given. why: for people, without it."""

    def __init__(self, id_token: str, why: str) -> None:
        super().__init__(why)
        self.id_token, self.why = id_token, why


class TooLong(VoltbusError):
    """A list that is longer than all of its stations can keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalListDesires:
    """wake: begins a turn of LocalListSending."""

    store: Store
    stations: Stations
    announcer: Announcer
    clock: Clock
    wake: Callable[[], None]

    def desired(self, db: Connection) -> Desired:
        return Desired(db, self.clock)

    async def put(self, group: str, rule: ListRule, author: str | None) -> tuple[GroupDocument, int]:
        """From now on the list of the group, and how many entries it has. The same again changes nothing.

        Raises Unlistable, TooLong.
        """
        document = GroupDocument(group, lists_store.content(rule), self.clock(), author)
        async with self.store.unit_of_work() as work:
            await _require_listable(work, rule)
            entries = await self.desired(work.db).count(rule)
            await self._require_short(work.db, group, entries)
            before = await lists_store.lock_list(work.db, group)
            if before and before[0].content == document.content:
                return before[0], entries
            await lists_store.LISTS.save(work.db, document)
            await lists_store.list_again(work.db, group)
            await lists_store.members_due(work.db, group, document.changed_at, all_=True)
            event = GroupLocalListChanged(group=group, at=document.changed_at, author=author or "")
            await self.announcer.add(work.db, event, group, document.changed_at)
        self.wake()
        return document, entries

    async def remove(self, group: str, author: str | None) -> bool:
        """Whether there was a list; stations keep what they have, or get that of another group of theirs."""
        now = self.clock()
        async with self.store.unit_of_work() as work:
            if not await lists_store.LISTS.remove(work.db, group):
                return False
            await lists_store.members_due(work.db, group, now, all_=True)
            await self.announcer.add(
                work.db, GroupLocalListRemoved(group=group, at=now, author=author or ""), group, now
            )
        self.wake()
        return True

    async def _require_short(self, db: Connection, group: str, length: int) -> None:
        """Of what stations have said that they keep. Raises TooLong."""
        if length > LONGEST_LIST:
            raise TooLong(f"comes to more than {LONGEST_LIST} idTokens, and no list has more")
        kept = [
            most
            for id_ in await lists_store.member_ids(db, group)
            if (most := self.stations.capabilities(id_).local_list_entries) is not None and most < length
        ]
        if kept:
            raise TooLong(f"comes to {length} idTokens: {len(kept)} stations of the group keep fewer, one {min(kept)}")


async def _require_listable(work: UnitOfWork, rule: ListRule) -> None:
    """Raises Unlistable."""
    known = await work.find_registered(rule.keys)
    for id_token in rule.id_tokens:
        if (found := known.get(token_key(id_token))) is None:
            raise Unlistable(id_token, "no such idToken is registered")
        if found.token.type in UNLISTED:
            raise Unlistable(id_token, f"no local list has idTokens of type {found.token.type}")
