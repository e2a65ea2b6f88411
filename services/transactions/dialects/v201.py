"""OCPP 2.0.1: TransactionEvent, MeterValues, ReservationStatusUpdate; remote start and stop."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.common.calls.call import Call
from services.ocpp.v201 import id_token_info
from services.transactions.dialects.dialect import Dialect, OcppRequest, Payload
from services.transactions.dialects.meter import SampledValue, meter_values, power_of_ten, reading
from services.transactions.dialects.words import INT64, optional_integer, payload, timestamp, unreadable
from services.transactions.domain.grace import Standing
from services.transactions.domain.messages import (
    NAMED,
    Empty,
    Message,
    Reading,
    Report,
    ReportKind,
    Started,
    StationSamples,
    Updated,
    Verbatim,
)
from services.transactions.domain.remote import RemoteStart, RemoteStop, TransactionStatus

KINDS = {"Started": ReportKind.STARTED, "Updated": ReportKind.UPDATED, "Ended": ReportKind.ENDED}
# Fields of an event kept as they are, and their names; later events may change them.
DETAILS = {"numberOfPhasesUsed": "phases_used", "cableMaxCurrent": "cable_max_current", "customData": "custom_data"}
# The same of its transactionInfo.
INFO_DETAILS = {"customData": "transaction_custom_data"}


def transaction_event(
    call: Call, kept: Mapping[str, str] = DETAILS, info_kept: Mapping[str, str] = INFO_DETAILS
) -> Message:
    """E01 to E15. The station numbers its transactions (E §1.2) and their events (E §1.3.2).

    kept, info_kept: fields that are kept as they are, and their names.
    """
    p = payload(call)
    info, evse, token = p["transactionInfo"], p.get("evse") or {}, p.get("idToken") or {}
    kind, trigger = KINDS.get(p.get("eventType", ""), ReportKind.UPDATED), p.get("triggerReason")
    said_at, seq_no = timestamp(p.get("timestamp")), optional_integer(p, "seqNo", INT64)
    at = said_at or call.received_at
    details = {name: p[field] for field, name in kept.items() if field in p}
    details |= {name: info[field] for field, name in info_kept.items() if field in info}
    details |= unreadable(p.get("timestamp"), said_at)
    if (seconds := optional_integer(info, "timeSpentCharging", INT64)) is not None:
        details["seconds_charging"] = seconds
    return Report(
        kind=kind,
        call_id=call.id,
        station_id=call.station_id,
        at=at,
        received_at=call.received_at,
        order=kind if seq_no is None else seq_no,
        # An identifierString has no case (part 2, primitive datatypes).
        key=f"{NAMED}{info['transactionId'].lower()}",
        transaction_id=info["transactionId"],
        seq_no=seq_no,
        trigger=trigger,
        offline=bool(p.get("offline")),
        evse_id=optional_integer(evse, "id"),
        connector_id=optional_integer(evse, "connectorId"),
        id_token=token.get("idToken"),
        id_token_type=token.get("type"),
        # A card in the last event is whose it ended by, whatever triggered that (E07.FR.02).
        ends_authorization=kind == ReportKind.ENDED or trigger in ("StopAuthorized", "Deauthorized"),
        reservation_id=optional_integer(p, "reservationId", INT64),
        remote_start_id=optional_integer(info, "remoteStartId", INT64),
        charging_state=info.get("chargingState"),
        # E06.FR.09: a reason that is left out is Local.
        stop_reason=(info.get("stoppedReason") or "Local") if kind == ReportKind.ENDED else None,
        details=details,
        meter_values=meter_values(p.get("meterValue"), sample, at),
    )


def meter_values_of(call: Call) -> Message:
    """J01: never of a transaction; evseId 0 is the main meter."""
    p = payload(call)
    return StationSamples(
        call_id=call.id,
        station_id=call.station_id,
        received_at=call.received_at,
        evse_id=optional_integer(p, "evseId"),
        connector_id=None,
        meter_values=meter_values(p.get("meterValue"), sample, call.received_at, billed=False),
    )


def verbatim(call: Call) -> Message:
    """Kept as it is."""
    return Verbatim(call.id)


def sample(sampled: SampledValue) -> Reading:
    """SampledValueType: a number with a unit and its power of ten, and beside it the same, signed."""
    measure = sampled.get("unitOfMeasure") or {}
    multiplier = measure.get("multiplier") or 0
    if multiplier == 0:
        made = reading(sampled, sampled["value"], measure.get("unit"))
    elif factor := power_of_ten(multiplier, measure.get("unit")):
        made = reading(sampled, sampled["value"], measure.get("unit"), factor)
    else:
        made = reading(sampled, None, orjson.dumps(measure).decode())
        made["signed"] = orjson.dumps(sampled).decode()
    if signed := sampled.get("signedMeterValue"):
        made["signed"] = signed
    if custom := sampled.get("customData"):
        made["custom_data"] = custom
    return made


def updated(reply: Started | Updated) -> Payload:
    """E01.FR.12, C09.FR.12: a verdict and the group where an idToken was presented. No totalCost: not free, unknown."""
    return {"idTokenInfo": id_token_info(reply.token)} if reply.token else {}


def empty(_: Empty) -> Payload:
    return {}


def remote_start(request: RemoteStart) -> OcppRequest:
    """F01, F02: the transaction is recognised by its remoteStartId (F02.FR.01)."""
    payload: dict[str, Any] = {
        "remoteStartId": request.number,
        "idToken": {"idToken": request.id_token, "type": request.id_token_type},
    }
    if evse := request.connector_id if request.evse_id is None else request.evse_id:
        payload["evseId"] = evse
    if request.group_id:
        payload["groupIdToken"] = {"idToken": request.group_id, "type": "Central"}
    return "RequestStartTransaction", payload


def remote_stop(request: RemoteStop) -> OcppRequest:
    """F03.FR.01."""
    return "RequestStopTransaction", {"transactionId": request.transaction_id}


def transaction_status(request: TransactionStatus) -> OcppRequest:
    """E14."""
    return "GetTransactionStatus", {"transactionId": request.transaction_id}


def standing(answer: Payload) -> Standing:
    """E14.FR.02 to E14.FR.05; an answer without ongoingIndicator is none (E14.FR.06)."""
    ongoing = answer.get("ongoingIndicator")
    if ongoing is None:
        return Standing.SILENT
    if ongoing:
        return Standing.ONGOING
    return Standing.QUEUED if answer.get("messagesInQueue") else Standing.OVER


DIALECT = Dialect(
    read={
        "TransactionEvent": transaction_event,
        "MeterValues": meter_values_of,
        "ReservationStatusUpdate": verbatim,
    },
    write={Started: updated, Updated: updated, Empty: empty},
    requests={RemoteStart: remote_start, RemoteStop: remote_stop, TransactionStatus: transaction_status},
    standing=standing,
)
