"""How connectors are (G01; 1.6 §4.9).

Stations send statuses in the order in which they came about (1.6 §4.9 rule 4), and their clocks may say anything: the
order of receipt decides, the station's own time is kept beside. What a gateway had received and could not pass on for a
while comes after what a later gateway has received from the same station.

A NotifyEvent (2.x) tells of statuses, too, and may tell them late. Between it and others the station's own time
decides, as far as its clock was right for both.

So may a station that comes back: it says how its connectors are, and then what it had queued while it was away. What is
certainly older, by a clock that has just been right, is history.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.firmware.domain.causes import contradicted_at
from services.firmware.domain.context import Context
from services.firmware.domain.history import LIVE, State, StatusRecord, happened_at, state_of
from services.firmware.domain.messages import (
    ConnectorStatusChanged,
    Decision,
    Envelope,
    ReportConnectorStates,
    ReportConnectorStatus,
)
from services.firmware.domain.station import ITSELF, Connector, Place, Station

# Of one station, itself and its EVSEs included; what is more is invented, or its numbers are no numbers of connectors.
MOST_PLACES = 256
# For so long a station tells what it had queued after it has said what is now. A clock that is put back by then keeps
# its connectors as they are for no longer.
DRAINING = timedelta(minutes=30)


class _Source(Struct, frozen=True):
    """Where a status comes from. id: unique. by_event, made_at: of a NotifyEvent."""

    envelope: Envelope
    id: str
    by_event: bool = False
    made_at: datetime | None = None


def report_connector_status(station: Station, command: ReportConnectorStatus, context: Context) -> Decision:
    """G01.FR.01: the connector has the status it was said to have; announced where that is a change."""
    return _report(station, command, _Source(context.envelope, context.envelope.id))


def report_connector_states(station: Station, command: ReportConnectorStates, context: Context) -> Decision:
    """The same, of each that a NotifyEvent tells of (G01.FR.03 to FR.07)."""
    decision = Decision(station)
    for number, one in command.reports:
        source = _Source(context.envelope, f"{context.envelope.id}/{number}", True, command.generated_at)
        after = _report(decision.station, one, source)
        decision = Decision(
            after.station,
            events=decision.events + after.events,
            recorded=decision.recorded + after.recorded,
            refused=decision.refused + after.refused,
        )
    return decision


def _report(station: Station, command: ReportConnectorStatus, source: _Source) -> Decision:
    envelope, known = source.envelope, station.connectors.get(command.place)
    if known is None and station.places >= MOST_PLACES and command.place != ITSELF:
        return Decision(station, refused=1)
    happened = happened_at(command.at, envelope.at, station.presence, source.made_at)
    if known and _is_stale(station, known, command, source, happened):
        return _late(station, known, command, source, happened)
    changed = known is None or (known.status, known.error_code) != (command.status, command.error_code)
    if known:
        # What comes after it did not happen before it.
        happened = max(happened, known.confirmed_at or known.happened_at or known.since)
    contradicted = contradicted_at(station, command.place, command.status)
    if contradicted and envelope.at - happened <= LIVE:
        happened = max(happened, contradicted)
    gone_at = known.gone_at if known and known.gone_at and envelope.at <= known.gone_at else None
    connector = Connector(
        status=command.status,
        error_code=command.error_code,
        info=command.info,
        vendor_error_code=command.vendor_error_code,
        reported_at=command.at,
        received_at=envelope.at,
        since=envelope.at if known is None or changed else known.since,
        connection_id=envelope.connection_id,
        custom_data=command.custom_data,
        happened_at=happened if known is None or changed or contradicted else known.happened_at,
        by_event=source.by_event,
        confirmed_at=happened,
        gone_at=gone_at,
    )
    connectors = {**station.connectors, command.place: connector}
    after = replace(station, connectors=connectors, places=station.places + (known is None))
    if not changed and contradicted is None:
        return Decision(after)
    before = state_of(known.status) if known else State.UP
    matters = contradicted is not None or (before, state_of(command.status)) != (State.UP, State.UP)
    recorded = _record(command, source, happened, late=False, matters=matters)
    return Decision(after, events=(_changed(command, source),) if changed else (), recorded=(recorded,))


def _late(
    station: Station, known: Connector, command: ReportConnectorStatus, source: _Source, happened: datetime
) -> Decision:
    """For the history alone. The last there is what the connector is: behind another status it is told once more."""
    late = _record(command, source, happened, late=True, matters=True)
    if (happened, source.envelope.at) <= (known.happened_at or known.since, known.since):
        return Decision(station, recorded=(late,))
    confirmed = known.confirmed_at if known.confirmed_at and known.confirmed_at > happened else known.received_at
    same = (command.status, command.error_code) == (known.status, known.error_code)
    after = replace(known, happened_at=happened if same else confirmed, confirmed_at=confirmed)
    connectors = {**station.connectors, command.place: after}
    recorded = (late,) if same else (late, _again(station, command.place, after, f"{source.id}/present"))
    return Decision(replace(station, connectors=connectors), recorded=recorded)


def _again(station: Station, place: Place, known: Connector, call_id: str) -> StatusRecord:
    """The present status, as of when it was told last."""
    return StatusRecord(
        call_id=call_id,
        station_id=station.station_id,
        place=place,
        status=known.status,
        error_code=known.error_code,
        info=known.info,
        vendor_error_code=known.vendor_error_code,
        happened_at=known.happened_at or known.since,
        reported_at=known.reported_at,
        received_at=known.received_at,
        late=False,
        matters=True,
    )


def _is_stale(
    station: Station, known: Connector, command: ReportConnectorStatus, source: _Source, happened: datetime
) -> bool:
    """Sent again, held up on its way, or queued: a newer one has been seen. Another gateway's clock may be behind."""
    envelope = source.envelope
    if _is_older(known, command, happened) and (
        source.by_event or known.by_event or _was_queued(station, known, command, source)
    ):
        return True
    if envelope.at >= known.received_at:
        return False
    if envelope.connection_id == known.connection_id:
        return True
    return command.at is not None and known.reported_at is not None and command.at < known.reported_at


def _is_older(known: Connector, command: ReportConnectorStatus, happened: datetime) -> bool:
    """By the station's clock, if it was right: it is believed now, and what it said before was not of the future."""
    told = known.reported_at
    return command.at == happened and told is not None and happened < told <= known.received_at


def _was_queued(station: Station, known: Connector, command: ReportConnectorStatus, source: _Source) -> bool:
    """It is from before this connection, by the clock that was right for what is known.

    Only a boot in between may have changed that clock; a connection outlives none.
    """
    envelope, back, booted = source.envelope, station.presence.connected_at, station.registration.booted_at
    if command.at is None or known.reported_at is None or back is None or command.at >= back:
        return False
    same_clock = known.connection_id == envelope.connection_id or booted is None or booted <= known.received_at
    was_right = known.received_at - known.reported_at <= LIVE
    return same_clock and was_right and envelope.at - known.received_at <= DRAINING


def _record(
    command: ReportConnectorStatus, source: _Source, happened: datetime, *, late: bool, matters: bool
) -> StatusRecord:
    return StatusRecord(
        call_id=source.id,
        station_id=source.envelope.station_id,
        place=command.place,
        status=command.status,
        error_code=command.error_code,
        info=command.info,
        vendor_error_code=command.vendor_error_code,
        happened_at=happened,
        reported_at=command.at,
        received_at=source.envelope.at,
        late=late,
        matters=matters,
    )


def _changed(command: ReportConnectorStatus, source: _Source) -> ConnectorStatusChanged:
    return ConnectorStatusChanged(
        station_id=source.envelope.station_id,
        place=command.place,
        status=command.status,
        error_code=command.error_code,
        at=source.envelope.at,
        cause=source.id,
        reported_at=command.at,
    )
