"""The wiring of firmware, for production and tests alike."""

from redis.asyncio import Redis

from services.common.calls.call import Replies
from services.common.calls.stations import Stations
from services.common.commands import api as commands_api
from services.common.commands.catalogue import Catalogue
from services.common.commands.routes import RedisRoutes
from services.common.commands.service import CommandService
from services.common.kafka.bus import Bus
from services.common.kafka.consumer import Consumer
from services.common.kafka.events import Events
from services.common.postgres.database import Database
from services.common.postgres.outbox import Relay
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.web.access import Access
from services.common.web.app import web
from services.firmware.api import stations as api
from services.firmware.configuration.api import stations as configuration
from services.firmware.configuration.applying import Applying
from services.firmware.configuration.fold import Fold
from services.firmware.handlers import Handler
from services.firmware.offline_detector import Sweep
from services.firmware.settings import Settings
from services.ocpp import commands, topics

NAME = "firmware"


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    """The process, not yet started."""
    calls, results, connections, outbound, dead, registered, inventory = (
        settings.topic(topic.name)
        for topic in (
            *(topics.calls(NAME), topics.results(NAME), topics.CONNECTIONS, topics.OUTBOUND, topics.dead(NAME)),
            *(topics.STATIONS, topics.INVENTORY),
        )
    )
    rules, events, relay = settings.rules(), Events(settings, NAME), Relay(database, bus, dead, clock)
    stations = Stations(bus, registered, inventory)
    catalogue = Catalogue(commands.forms(NAME), owners=commands.owners())
    fold, routes = Fold(events, clock), RedisRoutes(redis)
    command_service = CommandService(
        NAME, database, bus, routes, stations, events, catalogue, outbound, relay.wake, clock, fold.ended
    )
    applying = Applying(database, command_service, fold, settings.configuration_reading, clock)
    handler = Handler(
        database, command_service, fold, events, Replies(outbound), rules, connections, results, inventory, clock
    )
    consumer = Consumer(bus, NAME, [calls, connections, results], handler.handle, dead, clock, lanes=2)

    async def hearing() -> bool:
        return await bus.ready() and consumer.ready() and consumer.lag() < settings.batch

    sweep = Sweep(database, events, rules.silence, hearing, relay.wake, clock)
    app = web(NAME, "Which stations there are, what they are, and what they report of themselves.", api.TAGS)
    access = Access(settings)
    app.include_router(api.router(database, access))
    app.include_router(configuration.router(database, command_service, access, clock))
    commands_api.install(app, command_service, database, access, NAME, clock)
    return Service(
        name=NAME,
        settings=settings,
        port=settings.firmware_port,
        port_setting="VOLTBUS_FIRMWARE_PORT",
        app=app,
        tasks={
            "consumer": consumer.run,
            "outbox": relay.run,
            "stations": stations.run,
            "commands": command_service.run,
            "sweep": sweep.run,
            "configuration": applying.run,
        },
        checks={"kafka": bus.ready, "stations": stations.ready, "consumer": consumer.ready, "postgres": database.ready},
        opens=(bus.start, database.start),
        drains=(consumer.stop,),
        closes=(database.close, bus.close, redis.aclose),
    )
