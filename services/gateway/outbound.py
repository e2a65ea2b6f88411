"""Reads this gateway's partition of ocpp.outbound: replies, commands and closes for its connections."""

from typing import TYPE_CHECKING

import structlog
from google.protobuf.message import DecodeError

from services.common.calls.connection_ids import gateway_of
from services.common.kafka.bus import Bus, PartitionTail, Record
from services.common.process.backoff import retry_until_available
from services.gateway import metrics
from services.gateway.cluster.slots import Slots
from services.gateway.ocppj.actions import Reason
from services.gateway.pressure.producer import Producer
from services.gateway.records import Records
from services.gateway.registry import Registry
from services.gateway.transport.websocket import Now
from voltbus.v1.bus_pb2 import OUTCOME_UNDELIVERED, Outbound, Outcome, Result

if TYPE_CHECKING:
    from services.gateway.connection import Connection

REPLACED = 1000

log = structlog.get_logger()


class Delivery:
    """Hands records to the connections they name; what names none is dropped and counted. nonce: of this gateway."""

    def __init__(
        self, bus: Bus, registry: Registry, producer: Producer, records: Records, slots: Slots, nonce: str, now: Now
    ) -> None:
        self._bus, self._registry, self._producer, self._records, self._now = bus, registry, producer, records, now
        self._slots, self._nonce = slots, nonce
        self._tail: PartitionTail | None = None

    async def open(self) -> None:
        """Takes the position at the end, before any station can cause a record. Raises Unavailable."""
        self._tail = await self._bus.tail(self._records.outbound, self._slots.slot)

    async def run(self) -> None:
        """Delivers until cancelled; what was written while Kafka did not answer comes when it does."""
        assert self._tail is not None
        while True:
            for record in await retry_until_available(self._tail.poll):
                self.deliver(record)

    def deliver(self, record: Record) -> None:
        """One record; never raises for what is in it."""
        try:
            self._deliver(Outbound.FromString(record.value or b""))
        except Exception as error:
            # One bad record must not take away the connections of all others.
            self._dropped(Reason.UNREADABLE_RECORD, "")
            known = isinstance(error, DecodeError)
            where = {"partition": record.partition, "offset": record.offset}
            log.error("record left out", reason=type(error).__name__, exc_info=None if known else error, **where)

    def _deliver(self, outbound: Outbound) -> None:
        connection = self._registry.get(outbound.connection_id)
        match outbound.WhichOneof("body"):
            case "reply" if connection:
                connection.reply(outbound.reply)
            case "close" if connection:
                connection.close(REPLACED, outbound.close.reason)
            case "command":
                self._command(outbound, connection)
            case _:
                self._dropped(Reason.NO_CONNECTION, outbound.station_id)

    def _command(self, outbound: Outbound, connection: "Connection | None") -> None:
        """Another gateway may have had this slot, or have it by now: each speaks of its own connections only."""
        if gateway_of(outbound.connection_id) != self._nonce:
            self._dropped(Reason.NO_CONNECTION, outbound.station_id)
        elif connection and self._slots.certain:
            connection.command(outbound.command)
        else:
            self._undelivered(outbound, "the slot may be lost" if connection else "the connection is gone")

    def _undelivered(self, outbound: Outbound, why: str) -> None:
        """A command is not for a later connection."""
        command = outbound.command
        result = Result(
            command_id=command.id,
            station_id=outbound.station_id,
            connection_id=outbound.connection_id,
            action=command.action,
            request=command.payload,
            outcome=OUTCOME_UNDELIVERED,
            error_description=why,
        )
        result.at.FromMicroseconds(int(self._now() * 1e6))
        metrics.RESULTS.labels(Outcome.Name(result.outcome), "").inc()
        if record := self._records.result(command.service, result):
            self._producer.add(record)

    def _dropped(self, reason: Reason, station_id: str) -> None:
        metrics.DROPPED.labels(reason).inc()
        log.info("dropped", reason=reason, station_id=station_id)
