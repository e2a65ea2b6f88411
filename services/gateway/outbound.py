"""Reads this gateway's partition of ocpp.outbound: replies, commands and closes for its connections."""

import structlog
from google.protobuf.message import DecodeError

from services.common.calls.connection_ids import gateway_of
from services.common.kafka.bus import Bus, PartitionTail, Record
from services.common.kafka.traced import traceparent_of
from services.common.process.backoff import retry_until_available
from services.gateway import metrics
from services.gateway.cluster.slot_lease import SlotLease
from services.gateway.connection import Connection
from services.gateway.ocppj.actions import Reason
from services.gateway.pressure.producer import Producer
from services.gateway.records import Records
from services.gateway.registry import Registry
from services.gateway.timing import Seconds
from services.gateway.transport.transport import CloseCode
from voltbus.v1.bus_pb2 import OUTCOME_UNDELIVERED, Frame, Outbound, Outcome, Result

log = structlog.get_logger()


class OutboundDelivery:
    """Delivers records to the connections they name; what names none is dropped and counted.

    nonce: of this gateway. wall: the clock of records, in seconds since 1970.
    """

    def __init__(
        self,
        bus: Bus,
        registry: Registry,
        *,
        producer: Producer,
        records: Records,
        lease: SlotLease,
        nonce: str,
        wall: Seconds,
    ) -> None:
        self._bus, self._registry, self._producer, self._records = bus, registry, producer, records
        self._lease, self._nonce, self._wall = lease, nonce, wall
        self._tail: PartitionTail | None = None

    async def open(self) -> None:
        """Takes the position at the end, before any station can cause a record. Raises Unavailable."""
        self._tail = await self._bus.read_tail(self._records.outbound, self._lease.slot)

    async def run(self) -> None:
        """Delivers until cancelled; what was written while Kafka did not answer is delivered when it does."""
        assert self._tail is not None
        while True:
            for record in await retry_until_available(self._tail.poll):
                self.deliver(record)

    def deliver(self, record: Record) -> None:
        """One record; never raises for what is in it."""
        try:
            self._deliver(Outbound.FromString(record.value or b""), record)
        except Exception as error:
            # One bad record must not take away the connections of all others.
            self._drop(Reason.UNREADABLE_RECORD, "")
            expected = isinstance(error, DecodeError)
            place = {"partition": record.partition, "offset": record.offset}
            log.error("record skipped", reason=type(error).__name__, exc_info=None if expected else error, **place)

    def _deliver(self, outbound: Outbound, record: Record) -> None:
        connection = self._registry.get(outbound.connection_id)
        match outbound.WhichOneof("body"):
            case "reply" if connection:
                connection.reply(outbound.reply)
            case "close" if connection and outbound.close.HasField("replaced_by"):
                connection.replace(outbound.close.replaced_by)
            case "close" if connection:
                connection.close(CloseCode(outbound.close.code or CloseCode.REPLACED), outbound.close.reason)
            case "probe" if connection:
                connection.probe()
            case "command":
                self._command(outbound, connection, record)
            case "reply":
                self._reply_lost(outbound)
            case _:
                self._drop(Reason.NO_CONNECTION, outbound.station_id)

    def _reply_lost(self, outbound: Outbound) -> None:
        self._drop(Reason.NO_CONNECTION, outbound.station_id)
        frame = Frame(
            station_id=outbound.station_id,
            connection_id=outbound.connection_id,
            message_id=outbound.reply.message_id,
            action=outbound.reply.action,
            description="the connection was gone before its answer",
            dropped=Reason.NO_CONNECTION,
        )
        frame.at.FromMicroseconds(int(self._wall() * 1e6))
        if record := self._records.frame(frame):
            self._producer.add(record)

    def _command(self, outbound: Outbound, connection: Connection | None, record: Record) -> None:
        """Another gateway may have had this slot, or have it by now: each speaks of its own connections only."""
        if gateway_of(outbound.connection_id) != self._nonce:
            self._drop(Reason.NO_CONNECTION, outbound.station_id)
        elif connection and self._lease.valid:
            connection.command(outbound.command, traceparent_of(record))
        else:
            self._undelivered(outbound, record, "the slot may be lost" if connection else "the connection is gone")

    def _undelivered(self, outbound: Outbound, came: Record, reason: str) -> None:
        """A command is not for a later connection."""
        command = outbound.command
        result = Result(
            command_id=command.id,
            station_id=outbound.station_id,
            connection_id=outbound.connection_id,
            action=command.action,
            request=command.payload,
            outcome=OUTCOME_UNDELIVERED,
            error_description=reason,
        )
        result.at.FromMicroseconds(int(self._wall() * 1e6))
        metrics.RESULTS.labels(Outcome.Name(result.outcome), "").inc()
        if record := self._records.result(command.service, result, came.headers):
            self._producer.add(record)

    def _drop(self, reason: Reason, station_id: str) -> None:
        metrics.DROPPED.labels(reason).inc()
        log.info("dropped", reason=reason, station_id=station_id)
