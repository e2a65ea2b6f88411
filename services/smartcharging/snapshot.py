"""A site as the tables have it: loaded for a look, and written back."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import orjson

from services.common.postgres.database import Connection
from services.smartcharging import store
from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, Outcome
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.plan import DrawSamples, SitePlan, in_tenths
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.site_state import ActiveSession, Evse, SiteState
from services.smartcharging.remote import outcome_of
from services.smartcharging.rows import (
    Row,
    applied_limit_row,
    read_applied_limit,
    read_draw_samples,
    read_session,
    read_site,
)

StoredLimits = Mapping[tuple[str, int, int], tuple[AppliedLimit, DrawMonitor]]


@dataclass(frozen=True, slots=True)
class SiteSnapshot:
    """situation, fates, drawn: what a look needs. kept: the holds as they are in the table. over: as it was told."""

    situation: SiteState
    fates: Mapping[str, Outcome]
    drawn: Mapping[Key, DrawSamples]
    kept: StoredLimits
    over: bool

    def measured(self, point: Evse) -> int | None:
        """The last sample of a session; None where there was none."""
        drawn = self.drawn.get(point.key)
        return in_tenths(self.situation.site, point.member, drawn, drawn.values[-1]) if drawn else None


async def load(db: Connection, row: asyncpg.Record) -> SiteSnapshot:
    """row: of the site."""
    site = read_site(row, await db.fetch(store.MEMBERS, row["site_id"]))
    names = [member.station_id for member in site.members]
    holds = await db.fetch(store.APPLIED_LIMITS, names)
    kept = {(hold["station_id"], hold["evse_id"], hold["session_id"]): read_applied_limit(hold) for hold in holds}
    members = {member.station_id: member for member in site.members}
    sessions = await db.fetch(store.SESSIONS, names)
    sessions = [one for one in sessions if members[one["station_id"]].covers(one["evse_id"])]
    situation = SiteState(
        site,
        await _stations(db, names),
        {(station, evse): hold for (station, evse, number), (hold, _) in kept.items() if number == 0},
        {(one["station_id"], one["evse_id"]): _active_session(one, kept) for one in sessions},
    )
    drawn = {(one["station_id"], one["evse_id"]): told for one in sessions if (told := read_draw_samples(one))}
    return SiteSnapshot(situation, _outcomes(holds), drawn, kept, row["over_committed"])


async def save(db: Connection, board: SiteSnapshot, outlook: SitePlan) -> None:
    """What the look has changed."""
    situation = outlook.situation
    after: dict[tuple[str, int, int], tuple[AppliedLimit, DrawMonitor]] = {}
    for (station, evse), hold in situation.defaults.items():
        after[station, evse, 0] = hold, DrawMonitor()
    for (station, evse), one in situation.charging.items():
        after[station, evse, one.session.id] = one.hold, one.watch
    rows: list[Row] = [applied_limit_row(*key, *what) for key, what in after.items() if board.kept.get(key) != what]
    await store.save_applied_limits(db, rows)
    names = [member.station_id for member in situation.site.members]
    if any(key not in after for key in board.kept):
        await store.drop_applied_limits(db, names, [one.session.id for one in situation.charging.values()])
    await store.save_due(db, situation.site.site_id, outlook.again, outlook.shares.over)


async def _stations(db: Connection, names: list[str]) -> dict[str, Presence]:
    known = await store.load_stations(db, names)
    return {name: known.get(name, Presence(name)) for name in names}


def _active_session(row: asyncpg.Record, kept: StoredLimits) -> ActiveSession:
    hold, watch = kept.get((row["station_id"], row["evse_id"], row["id"]), (AppliedLimit(), DrawMonitor()))
    return ActiveSession(read_session(row), hold, watch)


def _outcomes(holds: list[asyncpg.Record]) -> dict[str, Outcome]:
    return {
        hold["command_id"]: outcome_of(
            store.command_end(hold), orjson.loads(hold["response"]) if hold["response"] else None
        )
        for hold in holds
        if hold["command_id"]
    }
