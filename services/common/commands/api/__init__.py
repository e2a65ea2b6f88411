"""All of the REST API of commands, the same for every service."""

from services.common.commands.api import actions, batches, commands
from services.common.commands.service import CommandService
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.web.access import Access
from services.common.web.app import WebApp
from services.common.web.overview import Services


def install(
    app: WebApp,
    command_service: CommandService,
    database: Database,
    access: Access,
    service: str,
    clock: Clock,
    services: Services,
) -> None:
    """Adds it to an app. service: its name, which its scopes begin with. services: where the others are."""
    app.include_router(actions.router(command_service, access, service, services))
    app.include_router(commands.router(command_service, access, service))
    app.include_router(batches.router(command_service, database, access, service, clock, services))
    for module in (actions, batches):
        app.components |= module.components(command_service.catalogue.forms)
