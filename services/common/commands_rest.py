"""All of the REST API of commands, the same for every service."""

from services.common import commands_actions, commands_api, commands_many
from services.common.access import Access
from services.common.clock import Clock
from services.common.commands_desk import Desk
from services.common.database import Database
from services.common.web import Web


def install(app: Web, desk: Desk, database: Database, access: Access, service: str, clock: Clock) -> None:
    """Adds it to an app. service: its name, which its scopes begin with."""
    app.include_router(commands_actions.router(desk, access, service))
    app.include_router(commands_api.router(desk, access, service))
    app.include_router(commands_many.router(desk, database, access, service, clock))
    for module in (commands_actions, commands_many):
        app.components |= module.components(desk.catalogue.forms)
