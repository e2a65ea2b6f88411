"""REST of firmware: the inventory, the messages that were recorded, and configuration."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.common.calls import message_log_api
from services.common.commands.service import CommandService
from services.common.desired.groups import DesiredGroups
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.web.access import Access
from services.firmware.api import disconnecting, maintenance, security_events, stations, uptime
from services.firmware.configuration import api as configuration
from services.firmware.configuration.requests import SettingsRequests
from services.firmware.disconnecting import Disconnecting
from services.firmware.rights import READ

TAGS = {
    "uptime": "How long connectors were usable, and maintenance windows, in which outages do not count.",
    "stations": "The inventory: which stations there are, what they are, and whether they are let in.",
    "security": "What matters for security: as stations report it, and as this side notices it.",
    "configuration": "The settings of a station: what they are, and setting them, whatever its version.",
    "log": "Every frame of a station: the first thing that support asks for.",
    "groups": "What is desired of the settings of all stations of a group, and which of them differ.",
}


def routers(
    database: Database,
    requests: SettingsRequests,
    desired: DesiredGroups,
    disconnections: Disconnecting,
    command_service: CommandService,
    access: Access,
    announcer: Announcer,
    clock: Clock,
) -> Sequence[APIRouter]:
    """Everything that firmware serves under /v1."""
    return (
        stations.router(database, access, announcer, command_service, clock),
        disconnecting.router(disconnections, command_service, access),
        uptime.router(database, access, clock),
        maintenance.router(database, access, announcer, clock),
        security_events.router(database, access),
        message_log_api.router(database, access, READ),
        *configuration.routers(requests, desired, access),
    )
