"""What the REST API shows of sites: currents in A for each phase, times in UTC."""

from datetime import datetime

import asyncpg
from pydantic import BaseModel, Field

from services.smartcharging.domain.limit_requests import committed
from services.smartcharging.domain.loads import amperes
from services.smartcharging.domain.session_state import SessionState, deviation_reason, session_state
from services.smartcharging.domain.share import Shares, share
from services.smartcharging.domain.site import Limit, Member, Site
from services.smartcharging.domain.site_state import Evse, SiteState
from services.smartcharging.rows import read_site
from services.smartcharging.snapshot import SiteSnapshot


class LimitView(BaseModel):
    value: float
    unit: str


class StationView(BaseModel):
    """A station of a site."""

    station_id: str
    evse_ids: list[int] | None = Field(description="null: all of them")
    phases: list[str]
    max_a: float
    minimum_a: float
    priority: int
    unit: str


class SiteView(BaseModel):
    """A site as it was set."""

    site_id: str
    limit: LimitView
    phases: int
    voltage: float
    default_a: float | None
    stations: list[StationView]
    over_committed: bool = Field(description="the limit cannot be held: more is set aside than there is")
    created_at: datetime
    changed_at: datetime
    author: str | None = Field(description="`sub` of the bearer token that set it; null: not known")


class SessionView(BaseModel):
    """A session, and its share of the limit."""

    session: int = Field(description="id of the transaction")
    station_id: str
    evse_id: int
    transaction_id: str = Field(description="as the station knows it")
    started_at: datetime
    state: SessionState
    reason: str = Field(description="why, in words; empty where it charges as granted")
    share_a: float | None = Field(description="what it should have; null where its station cannot be reached")
    asked_a: float | None = Field(description="what the command under way says")
    confirmed_a: float | None = Field(description="what its station last confirmed; null: nothing ever")
    at_most_a: float = Field(description="what it may be drawing, by all that is known")
    measured_a: float | None = Field(description="of the phase that carries most")
    needs_a: float | None = Field(description="what is enough for it, by what it draws; null: whatever it can take")
    priority: int
    minimum_a: float
    maximum_a: float
    preferences_author: str | None = Field(
        description="`sub` of the bearer token that set what is wanted for it; null: nobody, or not known"
    )
    command_id: str | None = Field(description="the last SetProfile")


class LoadView(BaseModel):
    """One phase; or W, a limit in watts counted as the current of one phase."""

    name: str
    limit_a: float
    committed_a: float = Field(description="what may be drawn at this moment, what is set aside included")
    set_aside_a: float = Field(description="of it, for stations that cannot be reached and sessions that may start")


class EvseView(BaseModel):
    """An EVSE of the site."""

    station_id: str
    evse_id: int
    connected: bool
    default_a: float | None = Field(description="its TxDefaultProfile as confirmed; null: none ever")
    default_wanted_a: float
    default_reason: str = Field(description="why it is not what it should be; empty where it is")
    at_most_a: float = Field(description="what it may draw, if only by a session that starts before we know of it")
    beside: list[int] = Field(description="transactions that were granted a limit there, are not shown, and go on")


class SiteStateView(SiteView):
    """A site, and how its limit is shared now."""

    loads: list[LoadView]
    evses: list[EvseView]
    sessions: list[SessionView]


def site(row: asyncpg.Record, members: list[asyncpg.Record]) -> SiteView:
    return SiteView(**_site(read_site(row, members)), **_timestamps(row), over_committed=row["over_committed"])


def site_state(row: asyncpg.Record, snapshot: SiteSnapshot, now: datetime) -> SiteStateView:
    state = snapshot.state
    shares, loads = share(state, now), committed(state)
    views = [
        LoadView(
            name=name,
            limit_a=amperes(current),
            committed_a=amperes(loads.get(name, 0)),
            set_aside_a=amperes(shares.set_aside.get(name, 0)),
        )
        for name, current in shares.capacity.items()
    ]
    return SiteStateView(
        **_site(state.site),
        **_timestamps(row),
        over_committed=shares.over_committed,
        loads=views,
        evses=[_evse(evse, state, now) for evse in state.evses],
        sessions=sessions(snapshot, now),
    )


def sessions(snapshot: SiteSnapshot, now: datetime) -> list[SessionView]:
    shares = share(snapshot.state, now)
    return [_session(evse, snapshot, shares, now) for evse in snapshot.state.evses if evse.active]


def _session(evse: Evse, snapshot: SiteSnapshot, shares: Shares, now: datetime) -> SessionView:
    assert evse.active
    session, applied = evse.active.session, evse.active.applied
    shown, reason = session_state(evse, shares, now)
    return SessionView(
        session=session.id,
        station_id=session.station_id,
        evse_id=session.evse_id,
        transaction_id=session.transaction_id,
        started_at=session.started_at,
        state=shown,
        reason=reason,
        share_a=_amperes(shares.targets.get(evse.key)),
        asked_a=_amperes(applied.asked),
        confirmed_a=_amperes(applied.held),
        at_most_a=amperes(evse.ceiling),
        measured_a=_amperes(snapshot.measured(evse)),
        needs_a=_amperes(evse.active.monitor.cap),
        priority=evse.priority,
        minimum_a=amperes(evse.minimum),
        maximum_a=amperes(evse.maximum),
        preferences_author=session.preferences_author,
        command_id=applied.command_id,
    )


def _evse(evse: Evse, state: SiteState, now: datetime) -> EvseView:
    target = state.default_currents[evse.member.station_id]
    return EvseView(
        station_id=evse.member.station_id,
        evse_id=evse.evse_id,
        connected=evse.station.connected,
        default_a=_amperes(evse.default.held),
        default_wanted_a=amperes(target),
        default_reason="" if evse.default.held == target else deviation_reason(evse, evse.default, now),
        at_most_a=amperes(evse.reserve),
        beside=sorted(session for *key, session in state.others if tuple(key) == evse.key),
    )


def _site(site_: Site) -> dict[str, object]:
    return {
        "site_id": site_.site_id,
        "limit": _limit(site_.limit),
        "phases": site_.phases,
        "voltage": site_.voltage,
        "default_a": _amperes(site_.default),
        "stations": [_station(member) for member in site_.members],
    }


def _limit(limit: Limit) -> LimitView:
    return LimitView(value=limit.value, unit=limit.unit)


def _station(member: Member) -> StationView:
    return StationView(
        station_id=member.station_id,
        evse_ids=None if member.evse_ids is None else list(member.evse_ids),
        phases=list(member.phases),
        max_a=amperes(member.maximum),
        minimum_a=amperes(member.minimum),
        priority=member.priority,
        unit=member.unit,
    )


def _timestamps(row: asyncpg.Record) -> dict[str, datetime]:
    return {"created_at": row["created_at"], "changed_at": row["changed_at"], "author": row["author"]}


def _amperes(current: int | None) -> float | None:
    return None if current is None else amperes(current)
