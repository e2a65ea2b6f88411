"""The wiring of transactions, for production and tests alike."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from redis.asyncio import Redis

from services.common.commands.command import Command, Unrenderable
from services.common.kafka.bus import Bus
from services.common.kafka.table import CompactedTable
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.process.service import Service, Step
from services.common.wiring import wire
from services.transactions import metrics
from services.transactions.api import TAGS, routers
from services.transactions.backfill import AssignmentBackfill
from services.transactions.blocked import BlockedSessions, ChangedTokens
from services.transactions.closing import Closing
from services.transactions.dialects import DIALECTS
from services.transactions.ending import Ending
from services.transactions.graces import DEFAULT_TIMING, Graces, Timing, hurry_answered
from services.transactions.handlers import Handler
from services.transactions.kept import TABLES
from services.transactions.limiting import Limiting
from services.transactions.remote import RENDERERS
from services.transactions.restoring import Renumbering
from services.transactions.reviews import Reviews
from services.transactions.settings import Settings
from services.transactions.store import Store
from services.transactions.swap_guard import swaps_of_the_unauthorized
from services.transactions.tokens import read_token

NAME = "transactions"
# Nobody waits for what is made of the events of firmware.
LINGER = 0.2


def build(
    settings: Settings,
    bus: Bus,
    database: Database,
    redis: Redis,
    clock: Clock,
    timing: Timing = DEFAULT_TIMING,
) -> Service:
    """The process, not yet started. timing: of sessions whose EVSE is free."""

    async def unfit(db: Connection, commands: Sequence[Command]) -> Mapping[str, Unrenderable]:
        return await of_the_unauthorized(db, commands)

    wiring = wire(
        NAME, settings, bus, database, redis, clock, renders=RENDERERS, on_ended=hurry_answered(clock), unfit=unfit
    )
    topics, command_service, access = wiring.topics, wiring.command_service, wiring.access
    changed_tokens = ChangedTokens()
    tokens = CompactedTable(bus, topics.tokens, read_token, on_change=changed_tokens.note)
    of_the_unauthorized = swaps_of_the_unauthorized(tokens, wiring.stations, clock)
    store = Store(database, wiring.stations.assignment)
    ending = Ending(stations=wiring.stations, events=wiring.events, wake=wiring.relay.wake)
    closing = Closing(store=store, ending=ending, clock=clock)
    graces = Graces(
        store=store,
        ending=ending,
        command_service=command_service,
        shell=wiring.batches(DIALECTS),
        limit=timedelta(seconds=settings.session_grace),
        clock=clock,
        timing=timing,
    )
    reviews = Reviews(store=store, stations=wiring.stations, events=wiring.events, wake=wiring.relay.wake, clock=clock)
    limiting = Limiting(
        store=store, stations=wiring.stations, events=wiring.events, wake=wiring.relay.wake, clock=clock
    )
    handler = Handler(
        store=store,
        tokens=tokens,
        stations=wiring.stations,
        shell=wiring.batches(DIALECTS),
        events=wiring.events,
        renumbering=Renumbering(wiring.events),
    )
    consumer = wiring.consumer(handler.handle, lanes=2)
    firmware = wiring.reader("stations", [topics.events["firmware"]], graces.handle, linger=LINGER)

    async def consume() -> None:
        # A driver must not be refused because the tokens are still being read; sessions keep the groups of stations.
        await tokens.wait()
        await wiring.stations.wait()
        await consumer.run()

    blocked = BlockedSessions(
        database=database,
        command_service=command_service,
        tokens=tokens,
        changed=changed_tokens,
        default=settings.on_block,
        clock=clock,
    )
    tasks: Mapping[str, Step] = {
        "tokens": tokens.run,
        "consumer": consume,
        "graces": graces.run,
        "blocked": blocked.run,
        "backfill": AssignmentBackfill(database, wiring.stations.assignment).run,
    }
    return wiring.service(
        consumer,
        routers(database, command_service, tokens, closing, reviews, limiting, access),
        description="Charging transactions and their meter values; remote start and stop.",
        tables=TABLES,
        tags=TAGS,
        tasks=tasks,
        checks={"tokens": tokens.ready},
        readers={"firmware": firmware},
        measures=metrics.MEASURES,
    )
