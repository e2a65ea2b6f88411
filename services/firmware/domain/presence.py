"""Whether a station is here (G02.FR.04): by what it sends, by what gateways say, and by its silence.

Calls and connections come by different topics and gateways, so what is said of a connection can arrive in any order:
a connection that has ended brings nobody back, an older one takes nobody away, and what is old news when it is read
(after this service was down) proves nothing about now.
"""

from datetime import datetime

from msgspec.structs import replace

from services.firmware.domain.messages import Alive, Closed, Connected, Decision, Disconnected, Heard, Opened
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import Presence, Station


def seen(station: Station, heard: Heard, rules: Rules, now: datetime) -> Decision:
    """The station sent something: it is here, whatever it was."""
    return _here(_noticed(station, heard.at, heard.at), heard, rules, now)


def opened(station: Station, heard: Heard, change: Opened, rules: Rules, now: datetime) -> Decision:
    """A new connection takes the place of an older one."""
    presence = station.presence
    other = heard.connection_id != presence.connection_id
    if heard.connection_id == presence.closed_id or (other and _before(heard.at, presence.connected_at)):
        return Decision(_noticed(station, heard.at))
    presence = replace(
        presence,
        connection_id=heard.connection_id,
        connected_at=heard.at,
        remote_address=change.remote_address,
        # Connections follow each other, whatever the clocks of their gateways say.
        disconnected_at=min(heard.at, presence.disconnected_at) if presence.disconnected_at else None,
    )
    return _here(_noticed(replace(station, presence=presence), heard.at), heard, rules, now)


def alive(station: Station, heard: Heard, change: Alive, rules: Rules, now: datetime) -> Decision:
    """The gateway still has the connection."""
    return _here(_noticed(station, heard.at, change.seen_at), heard, rules, now)


def closed(station: Station, heard: Heard, change: Closed, _: Rules, __: datetime) -> Decision:
    """A connection has ended; a newer one stays."""
    presence = station.presence
    if heard.connection_id != presence.connection_id:
        return Decision(station)
    gone = replace(
        _noticed(station, change.seen_at, change.seen_at).presence,
        online=False,
        connection_id=None,
        closed_id=heard.connection_id,
        disconnected_at=heard.at,
    )
    events = (Disconnected(station.station_id, heard.at, heard.id),) if presence.online else ()
    return Decision(replace(station, presence=gone), events=events)


def silent(station_id: str, presence: Presence, now: datetime) -> Disconnected:
    """What is announced of a station that was silent for too long."""
    return Disconnected(station_id, now, f"{presence.connection_id}/silent/{presence.alive_at}")


def _here(station: Station, heard: Heard, rules: Rules, now: datetime) -> Decision:
    presence = station.presence
    current = presence.connection_id == heard.connection_id
    if presence.online:
        return Decision(_as_heard(station, heard) if current else station)
    old = now - heard.at > rules.silence or _before(heard.at, presence.disconnected_at)
    if old or heard.connection_id == presence.closed_id:
        return Decision(station)
    here = replace(
        presence,
        online=True,
        connection_id=heard.connection_id,
        connected_at=presence.connected_at if current else heard.at,
    )
    event = Connected(station.station_id, heard.version, heard.at, heard.id)
    return Decision(_as_heard(replace(station, presence=here), heard), events=(event,))


def _as_heard(station: Station, heard: Heard) -> Station:
    return replace(station, version=heard.version, quarantined=heard.quarantined)


def _noticed(station: Station, alive_at: datetime, seen_at: datetime | None = None) -> Station:
    presence = station.presence
    noticed = replace(
        presence,
        alive_at=_later(alive_at, presence.alive_at),
        last_seen_at=_later(seen_at, presence.last_seen_at),
    )
    return replace(station, presence=noticed)


def _before(moment: datetime, known: datetime | None) -> bool:
    return known is not None and moment < known


def _later(moment: datetime | None, known: datetime | None) -> datetime | None:
    return max(moment, known) if moment and known else moment or known
