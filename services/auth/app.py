"""The wiring of auth, for production and tests alike."""

from redis.asyncio import Redis

from services.auth.api import TAGS, routers
from services.auth.handlers import Handler
from services.auth.passwords import Passwords
from services.auth.publication import Publication
from services.auth.settings import Settings
from services.auth.store import Store
from services.common.calls.call import Replies
from services.common.calls.stations import Stations
from services.common.commands import api as commands_api
from services.common.commands.catalogue import Catalogue
from services.common.commands.routes import RedisRoutes
from services.common.commands.service import CommandService
from services.common.kafka.bus import Bus
from services.common.kafka.consumer import Consumer
from services.common.postgres.database import Database
from services.common.postgres.outbox import Relay
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.web.access import Access
from services.common.web.app import web
from services.ocpp import commands, topics

NAME = "auth"


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    """The process, not yet started."""
    calls, results, outbound, dead, registered, inventory = (
        settings.topic(topic.name)
        for topic in (
            *(topics.calls(NAME), topics.results(NAME), topics.OUTBOUND, topics.dead(NAME)),
            *(topics.STATIONS, topics.INVENTORY),
        )
    )
    publication, relay = Publication(settings, NAME), Relay(database, bus, dead, clock)
    store, events = Store(database, publication, relay.wake), publication.events
    stations = Stations(bus, registered, inventory)
    catalogue = Catalogue(commands.forms(NAME), owners=commands.owners())
    command_service = CommandService(
        NAME, database, bus, RedisRoutes(redis), stations, events, catalogue, outbound, relay.wake, clock
    )
    handler = Handler(store, command_service, Replies(outbound), results, clock)
    consumer = Consumer(bus, NAME, [calls, results], handler.handle, dead, clock)
    app = web(NAME, "Who may connect and who may charge: stations with their passwords, and idTokens.", TAGS)
    passwords, access = Passwords(settings.password_key.get_secret_value()), Access(settings)
    for router in routers(store, passwords, access, clock):
        app.include_router(router)
    commands_api.install(app, command_service, database, access, NAME, clock)
    return Service(
        name=NAME,
        settings=settings,
        port=settings.auth_port,
        port_setting="VOLTBUS_AUTH_PORT",
        app=app,
        tasks={
            "consumer": consumer.run,
            "outbox": relay.run,
            "stations": stations.run,
            "commands": command_service.run,
        },
        checks={"kafka": bus.ready, "stations": stations.ready, "consumer": consumer.ready, "postgres": database.ready},
        opens=(bus.start, database.start),
        drains=(consumer.stop,),
        closes=(database.close, bus.close, redis.aclose),
    )
