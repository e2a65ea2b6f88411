"""What has happened as messages of events.proto."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import orjson

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.energy import EnergySource
from services.transactions.domain.messages import MeterValue, Reading, Report, StationSamples
from services.transactions.domain.orphans import OrphanStop
from services.transactions.domain.review import Review
from services.transactions.domain.revisions import Revision, RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction
from voltbus.v1 import events_pb2 as pb

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONVERTED = frozenset({"signed", "custom_data"})
# Fields of Transaction that have the same name here, and the same value.
PLAIN = (
    *("id", "station_id", "evse_id", "connector_id", "transaction_id", "id_token", "id_token_type", "authorization"),
    *("stop_id_token", "command_id", "superseded_by", "meter_start_wh", "energy_wh"),
)
plain = attrgetter(*PLAIN)

# The fields of a message as a dict, which protobuf converts in C, all at once.
Fields = dict[str, Any]
TransactionMessage = pb.TransactionStarted | pb.TransactionUpdated | pb.TransactionEnded | pb.TransactionRevised

# ChargingStateEnumType of OCPP 2.x.
CHARGING_STATE: Mapping[str | None, pb.ChargingState] = {
    "Idle": pb.CHARGING_STATE_IDLE,
    "EVConnected": pb.CHARGING_STATE_EV_CONNECTED,
    "Charging": pb.CHARGING_STATE_CHARGING,
    "SuspendedEV": pb.CHARGING_STATE_SUSPENDED_EV,
    "SuspendedEVSE": pb.CHARGING_STATE_SUSPENDED_EVSE,
}
ENDED_BY: Mapping[str | None, pb.EndedBy] = {
    None: pb.ENDED_BY_UNSPECIFIED,
    EndedBy.STATION: pb.ENDED_BY_STATION,
    EndedBy.SUPERSEDED: pb.ENDED_BY_SUPERSEDED,
    EndedBy.JOINED: pb.ENDED_BY_JOINED,
    EndedBy.AVAILABLE: pb.ENDED_BY_AVAILABLE,
    EndedBy.ASKED: pb.ENDED_BY_ASKED,
    EndedBy.OPERATOR: pb.ENDED_BY_OPERATOR,
}


# ENDED is told as TransactionEnded.
REASON: Mapping[RevisionReason, pb.RevisionReason] = {
    RevisionReason.LATE_END: pb.REVISION_REASON_LATE_END,
    RevisionReason.LATE_REPORT: pb.REVISION_REASON_LATE_REPORT,
    RevisionReason.REVIEWED: pb.REVISION_REASON_REVIEWED,
    RevisionReason.GOES_ON: pb.REVISION_REASON_GOES_ON,
}


DOUBT: Mapping[str, pb.Doubt] = {
    Doubt.CLOCK: pb.DOUBT_CLOCK,
    Doubt.STOP_BEFORE_START: pb.DOUBT_STOP_BEFORE_START,
    Doubt.REGISTER_FELL: pb.DOUBT_REGISTER_FELL,
    Doubt.REGISTER_LEAPT: pb.DOUBT_REGISTER_LEAPT,
    Doubt.REGISTER_WRAPPED: pb.DOUBT_REGISTER_WRAPPED,
    Doubt.ODD_READING: pb.DOUBT_ODD_READING,
    Doubt.UNUSABLE_READING: pb.DOUBT_UNUSABLE_READING,
    Doubt.UNIT_MISLABELLED: pb.DOUBT_UNIT_MISLABELLED,
    Doubt.METERS_DISAGREE: pb.DOUBT_METERS_DISAGREE,
    Doubt.NO_ENERGY: pb.DOUBT_NO_ENERGY,
    Doubt.REVIEW_CONTRADICTED: pb.DOUBT_REVIEW_CONTRADICTED,
    Doubt.TOLD_AGAIN: pb.DOUBT_TOLD_AGAIN,
}
# Of one that goes on there is none.
REVIEW: Mapping[str, pb.Review] = {
    Review.NONE: pb.REVIEW_NONE,
    Review.HELD: pb.REVIEW_HELD,
    Review.RELEASED: pb.REVIEW_RELEASED,
    Review.VOID: pb.REVIEW_VOID,
}
ENERGY_SOURCE: Mapping[str, pb.EnergySource] = {
    EnergySource.NONE: pb.ENERGY_SOURCE_NONE,
    EnergySource.REGISTER: pb.ENERGY_SOURCE_REGISTER,
    EnergySource.PHASES: pb.ENERGY_SOURCE_PHASES,
    EnergySource.INTERVALS: pb.ENERGY_SOURCE_INTERVALS,
    EnergySource.STEPS: pb.ENERGY_SOURCE_STEPS,
    EnergySource.SAMPLES: pb.ENERGY_SOURCE_SAMPLES,
    EnergySource.OPERATOR: pb.ENERGY_SOURCE_OPERATOR,
}


def transaction_changed(
    report: Report, after: Transaction, revision: Revision | None, version: str, *, starts: bool
) -> TransactionMessage:
    """What a report changed in its transaction, with the meter values it brought. version: of its message.

    starts: it tells the start, and the first time.
    """
    state = transaction_fields(after, version)
    values = meter_value_fields(report.meter_values, report.received_at)
    if revision:
        return _revised(revision, state, values, report.offline)
    if starts and not after.ended:
        return pb.TransactionStarted(transaction=state, meter_values=values, offline=report.offline)
    return pb.TransactionUpdated(
        transaction=state, meter_values=values, trigger_reason=report.trigger or "", offline=report.offline
    )


def transaction_settled(after: Transaction, version: str) -> pb.TransactionUpdated:
    """A transaction that goes on, of which another one of its EVSE has made something else."""
    return pb.TransactionUpdated(transaction=transaction_fields(after, version))


def revised(after: Transaction, revision: Revision, version: str) -> TransactionMessage:
    """A transaction that ended by other than a report, or that an operator has decided of.

    version: that its station has spoken.
    """
    return _revised(revision, transaction_fields(after, version), [], offline=False)


def cause(call_id: str, revision: Revision | None) -> str:
    """What makes an event of a transaction this one and no other."""
    return f"{revision.transaction_id}/{revision.number}" if revision else call_id


def _revised(revision: Revision, state: Fields, values: list[Fields], offline: bool) -> TransactionMessage:
    decided = {"author": audit.author, "note": audit.note} if (audit := revision.audit) else {}
    if revision.reason == RevisionReason.ENDED:
        return pb.TransactionEnded(transaction=state, meter_values=values, offline=offline, **decided)
    changes = [
        {"field": one.field, "before": orjson.dumps(one.before).decode(), "after": orjson.dumps(one.after).decode()}
        for one in revision.changes
    ]
    return pb.TransactionRevised(
        transaction=state,
        revision=revision.number,
        reason=REASON[revision.reason],
        changes=changes,
        meter_values=values,
        offline=offline,
        **decided,
    )


def orphan_stop_recorded(stop: OrphanStop) -> pb.OrphanStopRecorded:
    return pb.OrphanStopRecorded(
        station_id=stop.station_id,
        transaction_id=stop.transaction_id,
        meter_stop_wh=stop.meter_stop_wh,
        stopped_at=timestamp_fields(stop.stopped_at),
        received_at=timestamp_fields(stop.received_at),
    )


def meter_values_recorded(samples: StationSamples) -> pb.MeterValuesRecorded:
    return pb.MeterValuesRecorded(
        station_id=samples.station_id,
        evse_id=samples.evse_id,
        connector_id=samples.connector_id,
        meter_values=meter_value_fields(samples.meter_values, samples.received_at),
    )


def transaction_fields(one: Transaction, version: str) -> Fields:
    """The state as others see it; what is unknown is left out, and so is what has its default: both cost time."""
    made = {name: value for name, value in zip(PLAIN, plain(one), strict=True) if value is not None}
    made["version"] = version
    made["started_at"] = timestamp_fields(one.started_at)
    made["energy_source"] = ENERGY_SOURCE.get(one.energy_source, pb.ENERGY_SOURCE_UNKNOWN)
    if one.ended:
        made |= _end_fields(one)
    else:
        made["status"] = pb.TRANSACTION_STATUS_ACTIVE
    if (state := one.charging_state) is not None:
        made["charging_state"] = CHARGING_STATE.get(state, pb.CHARGING_STATE_UNKNOWN)
        made["reported_charging_state"] = state
    if len(one.sequence) > 1:
        made["missing_seq_nos"] = one.missing_seq_nos
    if doubts := one.doubts:
        made["doubts"] = [DOUBT[doubt] for doubt in doubts]
        made["register_jumped_back"] = one.register_jumped_back
    if revision := one.revision:
        made["revision"] = revision
    if (free_vend := one.free_vend) is not None:
        made |= {"free_vend": True, "free_vend_account": free_vend}
    if one.limit:
        made["limit"] = {**one.limit.wanted, "author": one.limit.author}
    if one.groups:
        made["groups"] = one.groups
    if one.location_id:
        made["location_id"] = one.location_id
    return made


def _end_fields(one: Transaction) -> Fields:
    """Those that only a transaction has that has ended."""
    return {
        "status": pb.TRANSACTION_STATUS_ENDED,
        "stopped_at": timestamp_fields(one.stopped_at),
        "meter_stop_wh": one.meter_stop_wh,
        "stop_reason": one.stop_reason,
        "ended_by": ENDED_BY.get(one.ended_by, pb.ENDED_BY_UNKNOWN),
        "complete": one.complete,
        "review": REVIEW.get(one.review, pb.REVIEW_UNKNOWN),
    }


def meter_value_fields(values: Sequence[MeterValue], received_at: datetime) -> list[Fields]:
    if not values:
        return []
    received = timestamp_fields(received_at)
    return [
        {
            "taken_at": timestamp_fields(value.taken_at),
            "received_at": received,
            "readings": list(map(_reading_fields, value.readings)),
        }
        for value in values
    ]


def timestamp_fields(at: datetime | None) -> Fields | None:
    """A Timestamp. protobuf takes a datetime too, and is slower by far."""
    if at is None:
        return None
    since = at - EPOCH
    return {"seconds": since.days * 86400 + since.seconds, "nanos": since.microseconds * 1000}


def _reading_fields(reading: Reading) -> Fields:
    """A Reading, which has the same field names."""
    if CONVERTED.isdisjoint(reading):
        return reading
    signed = reading.get("signed")
    signed_value = signed if isinstance(signed, str) else orjson.dumps(signed).decode()
    plain = {name: value for name, value in reading.items() if name not in CONVERTED}
    return plain | ({} if signed is None else {"signed_value": signed_value})
