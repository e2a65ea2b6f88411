"""The wiring of firmware, for production and tests alike."""

from collections.abc import Sequence
from datetime import timedelta

from redis.asyncio import Redis

from services.common.commands.command import Command
from services.common.desired.reconciler import DEFAULT_TIMING, Timing
from services.common.kafka.bus import Bus
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.service import Service
from services.common.wiring import wire
from services.firmware import metrics
from services.firmware.api import TAGS, routers
from services.firmware.api.verbs import VERBS
from services.firmware.configuration import wiring as configuration_wiring
from services.firmware.configuration.capacity import SPLITTING
from services.firmware.configuration.projection import SettingsProjection
from services.firmware.dialects import DIALECTS
from services.firmware.disconnecting import Disconnecting
from services.firmware.frame_log import wiring as frame_log_wiring
from services.firmware.handlers import Handler
from services.firmware.history_expiry import HistoryExpiry
from services.firmware.kept import TABLES
from services.firmware.listing.keeper import ListKeeper
from services.firmware.listing.removals import Removals
from services.firmware.offline_detector import OfflineDetector
from services.firmware.remote import RENDERERS
from services.firmware.scheduled import ScheduledFollower
from services.firmware.settings import Settings

NAME = "firmware"
# Seconds: nobody waits for what the list is made of, and most events of transactions are nothing to it.
LINGER = 1.0


def build(
    settings: Settings,
    bus: Bus,
    database: Database,
    redis: Redis,
    clock: Clock,
    timing: Timing = DEFAULT_TIMING,
) -> Service:
    """The process, not yet started. timing: of what is desired of settings."""

    async def apply_commands(db: Connection, commands: Sequence[Command]) -> None:
        await projection.apply_commands(db, commands)

    wiring = wire(
        NAME,
        settings,
        bus,
        database,
        redis,
        clock,
        renders=RENDERERS,
        on_ended=apply_commands,
        splitting=SPLITTING,
    )
    topics, command_service, events, access = wiring.topics, wiring.command_service, wiring.events, wiring.access
    rules, projection = settings.rules(), SettingsProjection(events, topics.inventory, clock)
    configuration = configuration_wiring.wire(
        database=database,
        command_service=command_service,
        projection=projection,
        announcer=wiring.announcer,
        clock=clock,
        most=settings.configuration_reading,
        timing=timing,
    )
    frame_log = frame_log_wiring.wire(settings, bus, database, wiring.stations, access)
    handler = Handler(
        database=database,
        shell=wiring.batches(DIALECTS),
        projection=projection,
        events=events,
        rules=rules,
        inventory=topics.inventory,
    )
    consumer = wiring.consumer(handler.handle, [topics.connections], lanes=2)

    async def caught_up() -> bool:
        return bool(await bus.ready()) and bool(consumer.ready()) and consumer.lag() < settings.batch

    offline_detector = OfflineDetector(
        database=database,
        events=events,
        silence=rules.silence,
        caught_up=caught_up,
        wake=wiring.relay.wake,
        clock=clock,
    )
    scheduled = ScheduledFollower(database=database, command_service=command_service, clock=clock)
    disconnecting = Disconnecting(
        database=database,
        routes=wiring.routes,
        outbound=topics.outbound,
        wake=wiring.relay.wake,
        clock=clock,
    )
    keeper = ListKeeper.of(database, topics, clock, wiring.announcer)
    expiry = HistoryExpiry(database=database, clock=clock, kept=timedelta(days=settings.status_history_days))
    removals = Removals(bus=bus, database=database, registrations=topics.registrations, locations=topics.locations)
    return wiring.service(
        consumer,
        [
            *routers(
                database,
                configuration.requests,
                configuration.groups,
                disconnecting,
                command_service,
                access,
                wiring.announcer,
                clock,
            ),
            frame_log.router,
        ],
        description="Which stations there are, what they are, and what they report of themselves.",
        tables=TABLES,
        tags=TAGS,
        verbs=VERBS,
        tasks={
            "offline_detector": offline_detector.run,
            "scheduled": scheduled.run,
            "removals": removals.run,
            "history_expiry": expiry.run,
            **configuration.tasks,
            **frame_log.tasks,
        },
        readers={"list": wiring.reader("list", list(keeper.read), keeper.handle, linger=LINGER)},
        drains=(frame_log.stop,),
        measures=metrics.MEASURES,
    )
