"""REST of smartcharging: sites, charging profiles, and the messages that were recorded."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.common.calls import message_log_api
from services.common.commands.service import CommandService
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.web.access import Access
from services.smartcharging.api import profiles, sites, stored
from services.smartcharging.api.fields import READ
from services.smartcharging.sites import Sites

TAGS = {
    "sites": "Stations that share a limit, and how it is shared now.",
    "profiles": "The charging profiles of stations, and those that are kept to be installed.",
}


def routers(
    database: Database,
    command_service: CommandService,
    sites_: Sites,
    access: Access,
    announcer: Announcer,
    clock: Clock,
) -> Sequence[APIRouter]:
    """Everything that smartcharging serves under /v1."""
    return (
        sites.router(sites_, access, clock),
        profiles.router(database, command_service, access),
        stored.router(database, access, announcer, clock),
        message_log_api.router(database, access, READ),
    )
