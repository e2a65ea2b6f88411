"""The wiring of transactions, for production and tests alike."""

from redis.asyncio import Redis

from services.common.calls import message_log_api
from services.common.calls.call import Replies
from services.common.calls.stations import Stations
from services.common.commands import api as commands_api
from services.common.commands.catalogue import Catalogue
from services.common.commands.routes import RedisRoutes
from services.common.commands.service import CommandService
from services.common.kafka.bus import Bus
from services.common.kafka.consumer import Consumer
from services.common.kafka.events import Events
from services.common.kafka.table import CompactedTable
from services.common.postgres.database import Database
from services.common.postgres.outbox import Relay
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.web.access import Access
from services.common.web.app import web
from services.ocpp import commands, topics
from services.transactions.api import transactions as api
from services.transactions.handlers import Handler
from services.transactions.remote import WORDS
from services.transactions.sample_partitions import Months
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
    tokens = CompactedTable(bus, tokens_topic, read_token)
    stations = Stations(bus, registered, inventory)
    catalogue = Catalogue(commands.forms(NAME), WORDS, commands.owners())
    command_service = CommandService(
        NAME, database, bus, RedisRoutes(redis), stations, events, catalogue, outbound, relay.wake, clock
    )
    handler = Handler(Store(database), tokens, command_service, events, Replies(outbound), results, dead, clock)
    consumer = Consumer(bus, NAME, [calls, results], handler.handle, dead, clock, lanes=2)

    async def consume() -> None:
        # A driver must not be refused because the tokens are still being read.
        await tokens.wait()
        await consumer.run()

    app = web(NAME, "Charging transactions and their meter values; remote start and stop.", api.TAGS)
    access = Access(settings)
    app.include_router(api.router(database, command_service, tokens, access))
    app.include_router(message_log_api.router(database, access, api.READ))
    commands_api.install(app, command_service, database, access, NAME, clock)
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
            "commands": command_service.run,
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
