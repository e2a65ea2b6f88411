"""The records that the gateway writes: their topic, their key, and whether they are sent again."""

from collections.abc import Callable

from services.common.kafka.bus import Header, Record
from services.ocpp import topics
from services.ocpp.services import SERVICES
from voltbus.v1.bus_pb2 import Call, Close, ConnectionChange, Frame, Outbound, Probe, RefusedHandshakes, Result

TopicName = Callable[[str], str]
OnAcknowledged = Callable[[], None]


class OutgoingRecord(Record, frozen=True):
    """A record on its way. on_acknowledged: called when Kafka has it. resend: sent again when Kafka gives it up."""

    on_acknowledged: OnAcknowledged | None = None
    resend: bool = False


class Records:
    """name: gives the name that a topic has on this broker. frames: whether the topic of frames is written."""

    def __init__(self, name: TopicName, *, frames: bool = True) -> None:
        self.calls = {service: name(topics.calls(service).name) for service in SERVICES}
        self._results = {service: name(topics.results(service).name) for service in SERVICES}
        self._connections = name(topics.CONNECTIONS.name)
        self._frames = name(topics.FRAMES.name) if frames else ""
        self._refusals = name(topics.REFUSALS.name)
        self.outbound = name(topics.OUTBOUND.name)

    def call(
        self,
        service: str,
        call: Call,
        on_acknowledged: OnAcknowledged | None = None,
        headers: tuple[Header, ...] = (),
        resend: bool = False,
    ) -> OutgoingRecord:
        """Not sent again: a station that has no answer does so itself. resend: it waits for none."""
        topic, key = self.calls[service], call.station_id.encode()
        value = call.SerializeToString()
        return OutgoingRecord(topic, key, value, headers, on_acknowledged=on_acknowledged, resend=resend)

    def result(self, service: str, result: Result, headers: tuple[Header, ...] = ()) -> OutgoingRecord | None:
        """None if no such service is known: nobody would read it."""
        topic, key = self._results.get(service), result.station_id.encode()
        return OutgoingRecord(topic, key, result.SerializeToString(), headers, resend=True) if topic else None

    def change(self, change: ConnectionChange) -> OutgoingRecord:
        return OutgoingRecord(self._connections, change.station_id.encode(), change.SerializeToString(), resend=True)

    def frame(self, frame: Frame) -> OutgoingRecord | None:
        """None if nobody wants to know."""
        topic, key = self._frames, frame.station_id.encode()
        return OutgoingRecord(topic, key, frame.SerializeToString(), resend=True) if topic else None

    def refusals(self, refusals: RefusedHandshakes) -> OutgoingRecord:
        return OutgoingRecord(self._refusals, refusals.gateway.encode(), refusals.SerializeToString(), resend=True)

    def close(self, station_id: str, connection_id: str, slot: int, replaced_by: str) -> OutgoingRecord:
        """Ends a connection of another gateway. replaced_by: where the newer one comes from."""
        close = Close(reason=replaced(replaced_by), replaced_by=replaced_by)
        return self._to(slot, Outbound(station_id=station_id, connection_id=connection_id, close=close))

    def probe(self, station_id: str, connection_id: str, slot: int) -> OutgoingRecord:
        """Asks a connection of another gateway whether it is alive."""
        return self._to(slot, Outbound(station_id=station_id, connection_id=connection_id, probe=Probe()))

    def _to(self, slot: int, body: Outbound) -> OutgoingRecord:
        key, value = body.connection_id.encode(), body.SerializeToString()
        return OutgoingRecord(self.outbound, key, value, partition=slot, resend=True)


def replaced(by: str) -> str:
    """Why a connection is closed for a newer one. by: where that comes from; empty: not known."""
    return f"replaced by a newer connection from {by}" if by else "replaced by a newer connection"
