"""Whether a station is here (G02.FR.04): by what it sends, by what gateways say, and by its silence.

Calls and connections come by different topics and gateways, so what is said of a connection can arrive in any order:
a connection that has ended brings nobody back, an older one takes nobody away, and what is old news when it is read
(after this service was down) proves nothing about now.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from services.firmware.domain.context import Context
from services.firmware.domain.messages import (
    ConnectionAlive,
    ConnectionClosed,
    ConnectionOpened,
    Decision,
    Envelope,
    StationConnected,
    StationDisconnected,
)
from services.firmware.domain.station import Presence, Station

# Gateways ping stations that are silent (VOLTBUS_PING_INTERVAL): who is there is heard of within this time.
UNHEARD = timedelta(seconds=60)


def message_received(station: Station, context: Context) -> Decision:
    """The station sent something: it is here, whatever it was."""
    at = context.envelope.at
    return _present(_proven(station, at, at), context, gone_since(station.presence))


def connection_opened(station: Station, update: ConnectionOpened, context: Context) -> Decision:
    """A new connection takes the place of an older one."""
    envelope, presence = context.envelope, station.presence
    other, away_since = envelope.connection_id != presence.connection_id, gone_since(presence)
    if envelope.connection_id == presence.closed_id or (other and _before(envelope.at, presence.connected_at)):
        return Decision(_proven(station, envelope.at))
    presence = replace(
        presence,
        connection_id=envelope.connection_id,
        connected_at=envelope.at,
        remote_address=update.remote_address,
        # Connections follow each other, whatever the clocks of their gateways say.
        disconnected_at=min(envelope.at, presence.disconnected_at) if presence.disconnected_at else None,
    )
    profile = update.security.profile if update.security else None
    return _present(_proven(replace(station, presence=presence), envelope.at), context, away_since, profile)


def connection_alive(station: Station, update: ConnectionAlive, context: Context) -> Decision:
    """The gateway still has the connection."""
    away_since = gone_since(station.presence)
    return _present(_proven(station, context.envelope.at, update.seen_at), context, away_since)


def connection_closed(station: Station, update: ConnectionClosed, context: Context) -> Decision:
    """A connection has ended; a newer one stays.

    That it is dead may be noticed late: of one that nothing was heard on for long, the last that was heard is its end.
    """
    envelope, presence = context.envelope, station.presence
    if envelope.connection_id != presence.connection_id:
        return Decision(station)
    seen_at = _later(update.seen_at, presence.connected_at) or update.seen_at
    left = seen_at if envelope.at - seen_at > UNHEARD else envelope.at
    closed = replace(
        _proven(station, update.seen_at, update.seen_at).presence,
        online=False,
        connection_id=None,
        closed_id=envelope.connection_id,
        disconnected_at=left,
    )
    events = (StationDisconnected(station.station_id, envelope.at, envelope.id),) if presence.online else ()
    return Decision(replace(station, presence=closed), events=events)


def fell_silent(station_id: str, presence: Presence, now: datetime) -> StationDisconnected:
    """What is announced of a station that was silent for too long."""
    return StationDisconnected(station_id, now, f"{presence.connection_id}/silent/{presence.alive_at}")


def gone_since(presence: Presence) -> datetime | None:
    """Since when a station is away; None where it is here or never was.

    Of one that fell silent, that is when it was last heard of itself on its connection, and not when its silence was
    noticed, nor when its gateway last had the connection.
    """
    left, back = presence.disconnected_at, presence.connected_at
    if presence.online or left is None:
        return None
    silent = presence.connection_id is not None and (back is None or back <= left)
    if not silent:
        return left
    return _later(presence.last_seen_at, back) if presence.last_seen_at else presence.alive_at


def _present(
    station: Station, context: Context, away_since: datetime | None, security_profile: int | None = None
) -> Decision:
    envelope, presence = context.envelope, station.presence
    current = presence.connection_id == envelope.connection_id
    if presence.online:
        return Decision(_on_connection(station, envelope) if current else station)
    old = context.now - envelope.at > context.rules.silence or _before(envelope.at, presence.disconnected_at)
    if old or envelope.connection_id == presence.closed_id:
        return Decision(station)
    online = replace(
        presence,
        online=True,
        connection_id=envelope.connection_id,
        connected_at=presence.connected_at if current else envelope.at,
    )
    event = StationConnected(
        station_id=station.station_id,
        version=envelope.version,
        at=envelope.at,
        cause=envelope.id,
        away=(away_since, online.connected_at) if away_since and online.connected_at else None,
        security_profile=security_profile,
    )
    return Decision(_on_connection(replace(station, presence=online), envelope), events=(event,))


def _on_connection(station: Station, envelope: Envelope) -> Station:
    """The station as its connection has it."""
    return replace(station, version=envelope.version, quarantined=envelope.quarantined)


def _proven(station: Station, alive_at: datetime, seen_at: datetime | None = None) -> Station:
    """The station, proven to be here at a time. seen_at: when it sent something itself."""
    presence = station.presence
    proven = replace(
        presence,
        alive_at=_later(alive_at, presence.alive_at),
        last_seen_at=_later(seen_at, presence.last_seen_at),
    )
    return replace(station, presence=proven)


def _before(moment: datetime, known: datetime | None) -> bool:
    return known is not None and moment < known


def _later(moment: datetime | None, known: datetime | None) -> datetime | None:
    return max(moment, known) if moment and known else moment or known
