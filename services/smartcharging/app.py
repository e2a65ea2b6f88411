"""The wiring of smartcharging, for production and tests alike."""

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
from services.ocpp import commands, topics
from services.smartcharging import api
from services.smartcharging.handlers import Handler, Topics
from services.smartcharging.remote import RENDERERS
from services.smartcharging.settings import Settings
from services.smartcharging.sharing import Sharing, mark_sites_of_ended
from services.smartcharging.sites import Sites

NAME = "smartcharging"
# It reads what has happened to others, a record at a time where little happens; a request for records costs as much
# as many of them.
LINGER = 0.1


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    """The process, not yet started."""
    calls, results, outbound, dead, registered, inventory, connections, sessions, connectors = (
        settings.topic(topic.name)
        for topic in (
            *(topics.calls(NAME), topics.results(NAME), topics.OUTBOUND, topics.dead(NAME)),
            *(topics.STATIONS, topics.INVENTORY, topics.CONNECTIONS),
            *(topics.events("transactions"), topics.events("firmware")),
        )
    )
    events, relay = Events(settings, NAME), Relay(database, bus, dead, clock)
    stations = Stations(bus, registered, inventory)
    catalogue, routes = Catalogue(commands.forms(NAME), RENDERERS, commands.owners()), RedisRoutes(redis)
    parts = (routes, stations, events, catalogue, outbound, relay.wake, clock)
    command_service = CommandService(NAME, database, bus, *parts, ended=mark_sites_of_ended(clock))
    sharing = Sharing(database, command_service, events, clock)
    heard = Topics(calls, results, connections)
    handler = Handler(database, command_service, sharing, events, Replies(outbound), heard, clock)
    consumer = Consumer(
        bus, NAME, [calls, results, connections, sessions, connectors], handler.handle, dead, clock, linger=LINGER
    )
    app = web(NAME, "Limits that stations share, charging profiles, and what stations report about them.", api.TAGS)
    access = Access(settings)
    sites = Sites(database, command_service, sharing, routes, events, clock)
    for router in api.routers(database, command_service, sites, access, clock):
        app.include_router(router)
    commands_api.install(app, command_service, database, access, NAME, clock)
    return Service(
        name=NAME,
        settings=settings,
        port=settings.smartcharging_port,
        port_setting="VOLTBUS_SMARTCHARGING_PORT",
        app=app,
        tasks={
            "consumer": consumer.run,
            "outbox": relay.run,
            "stations": stations.run,
            "commands": command_service.run,
            "sharing": sharing.run,
        },
        checks={"kafka": bus.ready, "stations": stations.ready, "consumer": consumer.ready, "postgres": database.ready},
        opens=(bus.start, database.start),
        drains=(consumer.stop,),
        closes=(database.close, bus.close, redis.aclose),
    )
