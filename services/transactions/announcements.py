"""The domain's news as messages of events.proto."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from services.transactions.domain import sequence
from services.transactions.domain.decide import Orphan
from services.transactions.domain.messages import Kind, MeterValue, Outside, Reading, Report
from services.transactions.domain.transaction import Transaction
from voltbus.v1 import events_pb2 as pb

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPECIAL = frozenset({"signed", "custom_data"})

# Fields of a message as a dict: made into protobuf in C, all at once.
Fields = dict[str, Any]
Happened = pb.TransactionStarted | pb.TransactionUpdated | pb.TransactionEnded

# ChargingStateEnumType of OCPP 2.x.
CHARGING_STATE: Mapping[str | None, pb.ChargingState] = {
    None: pb.CHARGING_STATE_UNSPECIFIED,
    "Idle": pb.CHARGING_STATE_IDLE,
    "EVConnected": pb.CHARGING_STATE_EV_CONNECTED,
    "Charging": pb.CHARGING_STATE_CHARGING,
    "SuspendedEV": pb.CHARGING_STATE_SUSPENDED_EV,
    "SuspendedEVSE": pb.CHARGING_STATE_SUSPENDED_EVSE,
}


def happened(report: Report, after: Transaction, version: str) -> Happened:
    """What a report made of its transaction, with the meter values it brought. version: of its message."""
    state, values = transaction(after, version), meter_values(report.meter_values, report.received_at)
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
        stopped_at=moment(stop.stopped_at),
        received_at=moment(stop.received_at),
    )


def outside(values: Outside) -> pb.MeterValuesRecorded:
    return pb.MeterValuesRecorded(
        station_id=values.station_id,
        evse_id=values.evse_id,
        connector_id=values.connector_id,
        meter_values=meter_values(values.meter_values, values.received_at),
    )


def transaction(one: Transaction, version: str) -> Fields:
    """The state as others see it; what is not known is left out."""
    return {
        "id": one.id,
        "station_id": one.station_id,
        "evse_id": one.evse_id,
        "connector_id": one.connector_id,
        "transaction_id": one.transaction_id,
        "id_token": one.id_token,
        "id_token_type": one.id_token_type,
        "status": pb.TRANSACTION_STATUS_ENDED if one.ended else pb.TRANSACTION_STATUS_ACTIVE,
        "started_at": moment(one.started_at),
        "stopped_at": moment(one.stopped_at),
        "meter_start_wh": one.meter_start_wh,
        "meter_stop_wh": one.meter_stop_wh,
        "energy_wh": one.energy_wh,
        "stop_reason": one.stop_reason,
        "charging_state": CHARGING_STATE.get(one.charging_state, pb.CHARGING_STATE_UNKNOWN),
        "reported_charging_state": one.charging_state,
        "authorization": one.authorization,
        "missing_seq_nos": sequence.missing(one.seen) if len(one.seen) > 1 else None,
        "register_jumped_back": one.register_jumped_back,
        "command_id": one.command_id,
        "stop_id_token": one.stop_id_token,
        "version": version,
    }


def meter_values(values: Iterable[MeterValue], received_at: datetime) -> list[Fields]:
    received = moment(received_at)
    return [
        {"taken_at": moment(value.taken_at), "received_at": received, "readings": list(map(_reading, value.readings))}
        for value in values
    ]


def moment(at: datetime | None) -> Fields | None:
    """A Timestamp. protobuf takes a datetime too, and is slower by far."""
    if at is None:
        return None
    since = at - EPOCH
    return {"seconds": since.days * 86400 + since.seconds, "nanos": since.microseconds * 1000}


def _reading(made: Reading) -> Fields:
    """A Reading, which has the same names."""
    if not SPECIAL & made.keys():
        return made
    signed = made.get("signed")
    written = signed if isinstance(signed, str) else orjson.dumps(signed).decode()
    plain = {name: value for name, value in made.items() if name not in SPECIAL}
    return plain | ({} if signed is None else {"signed_value": written})
