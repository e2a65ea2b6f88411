"""The domain's news as messages of events.proto."""

from collections.abc import Iterable
from datetime import datetime

import orjson

from services.common.wire.voltbus.v1 import events_pb2 as pb
from services.transactions.domain import sequence
from services.transactions.domain.decide import Orphan
from services.transactions.domain.messages import Kind, MeterValue, Outside, Reading, Report
from services.transactions.domain.transaction import Transaction

Happened = pb.TransactionStarted | pb.TransactionUpdated | pb.TransactionEnded


def happened(report: Report, after: Transaction) -> Happened:
    """What a report made of its transaction, with the meter values it brought."""
    state, values = transaction(after), meter_values(report.meter_values, report.received_at)
    if report.kind == Kind.STARTED:
        return pb.TransactionStarted(transaction=state, meter_values=values, offline=report.offline)
    if report.kind == Kind.ENDED:
        return pb.TransactionEnded(transaction=state, meter_values=values, offline=report.offline)
    return pb.TransactionUpdated(
        transaction=state, meter_values=values, trigger_reason=report.trigger or "", offline=report.offline
    )


def orphan(stop: Orphan) -> pb.OrphanStopRecorded:
    return pb.OrphanStopRecorded(
        station_id=stop.station_id,
        transaction_id=stop.transaction_id,
        meter_stop_wh=stop.meter_stop_wh,
        stopped_at=stop.stopped_at,
        received_at=stop.received_at,
    )


def outside(values: Outside) -> pb.MeterValuesRecorded:
    return pb.MeterValuesRecorded(
        station_id=values.station_id,
        evse_id=values.evse_id or 0,
        connector_id=values.connector_id or 0,
        meter_values=meter_values(values.meter_values, values.received_at),
    )


def transaction(one: Transaction) -> pb.Transaction:
    """The state as others see it; what is not known is left out."""
    return pb.Transaction(
        id=one.id,
        station_id=one.station_id,
        evse_id=one.evse_id or 0,
        connector_id=one.connector_id or 0,
        transaction_id=one.transaction_id,
        id_token=one.id_token or "",
        status=one.status,
        started_at=one.started_at,
        stopped_at=one.stopped_at,
        meter_start_wh=one.meter_start_wh,
        meter_stop_wh=one.meter_stop_wh,
        energy_wh=one.energy_wh,
        stop_reason=one.stop_reason or "",
        charging_state=one.charging_state or "",
        authorization=one.authorization or "",
        missing_seq_nos=sequence.missing(one.seen),
        register_jumped_back=one.register_jumped_back,
        command_id=one.command_id or "",
        stop_id_token=one.stop_id_token or "",
    )


def meter_values(values: Iterable[MeterValue], received_at: datetime) -> list[pb.MeterValue]:
    return [
        pb.MeterValue(taken_at=value.taken_at, received_at=received_at, readings=[_reading(r) for r in value.readings])
        for value in values
    ]


def _reading(made: Reading) -> pb.Reading:
    signed = made.get("signed")
    if signed is not None and not isinstance(signed, str):
        signed = orjson.dumps(signed).decode()
    return pb.Reading(
        value=made.get("value"),
        measurand=made["measurand"],
        unit=made["unit"],
        phase=made.get("phase"),
        context=made.get("context"),
        location=made.get("location"),
        signed_value=signed,
    )
