"""The records that the gateway writes: which topic, which key, and what becomes of them."""

from collections.abc import Callable

from services.common.kafka.bus import Record
from services.ocpp import topics
from services.ocpp.services import SERVICES
from voltbus.v1.bus_pb2 import Call, Close, ConnectionChange, Outbound, Result

Name = Callable[[str], str]
Done = Callable[[], None]


class Outgoing(Record, frozen=True):
    """A record on its way. done: called when Kafka has it. kept: sent again when Kafka gives it up."""

    done: Done | None = None
    kept: bool = False


class Records:
    """name: what a topic is called on this broker."""

    def __init__(self, name: Name) -> None:
        self.calls = {service: name(topics.calls(service).name) for service in SERVICES}
        self._results = {service: name(topics.results(service).name) for service in SERVICES}
        self._connections = name(topics.CONNECTIONS.name)
        self.outbound = name(topics.OUTBOUND.name)

    def call(self, service: str, call: Call, done: Done | None = None) -> Outgoing:
        """Not kept: a station that has no answer says it again."""
        return Outgoing(self.calls[service], call.station_id.encode(), call.SerializeToString(), done=done)

    def result(self, service: str, result: Result) -> Outgoing | None:
        """None where no such service is known: nobody would read it."""
        topic = self._results.get(service)
        return Outgoing(topic, result.station_id.encode(), result.SerializeToString(), kept=True) if topic else None

    def change(self, change: ConnectionChange) -> Outgoing:
        return Outgoing(self._connections, change.station_id.encode(), change.SerializeToString(), kept=True)

    def close(self, station_id: str, connection_id: str, slot: int, reason: str) -> Outgoing:
        """Ends a connection of another gateway."""
        body = Outbound(station_id=station_id, connection_id=connection_id, close=Close(reason=reason))
        return Outgoing(self.outbound, connection_id.encode(), body.SerializeToString(), partition=slot, kept=True)
