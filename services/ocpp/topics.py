"""Every Kafka topic, as a type: its name, what its key and value are, how it is kept. See docs/topics.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self

from services.ocpp.services import SERVICES

WEEK = 7 * 24 * 3600 * 1000
DAY = 24 * 3600 * 1000


class Spread(Enum):
    """How many partitions a topic has: by setting (VOLTBUS_PARTITIONS), or one for each gateway slot."""

    PARTITIONS = "partitions"
    SLOTS = "slots"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. retention_ms: how long a record is kept; None: compacted, the newest of each key stays."""

    name: str
    key: str
    value: str
    retention_ms: int | None
    producer: str
    consumers: str
    spread: Spread = Spread.PARTITIONS


def calls(service: str) -> Topic:
    """CALLs of stations for the service that owns their action."""
    return Topic(f"ocpp.calls.{service}", "station_id", "voltbus.v1.Call", WEEK, "gateway", f"{service}, firmware.log")


def results(service: str) -> Topic:
    """What became of the commands that a service sent to stations."""
    return Topic(
        f"ocpp.results.{service}", "station_id", "voltbus.v1.Result", WEEK, "gateway", f"{service}, firmware.log"
    )


def events(service: str) -> Topic:
    """Domain events of a service, for everybody else."""
    key = "station_id, id_token, location_id or site_id"
    readers = {
        "transactions": "smartcharging, firmware.list, anyone",
        "firmware": "transactions.stations, smartcharging, anyone",
    }
    return Topic(f"events.{service}", key, "a message of events.proto", WEEK, service, readers.get(service, "anyone"))


def dead(service: str) -> Topic:
    """Records that a service could not handle, as they were, with the reason in their headers."""
    return Topic(f"dead.{service}", "as it was", "as it was", 4 * WEEK, service, "operators")


OUTBOUND = Topic(
    "ocpp.outbound", "connection_id", "voltbus.v1.Outbound", DAY, "all services", "gateway, firmware.log", Spread.SLOTS
)
CONNECTIONS = Topic(
    "ocpp.connections",
    "station_id",
    "voltbus.v1.ConnectionChange",
    WEEK,
    "gateway",
    "firmware, firmware.log, smartcharging, auth.lists",
)
FRAMES = Topic("ocpp.frames", "station_id", "voltbus.v1.Frame", WEEK, "gateway", "firmware.log")
REFUSALS = Topic("ocpp.refusals", "gateway", "voltbus.v1.RefusedHandshakes", WEEK, "gateway", "firmware.list")
CREDENTIALS = Topic("credentials", "station_id", "voltbus.v1.Credentials", None, "auth", "gateway")
REVOCATIONS = Topic(
    "revocations", "fingerprint, or serial number and issuer", "voltbus.v1.Revocation", None, "auth", "gateway"
)
REGISTRATIONS = Topic(
    "registrations", "station_id", "voltbus.v1.Registration", None, "auth", "all services, firmware.list, anyone"
)
LOCATIONS = Topic("locations", "location_id", "voltbus.v1.Location", None, "auth", "firmware.list, anyone")
INVENTORY = Topic("inventory", "station_id", "voltbus.v1.Inventory", None, "firmware", "all services, anyone")
TOKENS = Topic("tokens", "type/id_token in lower case", "voltbus.v1.Token", None, "auth", "transactions, anyone")

ALL = (
    OUTBOUND,
    CONNECTIONS,
    FRAMES,
    REFUSALS,
    CREDENTIALS,
    REVOCATIONS,
    REGISTRATIONS,
    LOCATIONS,
    INVENTORY,
    TOKENS,
    *(kind(service) for kind in (calls, results, events, dead) for service in SERVICES),
)


class Naming(Protocol):
    """Settings that say what comes before every name."""

    def topic(self, name: str) -> str:
        """What a topic is called on this broker."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics that one service reads and writes, as they are called on this broker. events: by service."""

    calls: str
    results: str
    dead: str
    outbound: str
    connections: str
    refusals: str
    credentials: str
    registrations: str
    locations: str
    inventory: str
    tokens: str
    events: Mapping[str, str]

    @classmethod
    def of(cls, settings: Naming, service: str) -> Self:
        """Those of a service by its name."""
        return cls(
            calls=settings.topic(calls(service).name),
            results=settings.topic(results(service).name),
            dead=settings.topic(dead(service).name),
            outbound=settings.topic(OUTBOUND.name),
            connections=settings.topic(CONNECTIONS.name),
            refusals=settings.topic(REFUSALS.name),
            credentials=settings.topic(CREDENTIALS.name),
            registrations=settings.topic(REGISTRATIONS.name),
            locations=settings.topic(LOCATIONS.name),
            inventory=settings.topic(INVENTORY.name),
            tokens=settings.topic(TOKENS.name),
            events={name: settings.topic(events(name).name) for name in SERVICES},
        )
