"""Reads this gateway's partition of ocpp.outbound: replies, commands and closes for its connections."""

from collections.abc import AsyncIterator, Sequence

import structlog
from google.protobuf.message import DecodeError

from services.common.backoff import patiently
from services.common.bus import Bus, Record
from services.common.errors import Unavailable
from services.common.wire import OUTCOME_UNDELIVERED, Command, Outbound, Outcome, Result
from services.gateway import metrics
from services.gateway.actions import Reason
from services.gateway.produce import Producer
from services.gateway.records import Records
from services.gateway.registry import Registry
from services.gateway.websocket import Now

REPLACED = 1000

log = structlog.get_logger()


class Delivery:
    """Hands records to the connections they name; what names none is dropped and counted."""

    def __init__(self, bus: Bus, registry: Registry, producer: Producer, records: Records, now: Now) -> None:
        self._bus, self._registry, self._producer, self._records, self._now = bus, registry, producer, records, now
        self._slot = -1
        self._reader: AsyncIterator[Sequence[Record]] | None = None

    async def open(self, slot: int) -> None:
        """Takes the position at the end, before any station can cause a record. Raises Unavailable."""
        self._slot = slot
        self._reader = await self._bus.tail(self._records.outbound, slot)

    async def run(self) -> None:
        """Delivers until cancelled."""
        while True:
            try:
                await self._read()
            except Unavailable as error:
                log.warning("outbound is read again from its end", reason=str(error))
                await patiently(lambda: self.open(self._slot))

    async def _read(self) -> None:
        assert self._reader is not None
        async for records in self._reader:
            for record in records:
                self.deliver(record)

    def deliver(self, record: Record) -> None:
        """One record; never raises for what is in it."""
        try:
            outbound = Outbound.FromString(record.value or b"")
        except DecodeError:
            return self._dropped(Reason.UNREADABLE_RECORD, "")
        connection = self._registry.get(outbound.connection_id)
        match outbound.WhichOneof("body"):
            case "reply" if connection:
                connection.reply(outbound.reply)
            case "command" if connection:
                connection.command(outbound.command)
            case "close" if connection:
                connection.close(REPLACED, outbound.close.reason)
            case "command":
                self._undelivered(outbound)
            case _:
                self._dropped(Reason.NO_CONNECTION, outbound.station_id)
        return None

    def _undelivered(self, outbound: Outbound) -> None:
        """The connection is gone; the command is not for a later one."""
        command = outbound.command
        result = _undelivered(outbound, command)
        result.at.FromMicroseconds(int(self._now() * 1e6))
        metrics.RESULTS.labels(Outcome.Name(result.outcome), "").inc()
        if record := self._records.result(command.service, result):
            self._producer.add(record, kept=True)

    def _dropped(self, reason: Reason, station_id: str) -> None:
        metrics.DROPPED.labels(reason).inc()
        log.info("dropped", reason=reason, station_id=station_id)


def _undelivered(outbound: Outbound, command: Command) -> Result:
    return Result(
        command_id=command.id,
        station_id=outbound.station_id,
        connection_id=outbound.connection_id,
        action=command.action,
        request=command.payload,
        outcome=OUTCOME_UNDELIVERED,
        error_description="the connection is gone",
    )
