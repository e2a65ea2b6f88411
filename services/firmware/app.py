"""The wiring of firmware, for production and tests alike."""

from redis.asyncio import Redis

from services.common.kafka.bus import Bus
from services.common.kafka.events import Events
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.wiring import wire
from services.firmware.api import stations as api
from services.firmware.configuration.api import stations as configuration
from services.firmware.configuration.projection import SettingsProjection
from services.firmware.configuration.reconciler import SettingsReconciler
from services.firmware.dialects import DIALECTS
from services.firmware.handlers import Handler
from services.firmware.offline_detector import OfflineDetector
from services.firmware.settings import Settings

NAME = "firmware"


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    """The process, not yet started."""
    projection = SettingsProjection(Events(settings, NAME), clock)
    wiring = wire(NAME, settings, bus, database, redis, clock, on_ended=projection.apply_commands)
    topics, command_service, events, access = wiring.topics, wiring.command_service, wiring.events, wiring.access
    rules = settings.rules()
    reconciler = SettingsReconciler(database, command_service, projection, settings.configuration_reading, clock)
    handler = Handler(database, wiring.batches(DIALECTS), projection, events, rules, topics.inventory)
    consumer = wiring.consumer(handler.handle, [topics.connections], lanes=2)

    async def hearing() -> bool:
        return await bus.ready() and bool(consumer.ready()) and consumer.lag() < settings.batch

    offline_detector = OfflineDetector(database, events, rules.silence, hearing, wiring.relay.wake, clock)
    return wiring.service(
        consumer,
        [api.router(database, access), configuration.router(database, command_service, access, clock)],
        description="Which stations there are, what they are, and what they report of themselves.",
        tags=api.TAGS,
        tasks={"sweep": offline_detector.run, "configuration": reconciler.run},
    )
