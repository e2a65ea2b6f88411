"""The wiring of firmware, for production and tests alike."""

from services.common.access import Access
from services.common.bus import Bus
from services.common.calls import Replies
from services.common.clock import Clock
from services.common.consumer import Consumer
from services.common.database import Database
from services.common.events import Events
from services.common.outbox import Relay
from services.common.service import Service, web
from services.firmware import api
from services.firmware.handlers import Handler
from services.firmware.settings import Settings
from services.firmware.sweep import Sweep
from services.ocpp import topics

NAME = "firmware"


def build(settings: Settings, bus: Bus, database: Database, clock: Clock) -> Service:
    """The process, not yet started."""
    calls, connections, outbound, dead = (
        settings.topic(topic.name)
        for topic in (topics.calls(NAME), topics.CONNECTIONS, topics.OUTBOUND, topics.dead(NAME))
    )
    rules, events, relay = settings.rules(), Events(settings, NAME), Relay(database, bus)
    handler = Handler(database, events, Replies(outbound), rules, connections, relay.wake, clock)
    consumer = Consumer(bus, NAME, [calls, connections], handler.handle, dead, clock)

    async def hearing() -> bool:
        return await bus.ready() and consumer.ready() and consumer.lag() < settings.batch

    sweep = Sweep(database, events, rules.silence, hearing, relay.wake, clock)
    app = web(NAME, "Which stations there are, what they are, whether they are here, what they report of themselves.")
    app.include_router(api.router(database, Access(settings)))
    return Service(
        name=NAME,
        settings=settings,
        port=settings.firmware_port,
        port_setting="VOLTBUS_FIRMWARE_PORT",
        app=app,
        tasks={"consumer": consumer.run, "outbox": relay.run, "sweep": sweep.run},
        checks={"kafka": bus.ready, "consumer": consumer.ready, "postgres": database.ready},
        opens=(bus.start, database.start),
        drains=(consumer.stop,),
        closes=(database.close, bus.close),
    )
