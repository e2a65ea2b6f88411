"""How connectors are (G01; 1.6 §4.9).

Stations send statuses in the order in which they came about (1.6 §4.9 rule 4), and their clocks may say anything: the
order of receipt decides, the station's own time is kept beside. What a gateway had received and could not pass on for a
while comes after what a later gateway has heard of the same station.
"""

from msgspec.structs import replace

from services.firmware.domain.messages import Decision, Heard, ReportStatus, StatusChanged
from services.firmware.domain.station import Connector, Station


def report_status(station: Station, heard: Heard, command: ReportStatus) -> Decision:
    """G01.FR.01: the connector has the status it was said to have; announced where that is a change."""
    known = station.connectors.get(command.place)
    if known and _overtaken(known, heard, command):
        return Decision(station)
    changed = known is None or (known.status, known.error_code) != (command.status, command.error_code)
    connector = Connector(
        status=command.status,
        error_code=command.error_code,
        info=command.info,
        vendor_error_code=command.vendor_error_code,
        reported_at=command.at,
        received_at=heard.at,
        since=heard.at if known is None or changed else known.since,
        connection_id=heard.connection_id,
    )
    told = replace(station, connectors={**station.connectors, command.place: connector})
    return Decision(told, events=(_changed(heard, command),) if changed else ())


def _overtaken(known: Connector, heard: Heard, command: ReportStatus) -> bool:
    """Told again, or held up on its way: a newer one has been seen. The clock of another gateway may be behind."""
    if heard.at >= known.received_at:
        return False
    if heard.connection_id == known.connection_id:
        return True
    return command.at is not None and known.reported_at is not None and command.at < known.reported_at


def _changed(heard: Heard, command: ReportStatus) -> StatusChanged:
    return StatusChanged(heard.station_id, command.place, command.status, command.error_code, heard.at, heard.id)
