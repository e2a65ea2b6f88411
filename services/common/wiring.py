"""What every service is wired from: the parts that all have, and the process that is made of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from fastapi import APIRouter
from redis.asyncio import Redis

from services.common.calls import metrics as call_metrics
from services.common.calls.batch import BatchShell
from services.common.calls.dialects import Dialects
from services.common.calls.stations import Stations
from services.common.commands import api as commands_api
from services.common.commands.api.verbs import Verb
from services.common.commands.catalogue import Catalogue, Render
from services.common.commands.dispatcher import WHOLE, Splitting, Unfit, all_fit
from services.common.commands.journal import OnEnded, ignore_ended
from services.common.commands.metrics import open_commands
from services.common.commands.routes import RedisRoutes, Routes
from services.common.commands.service import CommandService
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Bus
from services.common.kafka.consumer import Consumer, ConsumerTiming, Handle
from services.common.kafka.dead_letter_limit import DeadLetterLimits
from services.common.kafka.events import Events
from services.common.postgres.announcer import Announcer
from services.common.postgres.commit_marks import CommitMarks
from services.common.postgres.database import Database
from services.common.postgres.measures import Measure, Measures
from services.common.postgres.metrics import PARTITIONS_OVERDUE
from services.common.postgres.outbox import Relay
from services.common.postgres.retention import Retention, Table
from services.common.process import service as process
from services.common.process.clock import Clock, now
from services.common.process.health import Check
from services.common.process.redis import answers, connect
from services.common.process.service import Service, Step
from services.common.process.settings import CommonSettings
from services.common.process.tracing import Tracing
from services.common.push import events_api
from services.common.push.events_api import Streams
from services.common.push.feed import Feed
from services.common.push.webhooks import api as webhooks_api
from services.common.push.webhooks.delivery import Policy
from services.common.push.webhooks.leader import Webhooks
from services.common.push.webhooks.sender import Post
from services.common.web import one_address, overview, request_metrics
from services.common.web.access import Access, TokenFirst
from services.common.web.app import web_app
from services.common.web.outbound.client import Outbound
from services.common.web.overview import Services
from services.common.web.request_metrics import RequestMetrics
from services.common.web.request_traces import RequestTraces
from services.ocpp.acls import written_by
from services.ocpp.services import MEANINGS, SERVICES
from services.ocpp.topics import Topics

C = TypeVar("C")
S = TypeVar("S", bound=CommonSettings)
Build = Callable[[S, Bus, Database, Redis, Clock], Service]


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts that all services have, for one of them."""

    name: str
    settings: CommonSettings
    topics: Topics
    bus: Bus
    database: Database
    redis: Redis
    clock: Clock
    events: Events
    relay: Relay
    routes: Routes
    stations: Stations
    command_service: CommandService
    access: Access
    tracing: Tracing | None
    commit_marks: CommitMarks

    @property
    def announcer(self) -> Announcer:
        """Tells what operators have done."""
        return Announcer(self.events, self.relay.wake)

    def batches(self, dialects: Dialects[C]) -> BatchShell[C]:
        """What its handler reads batches with, and answers them."""
        return BatchShell(dialects=dialects, topics=self.topics, results=self.command_service, clock=self.clock)

    def consumer(self, handle: Handle, also: Sequence[str] = (), *, lanes: int = 1, linger: float = 0) -> Consumer:
        """Reads its calls and results, and the topics in `also`. lanes, linger: see Consumer."""
        topics = [self.topics.calls, self.topics.results, *also]
        return Consumer(
            self.bus,
            self.name,
            topics,
            handle=handle,
            dead_topic=self.topics.dead,
            clock=self.clock,
            lanes=lanes,
            linger=linger,
            limits=DeadLetterLimits.of(self.settings),
            timing=ConsumerTiming(max_held=self.settings.held_size),
            tracing=self.tracing,
            note=self.commit_marks.next,
        )

    def reader(self, group: str, topics: Sequence[str], handle: Handle, *, linger: float) -> Consumer:
        """Reads topics beside its own, in a group of its own, so that its calls do not wait for them. See Consumer."""
        return Consumer(
            self.bus,
            f"{self.name}.{group}",
            topics,
            handle=handle,
            dead_topic=self.topics.dead,
            clock=self.clock,
            linger=linger,
            limits=DeadLetterLimits.of(self.settings),
            timing=ConsumerTiming(max_held=self.settings.held_size),
            tracing=self.tracing,
            note=self.commit_marks.next,
        )

    def service(
        self,
        consumer: Consumer,
        routers: Iterable[APIRouter],
        *,
        description: str,
        tags: Mapping[str, str],
        tables: Sequence[Table] = (),
        verbs: Sequence[Verb] = (),
        tasks: Mapping[str, Step] | None = None,
        checks: Mapping[str, Check] | None = None,
        opens: Sequence[Step] = (),
        drains: Sequence[Step] = (),
        readers: Mapping[str, Consumer] | None = None,
        measures: Sequence[Measure] = (),
    ) -> Service:
        """The process, not yet started. verbs: what its stations can be asked in no version's words.

        tables: of its own, of which not all is kept for ever, and those that are partitioned.
        tasks, checks, opens, drains, measures: beside those of all services. readers: by their tasks.
        """
        info, beside = SERVICES[self.name], readers or {}
        app = web_app(self.name, description, tags)
        if self.tracing:
            app.add_middleware(RequestTraces, tracing=self.tracing)
        app.add_middleware(TokenFirst, access=self.access)
        services = Services(self.settings, MEANINGS)
        overview.install(app, services)
        one_address.install(app, services)
        for router in routers:
            app.include_router(router)
        streams, outbound = self._streams(), Outbound(self.settings.outbound_allow, self.settings.webhook_timeout)
        webhooks = self._webhooks(outbound)
        app.include_router(events_api.router(streams, self.access))
        app.include_router(
            webhooks_api.router(self.name, webhooks, self.settings.outbound_allow, self.access, self.announcer)
        )
        commands_api.install(
            app, self.command_service, self.database, self.access, self.name, self.clock, services, verbs
        )
        app.add_middleware(RequestMetrics)
        request_metrics.begin(app.routes)
        call_metrics.begin(self.name)
        retention = Retention(database=self.database, tables=tables, settings=self.settings, clock=self.clock)
        overdue = Measure(PARTITIONS_OVERDUE, retention.overdue, interval=600)
        measured = Measures(
            self.database, (open_commands, overdue, *measures), leads=lambda: self.relay.leads, clock=self.clock
        )

        read = {one.group: one.topics for one in (consumer, *beside.values())}

        async def require_all() -> None:
            await self.commit_marks.require_all(self.bus, read)

        everywhere: Mapping[str, Step] = {
            # Events say in which groups a station is, and where it is.
            "consumer": self._after_stations(consumer.run),
            "outbox": self.relay.run,
            "measures": measured.run,
            "retention": retention.run,
            "stations": self.stations.run,
            "commands": self.command_service.run,
            "events": streams.feed.run,
            # A webhook of a group must not miss what happens while it is not known who is in it.
            "webhooks": self._after_stations(webhooks.run),
        }
        closes = (self.tracing.close,) if self.tracing else ()
        servers: Mapping[str, Check] = {"kafka": self.bus.ready, "postgres": self.database.ready}
        ready: Mapping[str, Check] = {
            **servers,
            "stations": self.stations.ready,
            "consumer": consumer.ready,
        }
        return Service(
            name=self.name,
            settings=self.settings,
            port=getattr(self.settings, f"{self.name}_port"),
            port_setting=info.port_setting,
            app=app,
            tasks={**everywhere, **{name: one.run for name, one in beside.items()}, **(tasks or {})},
            checks={**ready, **{name: one.ready for name, one in beside.items()}, **(checks or {})},
            opens=(self.bus.start, self.database.start, require_all, retention.prepare, *opens),
            dependencies={**servers, "redis": lambda: answers(self.redis)},
            drains=(streams.stop, consumer.stop, *(one.stop for one in beside.values()), *drains),
            closes=(*closes, outbound.close, self.database.close, self.bus.close, self.redis.aclose),
        )

    def _streams(self) -> Streams:
        """Those who follow its events by REST."""
        feed = Feed(self.bus, self.topics.events[self.name])
        return Streams(self.name, feed, self.stations.assignment, most=self.settings.event_streams)

    def _webhooks(self, outbound: Outbound) -> Webhooks:
        """Those who are told its events."""
        policy = Policy(give_up=timedelta(seconds=self.settings.webhook_give_up))
        return Webhooks(
            self.bus,
            self.topics.events[self.name],
            Post(self.database, outbound, self.clock, policy),
            self.stations.assignment,
            backlog=self.settings.webhook_backlog,
        )

    def _after_stations(self, step: Step) -> Step:
        async def run() -> None:
            await self.stations.wait()
            await step()

        return run


def wire(
    name: str,
    settings: CommonSettings,
    bus: Bus,
    database: Database,
    redis: Redis,
    clock: Clock,
    *,
    renders: Mapping[str, Render] | None = None,
    on_ended: OnEnded = ignore_ended,
    unfit: Unfit = all_fit,
    splitting: Splitting = WHOLE,
) -> Wiring:
    """The parts of the service of that name.

    renders: its commands of no version, by action. on_ended: see OnEnded. unfit: see Unfit. splitting:
    see Splitting.
    """
    topics = Topics.of(settings, name)
    routes, stations = RedisRoutes(redis, settings.redis_prefix), Stations(bus, topics.registrations, topics.inventory)
    events, relay = (
        Events(settings, name, stations.assignment),
        Relay(database, bus, dead_topic=topics.dead, clock=clock),
    )
    tracing = Tracing.of(settings, name)
    command_service = CommandService(
        service=name,
        database=database,
        bus=bus,
        routes=routes,
        stations=stations,
        events=events,
        catalogue=Catalogue.of(name, renders or {}),
        outbound=topics.outbound,
        wake=relay.wake,
        clock=clock,
        on_ended=on_ended,
        unfit=unfit,
        splitting=splitting,
        tracing=tracing,
    )
    return Wiring(
        name=name,
        settings=settings,
        topics=topics,
        bus=bus,
        database=database,
        redis=redis,
        clock=clock,
        events=events,
        relay=relay,
        routes=routes,
        stations=stations,
        command_service=command_service,
        access=Access(settings, stations.groups_of),
        tracing=tracing,
        commit_marks=CommitMarks(database),
    )


def real(name: str, settings: type[S], build: Build[S]) -> Service:
    """The service on the real Kafka, Postgres and Redis. Raises Misconfigured."""
    read = settings.read()
    bus = KafkaBus(read, writes=[read.topic(topic) for topic in written_by(name)])
    return build(read, bus, Database(read, name), connect(read, 2), now)


def main(name: str, settings: type[S], build: Build[S]) -> None:
    """Runs the service until it is stopped."""
    process.main(lambda: real(name, settings, build), settings)
