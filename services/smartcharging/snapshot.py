"""A site as the tables have it: loaded for a plan, and written back."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import orjson

from services.common.postgres.database import Connection
from services.smartcharging import store
from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import AppliedLimit, LimitKey, Outcome
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.plan import DrawSamples, SitePlan, in_tenths
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.site import Site
from services.smartcharging.domain.site_state import ActiveSession, Evse, SiteState
from services.smartcharging.remote import outcome_of
from services.smartcharging.rows import (
    applied_limit_row,
    read_applied_limit,
    read_draw_samples,
    read_session,
    read_site,
)

StoredLimits = Mapping[LimitKey, tuple[AppliedLimit, DrawMonitor]]


@dataclass(frozen=True, slots=True)
class SiteSnapshot:
    """state, outcomes, draws: what a plan needs. stored: the applied limits as in the table.

    over_committed: as published.
    """

    state: SiteState
    outcomes: Mapping[str, Outcome]
    draws: Mapping[Key, DrawSamples]
    stored: StoredLimits
    over_committed: bool

    def measured(self, evse: Evse) -> int | None:
        """The last sample of a session; None where there was none."""
        samples = self.draws.get(evse.key)
        return in_tenths(self.state.site, evse.member, samples.unit, samples.values[-1]) if samples else None


async def load(db: Connection, row: asyncpg.Record) -> SiteSnapshot:
    """row: of the site."""
    site = read_site(row, await db.fetch(store.MEMBERS, row["site_id"]))
    names = [member.station_id for member in site.members]
    limits = await db.fetch(store.APPLIED_LIMITS, names)
    stored = {
        (limit["station_id"], limit["evse_id"], limit["session_id"]): read_applied_limit(limit) for limit in limits
    }
    sessions = await _sessions(db, site)
    state = SiteState(
        site=site,
        stations=await _stations(db, names),
        defaults={(station, evse): applied for (station, evse, session), (applied, _) in stored.items() if not session},
        sessions={_key(session): _active_session(session, stored) for session in sessions},
    )
    return SiteSnapshot(
        state=state,
        outcomes=_outcomes(limits),
        draws={_key(session): samples for session in sessions if (samples := read_draw_samples(session))},
        stored=stored,
        over_committed=row["over_committed"],
    )


async def save(db: Connection, before: SiteSnapshot, plan: SitePlan) -> None:
    """What the plan has changed."""
    state = plan.state
    after: dict[LimitKey, tuple[AppliedLimit, DrawMonitor]] = {}
    for (station_id, evse_id), applied in state.defaults.items():
        after[station_id, evse_id, 0] = applied, DrawMonitor()
    for (station_id, evse_id), active in state.sessions.items():
        after[station_id, evse_id, active.session.id] = active.applied, active.monitor
    changed = {key: limit for key, limit in after.items() if before.stored.get(key) != limit}
    await store.save_applied_limits(db, [applied_limit_row(key, *limit) for key, limit in changed.items()])
    if before.stored.keys() - after.keys():
        names = [member.station_id for member in state.site.members]
        await store.drop_applied_limits(db, names, [active.session.id for active in state.sessions.values()])
    await store.save_due(db, state.site.site_id, plan.due_at, plan.shares.over_committed)


async def _sessions(db: Connection, site: Site) -> list[asyncpg.Record]:
    """The active sessions on EVSEs of the site."""
    members = {member.station_id: member for member in site.members}
    rows = await db.fetch(store.SESSIONS, list(members))
    return [row for row in rows if members[row["station_id"]].covers(row["evse_id"])]


async def _stations(db: Connection, names: list[str]) -> dict[str, Presence]:
    known = await store.load_stations(db, names)
    return {name: known.get(name, Presence(name)) for name in names}


def _key(session: asyncpg.Record) -> Key:
    return session["station_id"], session["evse_id"]


def _active_session(row: asyncpg.Record, stored: StoredLimits) -> ActiveSession:
    applied, monitor = stored.get((*_key(row), row["id"]), (AppliedLimit(), DrawMonitor()))
    return ActiveSession(read_session(row), applied, monitor)


def _outcomes(limits: list[asyncpg.Record]) -> dict[str, Outcome]:
    """Of the last command of each limit."""
    return {
        limit["command_id"]: outcome_of(
            store.command_end(limit), orjson.loads(limit["response"]) if limit["response"] else None
        )
        for limit in limits
        if limit["command_id"]
    }
