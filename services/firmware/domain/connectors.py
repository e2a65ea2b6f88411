"""How connectors are (G01; 1.6 §4.9).

Stations send statuses in the order in which they came about (1.6 §4.9 rule 4), and their clocks may say anything: the
order of receipt decides, the station's own time is kept beside. What a gateway had received and could not pass on for a
while comes after what a later gateway has received from the same station.
"""

from msgspec.structs import replace

from services.firmware.domain.context import Context
from services.firmware.domain.messages import ConnectorStatusChanged, Decision, Envelope, ReportConnectorStatus
from services.firmware.domain.station import Connector, Station


def report_connector_status(station: Station, command: ReportConnectorStatus, context: Context) -> Decision:
    """G01.FR.01: the connector has the status it was said to have; announced where that is a change."""
    envelope, known = context.envelope, station.connectors.get(command.place)
    if known and _is_stale(known, command, envelope):
        return Decision(station)
    changed = known is None or (known.status, known.error_code) != (command.status, command.error_code)
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
    )
    after = replace(station, connectors={**station.connectors, command.place: connector})
    return Decision(after, events=(_changed(command, envelope),) if changed else ())


def _is_stale(known: Connector, command: ReportConnectorStatus, envelope: Envelope) -> bool:
    """Sent again, or held up on its way: a newer one has been seen. The clock of another gateway may be behind."""
    if envelope.at >= known.received_at:
        return False
    if envelope.connection_id == known.connection_id:
        return True
    return command.at is not None and known.reported_at is not None and command.at < known.reported_at


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
