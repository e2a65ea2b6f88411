"""The grace time of a session whose EVSE was reported free: when it runs, and what comes of it.

It runs while the station is connected, and begins anew with each message of the session, but for meter values that show
that nothing flows: some stations repeat those for ever. Stations that can be asked are asked at its end. A session on
an EVSE that is taken, or of which nothing was said since it began, has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from services.transactions.domain.doubts import MAX_CLOCK_ERROR
from services.transactions.domain.flow import flow_of
from services.transactions.domain.metering import PastValue
from services.transactions.domain.station import Connector, Station
from services.transactions.domain.transaction import EndedBy, Transaction

# A clock that is no further ahead is right.
CLOCK_ERROR = timedelta(minutes=2)
# So often a station may say that the end is still on its way, until the session ends without it.
MOST_ROUNDS = 4


class Standing(StrEnum):
    """What a station says of a transaction that it was asked about (E14).

    queued: it has ended, and messages about it are on their way. silent: no answer that tells. unreached: it was not
    connected after all.
    """

    ONGOING = "ongoing"
    OVER = "over"
    QUEUED = "queued"
    SILENT = "silent"
    UNREACHED = "unreached"


class Grace(Struct, frozen=True):
    """free_at: when the EVSE was reported free; None: that was before, and the station has booted, or is another.

    running_since: None while the station is away; ran: what had run before. command_id: of the question to the station.
    rounds: how often it has said that the end is on its way.
    """

    transaction_id: int
    station_id: str
    free_at: datetime | None
    running_since: datetime | None
    ran: timedelta = timedelta()
    command_id: str | None = None
    rounds: int = 0


class Ask(Struct, frozen=True):
    """The station is to be asked."""


class End(Struct, frozen=True):
    """The session has ended. at: when it did, as far as can be known."""

    by: EndedBy
    at: datetime


Step = Ask | End | Grace


def reconsider(
    station: Station, sessions: Iterable[Transaction], graces: Mapping[int, Grace], now: datetime
) -> list[Grace]:
    """The grace times of a station as they are now: of sessions whose EVSE is free; they run while it is connected.

    sessions: its own that have not ended. graces: as they were, by the ids of their transactions.
    """
    return [_reconsidered(station, one, graces.get(one.id), now) for one in sessions if is_vacated(one, station)]


def is_vacated(one: Transaction, station: Station) -> bool:
    """Whether the EVSE of a session was reported free since it began, by its connector or after a boot.

    A station that is another one than when it began knows nothing of it, unless it reports the connector occupied: a
    serial number says less than that.
    """
    began = _began(one)
    own = _connectors_of(one, station)
    if not all(known.free for known in own):
        return False
    if station.replaced_at and station.replaced_at > began:
        return True
    booted = station.booted_at is not None and station.booted_at > began
    if not one.evse_id:
        return booted
    return any(booted or _is_since(known, one) for known in own)


def due_at(grace: Grace, heard_at: datetime, limit: timedelta) -> datetime | None:
    """When it is over, unless something is heard; None while it does not run."""
    if grace.running_since is None:
        return None
    return heard_at + limit if heard_at > grace.running_since else grace.running_since + limit - grace.ran


def last_sign_of_life(grace: Grace, heard_at: datetime, told: Sequence[PastValue]) -> datetime:
    """When a session was last heard of in a way that may mean that it goes on.

    heard_at: when a message of it came last. told: its meter values in the order of receipt, from the last before the
    grace time.
    """
    since = grace.running_since
    if since is None or heard_at <= since or not told or told[-1].received_at < heard_at:
        return heard_at
    alive_at, registers = min(grace.free_at or since, since), dict[str, float]()
    for one in told:
        shown = [*flow_of(one.value, registers)]
        if one.received_at > since and (any(shown) or not shown):
            alive_at = one.received_at
        registers |= {name: wh for name, _, wh in one.value.energies}
    return alive_at


def step(
    grace: Grace,
    heard_at: datetime,
    booted_at: datetime | None,
    *,
    standing: Standing | None,
    askable: bool,
    limit: timedelta,
    now: datetime,
) -> Step:
    """What is to be done when it is due: ask, end the session, or wait on.

    heard_at: the last sign of life of the session, which has not ended. booted_at: of the station, its last boot.
    standing: the answer; None: not asked, or not yet. askable: whether the station can be asked.
    """
    due = due_at(grace, heard_at, limit)
    if due is None or due > now:
        heard = grace.running_since is not None and heard_at > grace.running_since
        return _anew(grace, heard_at) if heard else grace
    if grace.command_id is None and askable:
        return Ask()
    if grace.command_id is not None and standing is None:
        return grace
    if standing in (Standing.ONGOING, Standing.UNREACHED):
        return replace(_anew(grace, now), rounds=0)
    if standing == Standing.QUEUED and grace.rounds + 1 < MOST_ROUNDS:
        return replace(_anew(grace, now), rounds=grace.rounds + 1)
    by = EndedBy.ASKED if standing in (Standing.OVER, Standing.QUEUED) else EndedBy.AVAILABLE
    return End(by, _ended_at(grace, heard_at, booted_at))


def _reconsidered(station: Station, one: Transaction, grace: Grace | None, now: datetime) -> Grace:
    if grace is None:
        return Grace(one.id, one.station_id, _free_at(one, station), now if station.connected else None)
    if station.connected == (grace.running_since is not None):
        return grace
    if station.connected:
        return replace(grace, running_since=now)
    return replace(grace, running_since=None, ran=_elapsed(grace, one.updated_at, now))


def _anew(grace: Grace, since: datetime) -> Grace:
    return replace(grace, running_since=since, ran=timedelta(), command_id=None)


def _elapsed(grace: Grace, heard_at: datetime, now: datetime) -> timedelta:
    assert grace.running_since, "it runs"
    if heard_at > grace.running_since:
        return max(now - heard_at, timedelta())
    return grace.ran + max(now - grace.running_since, timedelta())


def _ended_at(grace: Grace, heard_at: datetime, booted_at: datetime | None) -> datetime:
    """When its EVSE became free; before a boot that came in between, when it was last heard of."""
    if grace.free_at is None or (booted_at and heard_at < booted_at <= grace.free_at):
        return heard_at
    return max(grace.free_at, heard_at)


def _connectors_of(one: Transaction, station: Station) -> list[Connector]:
    """The own one of a session, or all of its EVSE where it has named none; of no EVSE yet, it can be any."""
    if not one.evse_id:
        return list(station.connectors)
    own = (one.connector_id,) if one.connector_id else [known.connector_id for known in station.connectors]
    return [known for known in station.connectors if known.evse_id == one.evse_id and known.connector_id in own]


def _free_at(one: Transaction, station: Station) -> datetime | None:
    own = _connectors_of(one, station) if one.evse_id else []
    return max((known.at for known in own if known.free and _is_since(known, one)), default=None)


def _is_since(known: Connector, one: Transaction) -> bool:
    """Whether a connector was reported since a session began; by the station's own time, too, where its clock was right
    then: reports come late."""
    if known.at <= _began(one):
        return False
    if known.said_at is None or known.at - known.said_at > MAX_CLOCK_ERROR:
        return True
    was_right = not one.doubts and one.started_at <= one.started_received_at + CLOCK_ERROR
    return not was_right or known.said_at >= one.started_at


def _began(one: Transaction) -> datetime:
    """By our clock; by the station's where it told it late, for what it reported in between came after it."""
    late = one.started_received_at > one.started_at and not one.doubts
    return one.started_at if late else one.started_received_at
