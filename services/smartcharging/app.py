"""The wiring of smartcharging, for production and tests alike."""

from redis.asyncio import Redis

from services.common.kafka.bus import Bus
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.wiring import wire
from services.smartcharging import api, metrics
from services.smartcharging.dialects import DIALECTS
from services.smartcharging.handlers import Handler
from services.smartcharging.kept import TABLES
from services.smartcharging.profile_guard import in_place_of_another
from services.smartcharging.remote import RENDERERS
from services.smartcharging.settings import Settings
from services.smartcharging.sharing import Sharing, mark_sites_of_ended
from services.smartcharging.sites import Sites

NAME = "smartcharging"
# It reads what has happened to others, a record at a time where little happens; a request for records costs as much
# as many of them.
LINGER = 0.25


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    """The process, not yet started."""
    wiring = wire(
        NAME,
        settings,
        bus,
        database,
        redis,
        clock,
        renders=RENDERERS,
        on_ended=mark_sites_of_ended(clock),
        unfit=in_place_of_another(clock),
    )
    topics, command_service, events = wiring.topics, wiring.command_service, wiring.events
    sharing = Sharing(database, command_service, events, clock)
    handler = Handler(database, wiring.batches(DIALECTS), command_service, sharing, events, topics.connections, clock)
    also = [topics.connections, topics.events["transactions"], topics.events["firmware"]]
    sites = Sites(database, command_service, sharing, wiring.routes, events, wiring.announcer, clock)
    return wiring.service(
        wiring.consumer(handler.handle, also, linger=LINGER),
        api.routers(database, command_service, sites, wiring.access, wiring.announcer, clock),
        description="Limits that stations share, charging profiles, and what stations report about them.",
        tables=TABLES,
        tags=api.TAGS,
        tasks={"sharing": sharing.run},
        measures=metrics.MEASURES,
    )
