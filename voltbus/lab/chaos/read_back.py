"""Reads what Voltbus has stored and published: Postgres as its superuser, Kafka without a group."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.common.kafka.bus import Record
from services.common.kafka.client import poll
from services.common.kafka.security import client_options
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.services import SERVICES
from voltbus.lab.chaos.expected import ChargingSession
from voltbus.lab.chaos.observed import (
    CommandRow,
    ForwardedCall,
    Observed,
    ObservedEvent,
    StoredSessions,
    StoredState,
    TransactionRow,
    reported,
)
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.bus_pb2 import Call

TRANSACTIONS = """
select id, station_id, transaction_id, started_at, stopped_at, meter_start_wh, meter_stop_wh, evse_id, energy_wh,
    register_jumped_back or doubts <> '[]'
from transactions.transaction where ($1::text[] is null or station_id = any($1)) and started_at >= $2"""
SAMPLES = """
select transaction_id, taken_at, count(*) from transactions.sample where transaction_id = any($1) group by 1, 2"""
ORPHANS = "select station_id, stopped_at, meter_stop_wh from transactions.orphan_stop"
COMMANDS = """
select id, station_id, status, outcome, connection_id, created_at, expires_at, ended_at, idempotency_key
from {service}.command"""
STATIONS = "select station_id, online, connection_id from firmware.station"
STATES = "select station_id, status from firmware.connector where evse_id = 1"
BOOTS = "select call_id from firmware.boot"
OPEN = "select count(*) from {service}.command where status in ('accepted', 'sent')"
UNTOLD = "select count(*) from {service}.outbox"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Message = pb.TransactionStarted | pb.TransactionUpdated | pb.TransactionEnded


class Postgres:
    """dsn: of its superuser. Every question opens a connection of its own, for this server is killed now and then."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def kept(self, sessions: Sequence[ChargingSession] | None) -> StoredSessions:
        """What there is of some sessions, or all there is."""
        stations = None if sessions is None else list({session.station for session in sessions})
        since = min((session.started_at for session in sessions or ()), default=EPOCH)
        rows = await self._all(TRANSACTIONS, stations, since)
        found = [TransactionRow(*row) for row in rows]
        samples = await self._all(SAMPLES, [row.id for row in found])
        orphans = {tuple(row) for row in await self._all(ORPHANS)}
        return StoredSessions(found, Counter({(number, at): count for number, at, count in samples}), orphans)

    async def whole(self) -> StoredState:
        """All that is looked at."""
        commands = [
            CommandRow(id, service, *rest)
            for service in SERVICES
            for id, *rest in await self._all(COMMANDS.format(service=service))
        ]
        return StoredState(
            kept=await self.kept(None),
            boots={row[0] for row in await self._all(BOOTS)},
            stations={name: (online, connection) for name, online, connection in await self._all(STATIONS)},
            states=dict(map(tuple, await self._all(STATES))),
            commands=commands,
        )

    async def open_commands(self) -> int:
        """Commands of all services that have not ended."""
        return await self._sum(OPEN)

    async def untold(self) -> int:
        """Transactions whose events have not left."""
        return await self._sum(UNTOLD)

    async def _sum(self, sql: str) -> int:
        return sum([(await self._all(sql.format(service=service)))[0][0] for service in SERVICES])

    async def _all(self, sql: str, *arguments: object) -> list[Any]:
        connection = await asyncpg.connect(self._dsn, timeout=10)
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()


class Kafka:
    """Reads on where it stopped, each time to the end. partitions: of each topic."""

    def __init__(self, settings: CommonSettings, partitions: int) -> None:
        self._options = client_options(settings)
        self._read: dict[str, Callable[[Record, Observed], None]] = {
            **{topics.events(service).name: read_event for service in SERVICES},
            **{topics.calls(service).name: read_call for service in SERVICES},
        }
        places = [TopicPartition(topic, number) for topic in self._read for number in range(partitions)]
        self._positions = dict.fromkeys(places, 0)

    async def read_on(self, observed: Observed) -> None:
        """Adds what has come since. Raises KafkaError and Unavailable."""
        consumer = AIOKafkaConsumer(**self._options, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(list(self._positions))
            ends = await consumer.end_offsets(list(self._positions))
            for place, position in self._positions.items():
                consumer.seek(place, position)
            while any(self._positions[place] < end for place, end in ends.items()):
                for place, records in (await poll(consumer, 1.0)).items():
                    for record in records:
                        self._read[place.topic](record, observed)
                    self._positions[place] = records[-1].offset + 1
        finally:
            await consumer.stop()


def read_call(record: Record, observed: Observed) -> None:
    """A record of ocpp.calls.<service>."""
    call = Call.FromString(record.value or b"")
    at = call.received_at.ToDatetime(UTC)
    observed.calls[call.message_id] = ForwardedCall(call.id, call.station_id, call.connection_id, call.slot, at)


def read_event(record: Record, observed: Observed) -> None:
    """A record of events.<service>, in protobuf."""
    headers = {name: value.decode() for name, value in record.headers}
    kind = headers["ce_type"].rpartition(".")[2]
    more = READ[kind](record.value or b"") if kind in READ else {}
    observed.add(ObservedEvent(headers["ce_id"], kind, headers["ce_subject"], record.written_ms / 1000, **more))


def _started(value: bytes) -> Mapping[str, Any]:
    event = pb.TransactionStarted.FromString(value)
    return {"transaction": event.transaction.id, "at": event.transaction.started_at.ToDatetime(UTC)}


def _updated(value: bytes) -> Mapping[str, Any]:
    event = pb.TransactionUpdated.FromString(value)
    return {
        "transaction": event.transaction.id,
        "at": event.meter_values[0].taken_at.ToDatetime(UTC) if event.meter_values else None,
    }


def _ended(value: bytes) -> Mapping[str, Any]:
    event = pb.TransactionEnded.FromString(value)
    return {"transaction": event.transaction.id, "at": event.transaction.stopped_at.ToDatetime(UTC)}


def _orphan(value: bytes) -> Mapping[str, Any]:
    return {"at": pb.OrphanStopRecorded.FromString(value).stopped_at.ToDatetime(UTC)}


def _changed(value: bytes) -> Mapping[str, Any]:
    event = pb.CommandChanged.FromString(value)
    outcome, status = pb.CommandOutcome.Name(event.outcome), pb.CommandStatus.Name(event.status)
    step = outcome.removeprefix("COMMAND_OUTCOME_") if event.outcome else status.removeprefix("COMMAND_STATUS_")
    return {"command": event.command_id, "step": step.lower()}


def _status(value: bytes) -> Mapping[str, Any]:
    event = pb.ConnectorStatusChanged.FromString(value)
    return {"step": reported(event.reported_status, event.error_code)}


READ: Mapping[str, Callable[[bytes], Mapping[str, Any]]] = {
    "TransactionStarted": _started,
    "TransactionUpdated": _updated,
    "TransactionEnded": _ended,
    "OrphanStopRecorded": _orphan,
    "CommandChanged": _changed,
    "ConnectorStatusChanged": _status,
}
