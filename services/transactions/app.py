"""The wiring of transactions, for production and tests alike."""

from redis.asyncio import Redis

from services.common import commands_rest, history
from services.common.access import Access
from services.common.bus import Bus
from services.common.calls import Replies
from services.common.clock import Clock
from services.common.commands_catalogue import Catalogue
from services.common.commands_desk import Desk
from services.common.commands_routes import RedisRoutes
from services.common.consumer import Consumer
from services.common.copies import Copy
from services.common.database import Database
from services.common.events import Events
from services.common.outbox import Relay
from services.common.service import Service
from services.common.stations import Stations
from services.common.web import web
from services.ocpp import commands, topics
from services.transactions import api
from services.transactions.handlers import Handler
from services.transactions.months import Months
from services.transactions.remote import WORDS
from services.transactions.settings import Settings
from services.transactions.store import Store
from services.transactions.tokens import read_token

NAME = "transactions"


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    """The process, not yet started."""
    calls, results, outbound, dead, tokens_topic, registered, inventory = (
        settings.topic(topic.name)
        for topic in (
            *(topics.calls(NAME), topics.results(NAME), topics.OUTBOUND, topics.dead(NAME)),
            *(topics.TOKENS, topics.STATIONS, topics.INVENTORY),
        )
    )
    events, relay, months = Events(settings, NAME), Relay(database, bus, dead, clock), Months(database, clock)
    tokens = Copy(bus, tokens_topic, read_token)
    stations = Stations(bus, registered, inventory)
    catalogue = Catalogue(commands.forms(NAME), WORDS, commands.owners())
    desk = Desk(NAME, database, bus, RedisRoutes(redis), stations, events, catalogue, outbound, relay.wake, clock)
    handler = Handler(Store(database), tokens, desk, events, Replies(outbound), results, dead, clock)
    consumer = Consumer(bus, NAME, [calls, results], handler.handle, dead, clock, lanes=2)

    async def consume() -> None:
        # A driver must not be refused because the tokens are still being read.
        await tokens.wait()
        await consumer.run()

    app = web(NAME, "Charging transactions and their meter values; remote start and stop.", api.TAGS)
    access = Access(settings)
    app.include_router(api.router(database, desk, tokens, access))
    app.include_router(history.router(database, access, api.READ))
    commands_rest.install(app, desk, database, access, NAME, clock)
    return Service(
        name=NAME,
        settings=settings,
        port=settings.transactions_port,
        port_setting="VOLTBUS_TRANSACTIONS_PORT",
        app=app,
        tasks={
            "tokens": tokens.run,
            "stations": stations.run,
            "consumer": consume,
            "outbox": relay.run,
            "commands": desk.run,
            "months": months.run,
        },
        checks={
            "kafka": bus.ready,
            "tokens": tokens.ready,
            "stations": stations.ready,
            "consumer": consumer.ready,
            "postgres": database.ready,
        },
        opens=(bus.start, database.start, months.prepare),
        drains=(consumer.stop,),
        closes=(database.close, bus.close, redis.aclose),
    )
