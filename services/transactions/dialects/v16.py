"""OCPP 1.6: StartTransaction, StopTransaction, MeterValues; remote start and stop."""

from datetime import datetime
from typing import Any

from services.common.calls.call import Call
from services.ocpp.id_tokens import token_key
from services.ocpp.v16 import id_tag_info
from services.transactions.dialects.dialect import Dialect, OcppRequest, Payload
from services.transactions.dialects.meter import SampledValue, decimal, meter_values, reading
from services.transactions.dialects.words import (
    INT32,
    INT64,
    integer,
    optional_integer,
    payload,
    timestamp,
)
from services.transactions.domain.messages import (
    Empty,
    Message,
    MeterValue,
    Reading,
    Report,
    ReportKind,
    Started,
    StationSamples,
    Updated,
)
from services.transactions.domain.remote import RemoteStart, RemoteStop


def start_transaction(call: Call) -> Message:
    """§4.8. The same connector, idTag, time and meter reading are the same start, however often they are sent."""
    p = payload(call)
    connector, at, meter_start = integer(p, "connectorId"), timestamp(p["timestamp"]), integer(p, "meterStart", INT64)
    return Report(
        kind=ReportKind.STARTED,
        call_id=call.id,
        station_id=call.station_id,
        at=at,
        received_at=call.received_at,
        order=ReportKind.STARTED,
        key=f"start:{connector}:{at.isoformat()}:{meter_start}:{token_key(p['idTag'])}",
        evse_id=connector,
        connector_id=connector,
        id_token=p["idTag"],
        reservation_id=optional_integer(p, "reservationId", INT64),
        begin_wh=float(meter_start),
    )


def stop_transaction(call: Call) -> Message:
    """§4.10. A missing reason is Local; a missing idTag means that the station stopped by itself."""
    p = payload(call)
    at = timestamp(p["timestamp"])
    return Report(
        kind=ReportKind.ENDED,
        call_id=call.id,
        station_id=call.station_id,
        at=at,
        received_at=call.received_at,
        order=ReportKind.ENDED,
        **_transaction_reference(p["transactionId"]),
        id_token=p.get("idTag"),
        ends_authorization=True,
        stop_reason=p.get("reason") or "Local",
        end_wh=float(integer(p, "meterStop", INT64)),
        meter_values=_values(p.get("transactionData") or [], at),
    )


def meter_values_of(call: Call) -> Message:
    """§4.7. Without a transaction, or of the main meter (connector 0, errata 3.16), they are not billed."""
    p = payload(call)
    connector = integer(p, "connectorId")
    values = _values(p["meterValue"], billed=connector != 0)
    if p.get("transactionId") is None:
        return StationSamples(
            call_id=call.id,
            station_id=call.station_id,
            received_at=call.received_at,
            evse_id=connector,
            connector_id=connector,
            meter_values=values,
        )
    return Report(
        kind=ReportKind.UPDATED,
        call_id=call.id,
        station_id=call.station_id,
        at=values[0].taken_at,
        received_at=call.received_at,
        order=ReportKind.UPDATED,
        **_transaction_reference(p["transactionId"]),
        trigger="MeterValuePeriodic",
        evse_id=connector or None,
        connector_id=connector or None,
        meter_values=values,
    )


def sample(sampled: SampledValue) -> Reading:
    """SampledValue (§7.43): the value is text, a number or signed data."""
    text = sampled["value"]
    value = None if sampled.get("format") == "SignedData" else decimal(text)
    made = reading(sampled, value, sampled.get("unit"))
    if value is None:
        made["signed"] = text
    return made


def started(reply: Started) -> Payload:
    """A start always has an idTag, so there is always a verdict."""
    info = id_tag_info(reply.token) if reply.token else {"status": "Invalid"}
    return {"transactionId": reply.number, "idTagInfo": info}


def updated(reply: Updated) -> Payload:
    """The verdict on the idTag that stopped the transaction, if there was one."""
    return {"idTagInfo": id_tag_info(reply.token)} if reply.token else {}


def empty(_: Empty) -> Payload:
    return {}


def remote_start(request: RemoteStart) -> OcppRequest:
    """§5.11. A connector of 1.6 is what later versions call an EVSE."""
    payload: Payload = {"idTag": request.id_token}
    if connector := request.connector_id if request.evse_id is None else request.evse_id:
        payload["connectorId"] = connector
    return "RemoteStartTransaction", payload


def remote_stop(request: RemoteStop) -> OcppRequest:
    """§5.12."""
    return "RemoteStopTransaction", {"transactionId": request.id}


def _values(
    items: list[dict[str, Any]], default_time: datetime | None = None, billed: bool = True
) -> tuple[MeterValue, ...]:
    return meter_values(items, sample, default_time, billed)


def _transaction_reference(transaction_id: float) -> Payload:
    """1.6 names a transaction by our number. What cannot be one of ours is unknown, not wrong."""
    number = int(transaction_id)
    return {"number": number if 0 < number <= INT32 else 0, "transaction_id": str(number)}


DIALECT = Dialect(
    read={
        "StartTransaction": start_transaction,
        "StopTransaction": stop_transaction,
        "MeterValues": meter_values_of,
    },
    write={Started: started, Updated: updated, Empty: empty},
    requests={RemoteStart: remote_start, RemoteStop: remote_stop},
)
