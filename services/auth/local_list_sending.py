"""Brings local lists to stations: gathers what was changed, asks stations for their versions, and sends (D01, D02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.auth import local_lists_store as lists_store
from services.auth.dialects.local_lists import BY_VERSION
from services.auth.domain import list_progress as domain
from services.auth.domain.list_progress import AskVersion, ListProgress, Trouble, plan
from services.auth.domain.local_lists import LONGEST_LIST, Entries, Message, fingerprint, mark
from services.auth.local_lists import Assignment, Desired, limits_of
from services.auth.remote import GET_LIST_VERSION, SEND_LIST, cleared_token, heard_of, list_version_of, sent_version_of
from services.auth.store import Store
from services.common.commands.command import Command
from services.common.commands.routes import Routes
from services.common.commands.service import CommandRequest, CommandService
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.wakeup import Wakeup

# Stations that are looked at in one turn; seconds between turns, and that a message waits for a station which is here.
AT_ONCE, EVERY_SECONDS, EXPIRES_IN = 200, 1.0, 60.0
# Changes of idTokens are gathered for so long. Every list is checked so often, for idTokens that have expired since.
GATHERED, CHECKED = timedelta(seconds=3), timedelta(minutes=10)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalListSending:
    """Many processes may run it. most: stations that are asked something at a time; 0: none is."""

    store: Store
    command_service: CommandService
    routes: Routes
    clock: Clock
    most: int
    wake: Wakeup

    async def run(self) -> None:
        """Until cancelled."""
        await self.command_service.stations.wait()
        while True:
            try:
                await self.settle()
            except Unavailable as error:
                log.warning("local lists wait", reason=str(error))
            await self.wake.wait(EVERY_SECONDS)

    async def settle(self) -> None:
        """All that is due now. Raises Unavailable."""
        async with self.store.database.connection() as db:
            now = self.clock()
            groups = await lists_store.gathered(db, now - GATHERED, now - CHECKED)
        for group in groups:
            await self.check(group)
        while await self.turn() == AT_ONCE:
            pass

    async def check(self, group: str) -> None:
        """Has its stations looked at, where its list has become another one."""
        now = self.clock()
        async with self.store.unit_of_work() as work:
            if (found := await lists_store.lock_list(work.db, group)) is None:
                return await lists_store.forget_changes(work.db, group, now)
            document, before = found
            content = mark(await lists_store.tokens(work.db, lists_store.rule_of(document)), now)
            await lists_store.forget_changes(work.db, group, now)
            if content != before:
                await lists_store.members_due(work.db, group, now, all_=False)
            await lists_store.checked(work.db, group, content, now)
            await lists_store.forget_contents(work.db, now)
        return None

    async def turn(self) -> int:
        """Looks at some stations that are due: at how many."""
        now = self.clock()
        async with self.store.unit_of_work() as work:
            room = self.most - await lists_store.waiting(work.db)
            claimed = await lists_store.claim(work.db, now, AT_ONCE) if room > 0 else []
            if not claimed:
                return 0
            routes = await self.routes.find([one.station_id for one in claimed])
            versions = {id_: route.version for id_, route in routes.items() if route.version in BY_VERSION}
            here = [domain.speaking(one, versions[one.station_id]) for one in claimed if one.station_id in versions]
            await lists_store.save(
                work.db, [domain.away(one, now) for one in claimed if one.station_id not in versions]
            )
            asked = await self._look(work.db, here, room, now)
        if asked:
            self.command_service.notify_changed()
            self.command_service.nudge()
        # What there was no room for is looked at when there is.
        return len(claimed) if asked < room else 0

    async def _look(self, db: Connection, here: Sequence[ListProgress], room: int, now: datetime) -> int:
        """At stations that are here: how many are asked something. room: how many may be."""
        desired = await Desired(db, self.clock).of({one.station_id: one.ocpp_version or "" for one in here})
        contents = await lists_store.contents(db, here, BY_VERSION)
        settled, new = list[ListProgress](), dict[str, Entries]()
        asked = list[tuple[ListProgress, AskVersion | Message]]()
        for one in here:
            action = self._plan(one, desired.get(one.station_id), contents)
            if isinstance(action, AskVersion | Message):
                asked.append((one, action))
            else:
                settled.append(domain.idle(one, now, action))
                _log(one, action)
        asked = asked[:room]
        commands = await self.command_service.add(db, [_request(one, action) for one, action in asked])
        for (one, action), command in zip(asked, commands, strict=True):
            if isinstance(action, Message):
                new[content := fingerprint(action.after)] = action.after
                settled.append(domain.sending(one, command.id, content, action.version, whole=action.whole))
            else:
                settled.append(domain.asking(one, command.id))
        await lists_store.keep(db, new, now)
        await lists_store.save(db, settled)
        return len(asked)

    def _plan(
        self, one: ListProgress, wanted: Assignment | None, contents: dict[str, Entries]
    ) -> AskVersion | Message | Trouble | None:
        """A station of which no list is desired keeps what it has."""
        if wanted is None:
            return None
        if len(wanted.entries) > LONGEST_LIST:
            return Trouble.TOO_LARGE
        words, limits = BY_VERSION[one.ocpp_version or ""], limits_of(self.command_service.stations, one.station_id)
        return plan(one, contents.get(one.known or ""), wanted.entries, words, limits, wanted.withdrawn)


def _request(one: ListProgress, action: AskVersion | Message) -> CommandRequest:
    if isinstance(action, AskVersion):
        return CommandRequest(one.station_id, GET_LIST_VERSION, {}, EXPIRES_IN)
    payload = BY_VERSION[one.ocpp_version or ""].message(action.version, action.whole, action.items)
    return CommandRequest(one.station_id, SEND_LIST, payload, EXPIRES_IN)


def _log(one: ListProgress, trouble: Trouble | None) -> None:
    if trouble is not None and trouble is not one.trouble:
        log.warning("a station cannot have its local list", station_id=one.station_id, why=trouble.value)


async def on_ended(db: Connection, commands: Sequence[Command]) -> None:
    """Takes what stations said, within the transaction that says so; of lists that others sent, and customers too."""
    about = [one for one in commands if one.action in (SEND_LIST, GET_LIST_VERSION) or cleared_token(one)]
    if not about:
        return
    held = await lists_store.lock(db, {one.station_id for one in about})
    after = dict(held)
    for command in about:
        if command.station_id in after:
            after[command.station_id] = _after(after[command.station_id], command)
    await lists_store.save(db, [one for id_, one in after.items() if one is not held[id_]])
    cleared = [(one, key) for one in about if one.station_id in held and (key := cleared_token(one))]
    await lists_store.withdraw(db, [(one.station_id, key, _ended(one)) for one, key in cleared])


def _after(progress: ListProgress, command: Command) -> ListProgress:
    at = _ended(command)
    if command.action not in (SEND_LIST, GET_LIST_VERSION):
        # N10.FR.02: it forgets its list of nobody, so that this side takes the customer off it.
        return domain.due(progress, at)
    heard, reason = heard_of(command)
    awaited = command.id == progress.command_id
    if command.action == GET_LIST_VERSION:
        return domain.told_version(progress, list_version_of(command), heard, reason, at) if awaited else progress
    if awaited:
        return domain.replied(progress, heard, reason, at)
    if command.id == progress.sent_id:
        return domain.replied_late(progress, sent_version_of(command), heard, at)
    # By somebody else, or an older one: who knows when the station took it.
    return domain.forgotten(progress, at) if heard in (domain.Heard.ACCEPTED, domain.Heard.LOST) else progress


def _ended(command: Command) -> datetime:
    assert command.ended_at is not None, "it has ended"
    return command.ended_at
