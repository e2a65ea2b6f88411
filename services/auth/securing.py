"""Security profiles that rise: what gateways say of stations that came with a higher one, into their registrations."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from uuid import uuid4

import structlog

from services.auth.domain import stations as domain
from services.auth.store import Store
from services.common.kafka.bus import Record
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from voltbus.v1.bus_pb2 import OUTCOME_SECURED, Result

# Stations that are taken in one turn, and seconds between turns.
AT_ONCE = 200
EVERY_SECONDS = 1.0

KEEP = """
insert into reached_profile as r (station_id, profile, at)
select distinct on (station_id, profile) station_id, profile, at
from unnest($1::text[], $2::smallint[], $3::timestamptz[]) as u (station_id, profile, at)
order by station_id, profile, at desc
on conflict (station_id, profile) do update set at = greatest(r.at, excluded.at)"""
DUE = "select distinct station_id from reached_profile order by station_id limit $1"
TAKE = "delete from reached_profile where station_id = $1 returning profile, at"

log = structlog.get_logger()


async def keep(db: Connection, records: Sequence[Record]) -> None:
    """Takes what gateways say, within the caller's transaction. records: results of commands, among which it stands.

    A registration is changed by a task of its own: calls do not wait for imports of stations.
    """
    results = [Result.FromString(record.value or b"") for record in records]
    said = [(one.station_id, one.security_profile, one.at.ToDatetime(UTC)) for one in results if _is_profile(one)]
    if said:
        await db.execute(KEEP, *(list(column) for column in zip(*said, strict=True)))


def _is_profile(result: Result) -> bool:
    return result.outcome == OUTCOME_SECURED and 2 <= result.security_profile <= 3


@dataclass(frozen=True, slots=True)
class Securing:
    """Changes registrations. Many processes may run it."""

    store: Store
    clock: Clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.settle()
            except Unavailable as error:
                log.warning("security profiles wait", reason=str(error))

    async def settle(self) -> None:
        """All that waits now. Raises Unavailable."""
        async with self.store.database.connection() as db:
            due = [row["station_id"] for row in await db.fetch(DUE, AT_ONCE)]
        for station_id in due:
            await self._take(station_id)

    async def _take(self, station_id: str) -> None:
        async with self.store.change() as work:
            current = await work.station(station_id)
            reached = {row["profile"]: row["at"] for row in await work.db.fetch(TAKE, station_id)}
            if current is None or not reached:
                return
            decision = domain.secured(current, reached, self.clock())
            await work.save_station(decision, uuid4().hex)
        if decision.events:
            log.info("the security profile has risen", station_id=station_id, profile=decision.station.security_profile)
