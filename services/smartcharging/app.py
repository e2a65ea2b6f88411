"""The wiring of smartcharging, for production and tests alike."""

from services.common.access import Access
from services.common.bus import Bus
from services.common.calls import Replies
from services.common.clock import Clock
from services.common.consumer import Consumer
from services.common.database import Database
from services.common.events import Events
from services.common.outbox import Relay
from services.common.service import Service, web
from services.ocpp import topics
from services.smartcharging import api
from services.smartcharging.handlers import Handler
from services.smartcharging.settings import Settings

NAME = "smartcharging"


def build(settings: Settings, bus: Bus, database: Database, clock: Clock) -> Service:
    """The process, not yet started."""
    relay = Relay(database, bus)
    replies = Replies(settings.topic(topics.OUTBOUND.name))
    handler = Handler(database, Events(settings, NAME), replies, relay.wake, clock)
    calls, dead = (settings.topic(topic.name) for topic in (topics.calls(NAME), topics.dead(NAME)))
    consumer = Consumer(bus, NAME, [calls], handler.handle, dead, clock)
    app = web(NAME, "What stations report about charging limits, needs and schedules.")
    app.include_router(api.router(database, Access(settings)))
    return Service(
        name=NAME,
        settings=settings,
        port=settings.smartcharging_port,
        port_setting="VOLTBUS_SMARTCHARGING_PORT",
        app=app,
        tasks={"consumer": consumer.run, "outbox": relay.run},
        checks={"kafka": bus.ready, "consumer": consumer.ready, "postgres": database.ready},
        opens=(bus.start, database.start),
        drains=(consumer.stop,),
        closes=(database.close, bus.close),
    )
