"""All of the REST API of commands, the same for every service."""

from collections.abc import Sequence

from services.common.commands.api import actions, batches, commands
from services.common.commands.api import verbs as verbs_api
from services.common.commands.api.many import Batches
from services.common.commands.api.verbs import Verb
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
    verbs: Sequence[Verb] = (),
) -> None:
    """Adds it to an app.

    service: its name, which its scopes begin with. services: where the others are. verbs: in no version's words.
    """
    app.include_router(actions.router(command_service, access, service, services))
    app.include_router(commands.router(command_service, access, service))
    many = Batches(command_service, database, clock)
    app.include_router(verbs_api.router(verbs, command_service, many, access, service))
    app.include_router(batches.router(many, command_service.catalogue, access, service, services))
    for module in (actions, batches):
        app.components |= module.components(command_service.catalogue.forms)
