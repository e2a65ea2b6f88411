"""Every command and its decision."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec.structs import replace

from services.firmware.domain.boot import boot
from services.firmware.domain.connectors import report_connector_states, report_connector_status
from services.firmware.domain.context import Context
from services.firmware.domain.messages import (
    Boot,
    BootVerdict,
    Command,
    ConnectionAlive,
    ConnectionClosed,
    ConnectionOpened,
    ConnectionUpdate,
    CurrentTime,
    DataTransfer,
    Decision,
    Heartbeat,
    Notification,
    OpenStream,
    ReportConnectorStates,
    ReportConnectorStatus,
    ReportFirmwareStatus,
    ReportSecurityEvent,
    ReportSettings,
    StreamAccepted,
)
from services.firmware.domain.presence import connection_alive, connection_closed, connection_opened, message_received
from services.firmware.domain.security_events import SecurityEventReported
from services.firmware.domain.station import FirmwareStatus, Station
from services.firmware.domain.transfers import data_transfer

# Updates whose late words are recognized; a station has one at a time.
EARLIER_UPDATES = 16

Decide: TypeAlias = Callable[[Station, Any, Context], Decision]


def decide(station: Station, command: Command | ConnectionUpdate, context: Context) -> Decision:
    """What a station's message, or a gateway's word of its connection, leads to."""
    return DECIDE[type(command)](station, command, context)


def repeat(station: Station, verdict: BootVerdict, context: Context) -> Decision:
    """A boot that was decided before and is read again: the same verdict, and nothing happens."""
    return Decision(message_received(station, context).station, replace(verdict, now=context.now))


def _heartbeat(station: Station, _: Heartbeat, context: Context) -> Decision:
    return Decision(station, CurrentTime(context.now))


def _report_firmware_status(station: Station, command: ReportFirmwareStatus, context: Context) -> Decision:
    """Of the newest update (L01.FR.10): what a station says late of one before it is kept, and changes nothing here.

    Idle has no number (L01.FR.20), and neither has anything in 1.6 without its security extension.
    """
    known = station.firmware_status or FirmwareStatus("", context.envelope.at)
    number, earlier = command.request_id, known.earlier
    if number in earlier:
        return Decision(station)
    if number is not None and known.request_id not in (None, number):
        earlier = (*earlier, known.request_id)[-EARLIER_UPDATES:]
    after = FirmwareStatus(command.status, context.envelope.at, known.request_id if number is None else number, earlier)
    return Decision(replace(station, firmware_status=after))


def _report_security_event(station: Station, command: ReportSecurityEvent, context: Context) -> Decision:
    """Told as it came, however late: stations queue these while they are offline (A04.FR.02)."""
    event = SecurityEventReported(
        station_id=station.station_id,
        type=command.type,
        tech_info=command.tech_info,
        occurred_at=command.at,
        at=context.envelope.at,
        cause=context.envelope.id,
    )
    return Decision(station, events=(event,))


def _open_stream(station: Station, _: OpenStream, __: Context) -> Decision:
    """N11.FR.06: what comes is kept, as everything is that monitors tell."""
    return Decision(station, StreamAccepted())


def _unchanged(station: Station, _: Notification | ReportSettings, __: Context) -> Decision:
    """Kept elsewhere: verbatim, and settings by their projection."""
    return Decision(station)


def _present(choose: Decide) -> Decide:
    """A station that sends something is here, whatever it says (G02.FR.04)."""

    def chosen(station: Station, command: Command, context: Context) -> Decision:
        present = message_received(station, context)
        decision = choose(present.station, command, context)
        return replace(decision, events=present.events + decision.events)

    return chosen


COMMANDS: Mapping[type, Decide] = {
    Boot: boot,
    ReportConnectorStatus: report_connector_status,
    ReportConnectorStates: report_connector_states,
    ReportFirmwareStatus: _report_firmware_status,
    ReportSecurityEvent: _report_security_event,
    ReportSettings: _unchanged,
    DataTransfer: data_transfer,
    Heartbeat: _heartbeat,
    OpenStream: _open_stream,
    Notification: _unchanged,
}
CONNECTION_UPDATES: Mapping[type, Decide] = {
    ConnectionOpened: connection_opened,
    ConnectionAlive: connection_alive,
    ConnectionClosed: connection_closed,
}
DECIDE: Mapping[type, Decide] = {
    **{kind: _present(choose) for kind, choose in COMMANDS.items()},
    **CONNECTION_UPDATES,
}
