"""build(settings, …): the only wiring of the gateway, used by production and tests alike."""

from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Bus
from services.common.process.readiness import Answer, StayingReady
from services.common.process.redis import connect
from services.common.process.service import Service, ServiceTiming
from services.common.process.tracing import Tracing
from services.common.web import overview
from services.common.web.app import web_app
from services.common.web.overview import Services
from services.gateway import series
from services.gateway.cluster.directory import Directory, RedisDirectory
from services.gateway.gateway import Gateway
from services.gateway.settings import Settings
from services.gateway.timing import DEFAULT_TIMING, SYSTEM_CLOCKS, Clocks, Timing
from services.gateway.transport.listener import WebSocketListener
from services.gateway.transport.soap.listener import SoapListener
from services.ocpp.acls import GATEWAY, written_by
from services.ocpp.services import MEANINGS


def build(
    settings: Settings,
    bus: Bus,
    directory: Directory,
    *,
    clocks: Clocks = SYSTEM_CLOCKS,
    timing: Timing = DEFAULT_TIMING,
) -> Service:
    """The gateway as a process."""
    tracing = Tracing.of(settings, "gateway")
    gateway = Gateway(settings, bus, directory, clocks=clocks, timing=timing, tracing=tracing)
    listener = WebSocketListener(
        settings, gateway, clocks=clocks, timing=timing, memory=gateway.memory, turns=gateway.turns
    )
    soap = SoapListener(settings, gateway, listener.ports, clocks=clocks, timing=timing)
    return assemble(gateway, listener, soap, bus, directory, clocks=clocks)


def assemble(
    gateway: Gateway,
    listener: WebSocketListener,
    soap: SoapListener,
    bus: Bus,
    directory: Directory,
    *,
    clocks: Clocks = SYSTEM_CLOCKS,
) -> Service:
    """What runs, in which order it opens and closes, and when it is ready.

    The position in ocpp.outbound is taken before the listener opens: replies to its first connections must not be
    missed.
    """
    series.begin()
    kafka, producer = (StayingReady(gateway.settings.kafka_grace, clocks.monotonic) for _ in range(2))

    async def kafka_ready() -> Answer:
        return kafka.of(await bus.ready())

    app = web_app("gateway", "Health, readiness and metrics of the gateway; stations connect to another port.")
    overview.install(app, Services(gateway.settings, MEANINGS))
    closes = (gateway.tracing.close,) if gateway.tracing else ()
    return Service(
        name="gateway",
        settings=gateway.settings,
        port=gateway.settings.gateway_http_port,
        port_setting="VOLTBUS_GATEWAY_HTTP_PORT",
        app=app,
        opens=(bus.start, gateway.lease.acquire, gateway.outbound.open, listener.open, soap.open),
        tasks={
            "credentials": gateway.credentials.run,
            "revocations": gateway.revocations.run,
            "admission": gateway.admission.run,
            "certificates": listener.ports.certificates.run,
            "outbound": gateway.outbound.run,
            "routing": gateway.routing.run,
            "slot": gateway.keep_lease,
            "time": gateway.tick,
        },
        checks={
            "slot": gateway.lease.ready,
            "kafka": kafka_ready,
            "producer": lambda: producer.of(gateway.producer.progressing),
            "credentials": gateway.credentials.ready,
            "revocations": gateway.revocations.ready,
            "listener": lambda: listener.listening and soap.listening,
        },
        dependencies={"kafka": kafka_ready, "redis": directory.ready},
        drains=(listener.close, soap.close, gateway.drain),
        closes=(*closes, soap.end, gateway.lease.release, bus.close),
        timing=ServiceTiming(drain=gateway.longest_drain),
    )


def real() -> Service:
    """The gateway on the real Kafka and Redis, from the environment. Raises Misconfigured."""
    settings = Settings.read()
    directory = RedisDirectory(connect(settings, 5), settings.slot_ttl, settings.route_ttl, settings.redis_prefix)
    bus = KafkaBus(settings, writes=[settings.topic(topic) for topic in written_by(GATEWAY)])
    return build(settings, bus, directory)
