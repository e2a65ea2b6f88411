"""A site as the tables have it: loaded for a plan, and written back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
import orjson

from services.common.postgres.database import Connection
from services.smartcharging import store
from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import Outcome
from services.smartcharging.domain.plan import DrawSamples, SitePlan, in_tenths
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.seen_draws import seen_draws
from services.smartcharging.domain.site_state import Evse, Limits, SiteState, state_of
from services.smartcharging.remote import outcome_of
from services.smartcharging.rows import (
    applied_limit_row,
    read_applied_limit,
    read_draw_samples,
    read_session,
    read_site,
    read_tracked,
)


@dataclass(frozen=True, slots=True)
class SiteSnapshot:
    """state, outcomes, draws: what a plan needs. stored: the applied limits as in the table.

    over_committed: as published.
    """

    state: SiteState
    outcomes: Mapping[str, Outcome]
    draws: Mapping[Key, DrawSamples]
    stored: Limits
    over_committed: bool

    def measured(self, evse: Evse) -> int | None:
        """The last sample of a session; None where there was none."""
        samples = self.draws.get(evse.key)
        return in_tenths(self.state.site, evse.member, samples.unit, samples.values[-1]) if samples else None


async def load(db: Connection, row: asyncpg.Record, now: datetime) -> SiteSnapshot:
    """row: of the site."""
    site = read_site(row, await db.fetch(store.MEMBERS, row["site_id"]))
    names = [member.station_id for member in site.members]
    limits = await db.fetch(store.APPLIED_LIMITS, names)
    stored = {
        (limit["station_id"], limit["evse_id"], limit["session_id"]): read_applied_limit(limit) for limit in limits
    }
    rows = {row["id"]: row for row in await db.fetch(store.SESSIONS, names)}
    stations = await _stations(db, names)
    going_on = [read_session(row) for row in rows.values() if row["ended_at"] is None]
    seen = seen_draws(site, stations, map(read_tracked, rows.values()), now)
    state = state_of(site, stations, going_on, stored)
    state = replace(state, drawn=seen.currents, drawn_until=seen.until)
    samples = {key: read_draw_samples(rows[active.session.id]) for key, active in state.sessions.items()}
    return SiteSnapshot(
        state=state,
        outcomes=_outcomes(limits),
        draws={key: drawn for key, drawn in samples.items() if drawn},
        stored=stored,
        over_committed=row["over_committed"],
    )


async def save(db: Connection, before: SiteSnapshot, plan: SitePlan) -> None:
    """What the plan has changed."""
    after = plan.state.limits
    changed = {key: limit for key, limit in after.items() if before.stored.get(key) != limit}
    await store.save_applied_limits(db, [applied_limit_row(key, *limit) for key, limit in changed.items()])
    await store.drop_applied_limits(db, [key for key in before.stored if key not in after])
    await store.save_due(db, plan.state.site.site_id, plan.due_at, plan.shares.over_committed)


async def _stations(db: Connection, names: list[str]) -> dict[str, Presence]:
    known = await store.load_stations(db, names)
    return {name: known.get(name, Presence(name)) for name in names}


def _outcomes(limits: list[asyncpg.Record]) -> dict[str, Outcome]:
    """Of the last command of each limit."""
    return {
        limit["command_id"]: outcome_of(
            store.command_end(limit), orjson.loads(limit["response"]) if limit["response"] else None
        )
        for limit in limits
        if limit["command_id"]
    }
