"""Fills in where the stations of transactions were, of those of before that was kept: as they are registered now."""

import asyncio
from dataclasses import dataclass

import orjson
import structlog

from services.common.kafka.events import AssignmentOf
from services.common.postgres.database import Database
from services.common.process.errors import Unavailable

# Rows that are filled in together, and seconds between two lots, in which others have their turn.
AT_ONCE, PAUSE = 500, 0.05
# Seconds between looks: while processes are upgraded one by one, those of before go on to begin such transactions.
EVERY_SECONDS = 600.0

# Newest first. What somebody else writes is left to the next look, so that nobody waits for two.
UNASSIGNED = """
select id, station_id from transaction where groups is null order by id desc limit $1 for update skip locked"""
FILL_IN = """
with assigned as (
    update transaction t set groups = p.groups, location_id = p.location_id
    from json_to_recordset($1::json) as p (id bigint, groups text[], location_id text)
    where t.id = p.id and t.groups is null
    returning t.id, t.groups)
insert into transaction_group (group_name, transaction_id)
select g.name, p.id from assigned p cross join unnest(p.groups) g (name)
on conflict do nothing"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AssignmentBackfill:
    """Many processes may run it. assignment_of: see AssignmentOf."""

    database: Database
    assignment_of: AssignmentOf

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if await self.once():
                    await asyncio.sleep(PAUSE)
                    continue
            except Unavailable as error:
                log.warning("transactions of before wait to have groups and location filled in", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> bool:
        """Some of them; whether there may be more."""
        async with self.database.transaction() as db:
            rows = await db.fetch(UNASSIGNED, AT_ONCE)
            if rows:
                await db.execute(FILL_IN, orjson.dumps([self._filled(*row) for row in rows]).decode())
        return len(rows) == AT_ONCE

    def _filled(self, number: int, station_id: str) -> dict[str, object]:
        groups, location_id = self.assignment_of(station_id)
        return {"id": number, "groups": groups, "location_id": location_id or None}
