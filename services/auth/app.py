"""The wiring of auth, for production and tests alike."""

from datetime import timedelta

from redis.asyncio import Redis

from services.auth.api import TAGS, VERBS, routers
from services.auth.dialects import DIALECTS
from services.auth.group_settings import GroupSettings
from services.auth.handlers import Handler
from services.auth.passwords import Passwords
from services.auth.publication import Publication
from services.auth.republication import Republication
from services.auth.settings import Settings
from services.auth.store import Store
from services.common.authorization.decisions import DecisionExpiry
from services.common.kafka.bus import Bus
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.wiring import wire

NAME = "auth"


def build(settings: Settings, bus: Bus, database: Database, redis: Redis, clock: Clock) -> Service:
    """The process, not yet started."""
    wiring = wire(NAME, settings, bus, database, redis, clock)
    store = Store(database, Publication(settings, wiring.events), wiring.relay.wake)
    handler = Handler(store, wiring.stations, wiring.batches(DIALECTS))
    consumer, group_settings = wiring.consumer(handler.handle), GroupSettings(store, clock)
    republication = Republication(store)
    passwords = Passwords(settings.password_key.get_secret_value())
    expiry = DecisionExpiry(database=database, kept=timedelta(days=settings.decision_days), clock=clock)

    return wiring.service(
        consumer,
        routers(store, group_settings, passwords, wiring.stations, wiring.access, clock),
        description="Who may connect and who may charge: stations with their passwords, and idTokens.",
        tags=TAGS,
        verbs=VERBS,
        tasks={"decisions": expiry.run, "groups": group_settings.run},
        checks={"publication": republication.ready},
        opens=(republication.open,),
    )
