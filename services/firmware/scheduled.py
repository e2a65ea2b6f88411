"""Follows what stations have put off (an answer Scheduled), until they have done it."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from services.common.commands import store as command_store
from services.common.commands.command import Command
from services.common.commands.service import CommandService
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.firmware import reads
from services.firmware.dialects import BY_VERSION
from services.firmware.domain.scheduled import UNWATCHED, PutOff, Request, Seen, Told, Watched, outcome, watch
from services.firmware.domain.station import Place, ports
from services.firmware.remote import AVAILABILITY, RESET

# What stations may put off, by the names of no version and by those of OCPP.
FOLLOWED = (AVAILABILITY, RESET, "ChangeAvailability", "Reset")
EVERY_SECONDS = 10.0

# What stations have agreed to since.
AGREED = """
select * from command
where station_id = any($1::text[]) and sent_at > $2 and action = any($3::text[])
    and effect in ('accepted', 'scheduled', 'done')"""
RUNNING = "select station_id, evse_id from session where station_id = any($1::text[]) and running"
BOOTED = "select station_id, booted_at from station where station_id = any($1::text[])"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledFollower:
    """Many processes may run it: what one has written down, another finds done. every: seconds.

    watched: by command, what was seen of sessions; after a restart, what has ended meanwhile is not known.
    """

    database: Database
    command_service: CommandService
    clock: Clock
    every: float = EVERY_SECONDS
    watched: dict[str, Watched] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self.every)
            try:
                await self.once()
            except Unavailable as error:
                log.warning("what stations have put off waits", reason=str(error))

    async def once(self) -> None:
        """Looks at all that is put off."""
        after = 0
        while True:
            async with self.database.connection() as db:
                commands = await command_store.scheduled(db, after)
                effects = await self._effects(db, commands)
            if effects:
                async with self.database.transaction() as db:
                    await self.command_service.follow(db, effects)
                self.command_service.notify_changed()
            if len(commands) < command_store.AT_ONCE:
                return
            after = commands[-1].number

    async def _effects(self, db: Connection, commands: Sequence[Command]) -> dict[str, Any]:
        """Of those that have come to an end, by command."""
        put_off = [one for command in commands if (one := _put_off(command))]
        if not put_off:
            return {}
        seen, now = await _seen(db, put_off), self.clock()
        running = await _running(db, [one.station_id for one in put_off])
        for one in put_off:
            known = self.watched.get(one.command_id, UNWATCHED)
            self.watched[one.command_id] = watch(known, one, running[one.station_id], now)
        found = {
            one.command_id: outcome(one, seen[one.station_id], now, self.watched[one.command_id]) for one in put_off
        }
        effects = {command_id: effect for command_id, effect in found.items() if effect}
        for command_id in effects:
            del self.watched[command_id]
        return effects


async def _running(db: Connection, names: Sequence[str]) -> defaultdict[str, set[int]]:
    """EVSEs where sessions go on, by station."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for row in await db.fetch(RUNNING, names):
        found[row["station_id"]].add(row["evse_id"])
    return found


def _put_off(command: Command) -> PutOff | None:
    """One that may be put off; None where it is of another kind."""
    request = _request(command)
    if request is None or command.sent_at is None:
        return None
    return PutOff(command.id, command.station_id, request, command.sent_at)


def _request(command: Command) -> Request | None:
    """What it asked of its station, in the words of which it was sent."""
    sent = command.request or {"action": command.action, "payload": command.payload}
    dialect = BY_VERSION.get(command.version or "")
    read = dialect.read_requests.get(sent["action"]) if dialect else None
    return read(sent["payload"]) if read else None


async def _seen(db: Connection, put_off: Sequence[PutOff]) -> dict[str, Seen]:
    """What is known of their stations."""
    names, since = sorted({one.station_id for one in put_off}), min(one.asked_at for one in put_off)
    told = await _statuses(db, names)
    booted = {row["station_id"]: row["booted_at"] for row in await db.fetch(BOOTED, names)}
    orders = await agreed(db, names, since)
    return {name: Seen(told.get(name, {}), booted.get(name), orders[name]) for name in names}


async def agreed(
    db: Connection, names: Sequence[str], since: datetime
) -> Mapping[str, Sequence[tuple[datetime, Request]]]:
    """What stations have agreed to since, with when it was sent, by station."""
    orders: defaultdict[str, list[tuple[datetime, Request]]] = defaultdict(list)
    for command in await command_store.fetch(db, AGREED, names, since, FOLLOWED):
        if one := _put_off(command):
            orders[one.station_id].append((one.asked_at, one.request))
    return orders


async def _statuses(db: Connection, names: Sequence[str]) -> Mapping[str, Mapping[Place, Told]]:
    """As connectors were last said to be."""
    return {
        station_id: {place: Told(each[place].status, each[place].received_at) for place in ports(each)}
        for station_id, each in (await reads.connectors(db, names)).items()
    }
