"""build(settings, …): the only wiring of the gateway, used by production and tests alike."""

from services.common.kafka.bus import Bus
from services.common.process.service import Service
from services.common.web.app import web
from services.gateway.cluster.directory import Directory
from services.gateway.gateway import Gateway
from services.gateway.settings import Settings
from services.gateway.transport.websocket import Now


def build(settings: Settings, bus: Bus, directory: Directory, now: Now) -> Service:
    """The gateway as a process. now: seconds since 1970."""
    return assemble(Gateway(settings, bus, directory, now), bus)


def assemble(gateway: Gateway, bus: Bus) -> Service:
    """What runs, in which order it opens and closes, and when it is ready."""
    return Service(
        name="gateway",
        settings=gateway.settings,
        port=gateway.settings.gateway_http_port,
        port_setting="VOLTBUS_GATEWAY_HTTP_PORT",
        app=web("gateway", "Health, readiness and metrics of the gateway; stations connect to another port."),
        opens=(bus.start, gateway.slots.acquire, gateway.position, gateway.listener.open),
        tasks={
            "stations": gateway.stations.run,
            "admission": gateway.admission.run,
            "outbound": gateway.outbound.run,
            "routing": gateway.routing.run,
            "slot": gateway.keep_slot,
            "time": gateway.tick,
        },
        checks={
            "slot": lambda: gateway.slots.held,
            "kafka": bus.ready,
            "producer": lambda: gateway.producer.moving,
            "stations": gateway.stations.ready,
            "listener": lambda: gateway.listener.listening,
        },
        drains=(gateway.drain,),
        closes=(gateway.slots.release, bus.close),
    )
