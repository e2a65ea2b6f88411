"""REST of smartcharging: sites, charging profiles, and the messages that were recorded."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.common import history
from services.common.access import Access
from services.common.clock import Clock
from services.common.commands_desk import Desk
from services.common.database import Database
from services.smartcharging.api import profiles, sites, stored
from services.smartcharging.api.fields import READ
from services.smartcharging.sites import Sites

TAGS = {
    "sites": "Stations that share a limit, and how it is shared now.",
    "profiles": "The charging profiles of stations, and those that are kept to be installed.",
}


def routers(database: Database, desk: Desk, sites_: Sites, access: Access, clock: Clock) -> Sequence[APIRouter]:
    """Everything that smartcharging serves under /v1."""
    return (
        sites.router(sites_, access, clock),
        profiles.router(database, desk, access),
        stored.router(database, access, clock),
        history.router(database, access, READ),
    )
