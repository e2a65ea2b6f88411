"""What the REST API shows of sites: currents in A for each phase, times in UTC."""

from datetime import datetime

import asyncpg
from pydantic import BaseModel, Field

from services.smartcharging.domain.limit_requests import committed
from services.smartcharging.domain.loads import amperes
from services.smartcharging.domain.session_state import SessionState, deviation_reason, session_state
from services.smartcharging.domain.share import Shares, share
from services.smartcharging.domain.site import Limit, Member, Site
from services.smartcharging.domain.site_state import Evse
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


class SessionView(BaseModel):
    """A session, and its share of the limit."""

    session: int = Field(description="id of the transaction")
    station_id: str
    evse_id: int
    transaction_id: str = Field(description="as the station knows it")
    started_at: datetime
    state: SessionState
    reason: str = Field(description="why, in words; empty where it charges as granted")
    share_a: float | None = Field(description="what it should have; null where it cannot be told")
    asked_a: float | None = Field(description="what the command under way says")
    confirmed_a: float | None = Field(description="what its station last confirmed; null: nothing ever")
    at_most_a: float = Field(description="what it may be drawing, by all that is known")
    measured_a: float | None = Field(description="of the phase that carries most")
    needs_a: float | None = Field(description="what is enough for it, by what it draws; null: whatever it can take")
    priority: int
    minimum_a: float
    maximum_a: float
    command_id: str | None = Field(description="the last SetProfile")


class LoadView(BaseModel):
    """One phase; or W, a limit in watts counted as the current of one phase."""

    name: str
    limit_a: float
    committed_a: float = Field(description="what may be drawn at this moment, what is set aside included")
    set_aside_a: float = Field(description="of it, for stations that cannot be told and sessions that may begin")


class EvseView(BaseModel):
    """An EVSE of the site."""

    station_id: str
    evse_id: int
    connected: bool
    default_a: float | None = Field(description="its TxDefaultProfile as confirmed; null: none ever")
    default_wanted_a: float
    default_reason: str = Field(description="why it is not what it should be; empty where it is")
    at_most_a: float = Field(description="what it may draw, if only by a session that begins unheard of")


class SiteStateView(SiteView):
    """A site, and how its limit is shared now."""

    loads: list[LoadView]
    evses: list[EvseView]
    sessions: list[SessionView]


def site(row: asyncpg.Record, members: list[asyncpg.Record]) -> SiteView:
    return SiteView(**_site(read_site(row, members)), **_timestamps(row), over_committed=row["over_committed"])


def site_state(row: asyncpg.Record, board: SiteSnapshot, now: datetime) -> SiteStateView:
    situation = board.situation
    shares, taken = share(situation, now), committed(situation)
    loads = [
        LoadView(
            name=name,
            limit_a=amperes(current),
            committed_a=amperes(taken.get(name, 0)),
            set_aside_a=amperes(shares.fixed.get(name, 0)),
        )
        for name, current in shares.capacity.items()
    ]
    return SiteStateView(
        **_site(situation.site),
        **_timestamps(row),
        over_committed=shares.over,
        loads=loads,
        evses=[_evse(point, situation.default_currents[point.member.station_id], now) for point in situation.points],
        sessions=sessions(board, now),
    )


def sessions(board: SiteSnapshot, now: datetime) -> list[SessionView]:
    shares = share(board.situation, now)
    return [_session(point, board, shares, now) for point in board.situation.points if point.charging]


def _session(point: Evse, board: SiteSnapshot, shares: Shares, now: datetime) -> SessionView:
    assert point.charging
    session, hold = point.charging.session, point.charging.hold
    how, why = session_state(point, shares, now)
    return SessionView(
        session=session.id,
        station_id=session.station_id,
        evse_id=session.evse_id,
        transaction_id=session.transaction_id,
        started_at=session.started_at,
        state=how,
        reason=why,
        share_a=_amperes(shares.wanted.get(point.key)),
        asked_a=_amperes(hold.asked),
        confirmed_a=_amperes(hold.held),
        at_most_a=amperes(point.ceiling),
        measured_a=_amperes(board.measured(point)),
        needs_a=_amperes(point.charging.watch.cap),
        priority=point.priority,
        minimum_a=amperes(point.minimum),
        maximum_a=amperes(point.maximum),
        command_id=hold.command_id,
    )


def _evse(point: Evse, wanted: int, now: datetime) -> EvseView:
    return EvseView(
        station_id=point.member.station_id,
        evse_id=point.evse_id,
        connected=point.station.connected,
        default_a=_amperes(point.default.held),
        default_wanted_a=amperes(wanted),
        default_reason="" if point.default.held == wanted else deviation_reason(point, point.default, now),
        at_most_a=amperes(point.reserve),
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
    return {"created_at": row["created_at"], "changed_at": row["changed_at"]}


def _amperes(current: int | None) -> float | None:
    return None if current is None else amperes(current)
