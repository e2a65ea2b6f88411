"""How connectors are (G01; 1.6 §4.9).

Stations send statuses in the order in which they came about (1.6 §4.9 rule 4), and their clocks may say anything: the
order of receipt decides, the station's own time is kept beside. What a gateway had received and could not pass on for a
while comes after what a later gateway has received from the same station.
"""

from datetime import datetime

from msgspec.structs import replace

from services.firmware.domain.context import Context
from services.firmware.domain.history import State, StatusRecord, happened_at, state_of
from services.firmware.domain.messages import ConnectorStatusChanged, Decision, Envelope, ReportConnectorStatus
from services.firmware.domain.station import Connector, Station


def report_connector_status(station: Station, command: ReportConnectorStatus, context: Context) -> Decision:
    """G01.FR.01: the connector has the status it was said to have; announced where that is a change."""
    envelope, known = context.envelope, station.connectors.get(command.place)
    happened = happened_at(command.at, envelope.at, station.presence)
    if known and _is_stale(known, command, envelope):
        return Decision(station, recorded=_record(command, envelope, happened, late=True, matters=True))
    changed = known is None or (known.status, known.error_code) != (command.status, command.error_code)
    if known:
        # What comes after it did not happen before it.
        happened = max(happened, known.happened_at or known.since)
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
        happened_at=happened if known is None or changed else known.happened_at,
    )
    after = replace(station, connectors={**station.connectors, command.place: connector})
    if not changed:
        return Decision(after)
    before = state_of(known.status) if known else State.UP
    matters = (before, state_of(command.status)) != (State.UP, State.UP)
    recorded = _record(command, envelope, happened, late=False, matters=matters)
    return Decision(after, events=(_changed(command, envelope),), recorded=recorded)


def _is_stale(known: Connector, command: ReportConnectorStatus, envelope: Envelope) -> bool:
    """Sent again, or held up on its way: a newer one has been seen. The clock of another gateway may be behind."""
    if envelope.at >= known.received_at:
        return False
    if envelope.connection_id == known.connection_id:
        return True
    return command.at is not None and known.reported_at is not None and command.at < known.reported_at


def _record(
    command: ReportConnectorStatus, envelope: Envelope, happened: datetime, *, late: bool, matters: bool
) -> StatusRecord:
    return StatusRecord(
        call_id=envelope.id,
        station_id=envelope.station_id,
        place=command.place,
        status=command.status,
        error_code=command.error_code,
        info=command.info,
        vendor_error_code=command.vendor_error_code,
        happened_at=happened,
        reported_at=command.at,
        received_at=envelope.at,
        late=late,
        matters=matters,
    )


def _changed(command: ReportConnectorStatus, envelope: Envelope) -> ConnectorStatusChanged:
    return ConnectorStatusChanged(
        station_id=envelope.station_id,
        place=command.place,
        status=command.status,
        error_code=command.error_code,
        at=envelope.at,
        cause=envelope.id,
        reported_at=command.at,
    )
