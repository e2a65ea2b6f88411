"""The wiring of auth, for production and tests alike."""

from services.auth.api import routers
from services.auth.handlers import Handler
from services.auth.passwords import Passwords
from services.auth.publication import Publication
from services.auth.settings import Settings
from services.auth.store import Store
from services.common.access import Access
from services.common.bus import Bus
from services.common.calls import Replies
from services.common.clock import Clock
from services.common.consumer import Consumer
from services.common.database import Database
from services.common.outbox import Relay
from services.common.service import Service, web
from services.ocpp import topics

NAME = "auth"


def build(settings: Settings, bus: Bus, database: Database, clock: Clock) -> Service:
    """The process, not yet started."""
    relay = Relay(database, bus)
    store = Store(database, Publication(settings, NAME), relay.wake)
    handler = Handler(store, Replies(settings.topic(topics.OUTBOUND.name)), clock)
    calls, dead = (settings.topic(topic.name) for topic in (topics.calls(NAME), topics.dead(NAME)))
    consumer = Consumer(bus, NAME, [calls], handler.handle, dead, clock)
    app = web(NAME, "Who may connect and who may charge: stations with their passwords, and idTokens.")
    passwords = Passwords(settings.password_key.get_secret_value())
    for router in routers(store, passwords, Access(settings), clock):
        app.include_router(router)
    return Service(
        name=NAME,
        settings=settings,
        port=settings.auth_port,
        port_setting="VOLTBUS_AUTH_PORT",
        app=app,
        tasks={"consumer": consumer.run, "outbox": relay.run},
        checks={"kafka": bus.ready, "consumer": consumer.ready, "postgres": database.ready},
        opens=(bus.start, database.start),
        drains=(consumer.stop,),
        closes=(database.close, bus.close),
    )
