"""The records that the gateway writes: which topic, which key."""

from collections.abc import Callable

from services.common.bus import Record
from services.common.wire import Call, Close, ConnectionChange, Outbound, Result
from services.ocpp import topics

Name = Callable[[str], str]


class Records:
    """name: what a topic is called on this broker."""

    def __init__(self, name: Name) -> None:
        self._calls = {service: name(topics.calls(service).name) for service in topics.SERVICES}
        self._results = {service: name(topics.results(service).name) for service in topics.SERVICES}
        self._connections = name(topics.CONNECTIONS.name)
        self.outbound = name(topics.OUTBOUND.name)

    def call(self, service: str, call: Call) -> Record:
        return Record(self._calls[service], call.station_id.encode(), call.SerializeToString())

    def result(self, service: str, result: Result) -> Record | None:
        """None where no such service is known: nobody would read it."""
        topic = self._results.get(service)
        return Record(topic, result.station_id.encode(), result.SerializeToString()) if topic else None

    def change(self, change: ConnectionChange) -> Record:
        return Record(self._connections, change.station_id.encode(), change.SerializeToString())

    def close(self, station_id: str, connection_id: str, slot: int, reason: str) -> Record:
        """Ends a connection of another gateway."""
        body = Outbound(station_id=station_id, connection_id=connection_id, close=Close(reason=reason))
        return Record(self.outbound, connection_id.encode(), body.SerializeToString(), partition=slot)
