"""OCPP 1.6: StartTransaction, StopTransaction, MeterValues; remote start and stop."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.common.calls.call import Call
from services.common.calls.dialects import Dialect
from services.ocpp.id_tokens import token_key
from services.ocpp.v16 import id_tag_info
from services.transactions.dialects.meter import Sample, meter_values, number, reading
from services.transactions.dialects.words import INT32, INT64, Payload, Rendered, maybe_whole, moment, payload, whole
from services.transactions.domain.messages import (
    Begun,
    Heard,
    Kind,
    Message,
    MeterValue,
    Noted,
    Outside,
    Reading,
    Report,
)
from services.transactions.domain.remote import RemoteStart, RemoteStop


def start_transaction(call: Call) -> Message:
    """§4.8. The same connector, idTag, time and meter reading are the same start, however often they are told."""
    p = payload(call)
    connector, at, meter_start = whole(p, "connectorId"), moment(p["timestamp"]), whole(p, "meterStart", INT64)
    return Report(
        kind=Kind.STARTED,
        call_id=call.id,
        station_id=call.station_id,
        at=at,
        received_at=call.received_at,
        order=Kind.STARTED,
        key=f"start:{connector}:{at.isoformat()}:{meter_start}:{token_key(p['idTag'])}",
        evse_id=connector,
        connector_id=connector,
        id_token=p["idTag"],
        reservation_id=maybe_whole(p, "reservationId", INT64),
        begin_wh=float(meter_start),
    )


def stop_transaction(call: Call) -> Message:
    """§4.10. A missing reason is Local; a missing idTag means that the station stopped by itself."""
    p = payload(call)
    at = moment(p["timestamp"])
    return Report(
        kind=Kind.ENDED,
        call_id=call.id,
        station_id=call.station_id,
        at=at,
        received_at=call.received_at,
        order=Kind.ENDED,
        **_named(p["transactionId"]),
        id_token=p.get("idTag"),
        ends_authorization=True,
        stop_reason=p.get("reason") or "Local",
        end_wh=float(whole(p, "meterStop", INT64)),
        meter_values=_values(p.get("transactionData") or [], at),
    )


def meter_values_of(call: Call) -> Message:
    """§4.7. Without a transaction, or of the main meter (connector 0, errata 3.16), they bill nobody."""
    p = payload(call)
    connector = whole(p, "connectorId")
    values = _values(p["meterValue"], billed=connector != 0)
    if p.get("transactionId") is None:
        return Outside(call.id, call.station_id, call.received_at, connector, connector, values)
    return Report(
        kind=Kind.UPDATED,
        call_id=call.id,
        station_id=call.station_id,
        at=values[0].taken_at,
        received_at=call.received_at,
        order=Kind.UPDATED,
        **_named(p["transactionId"]),
        trigger="MeterValuePeriodic",
        evse_id=connector or None,
        connector_id=connector or None,
        meter_values=values,
    )


def sample(sampled: Sample) -> Reading:
    """SampledValue (§7.43): the value is text, a number or signed data."""
    text = sampled["value"]
    value = None if sampled.get("format") == "SignedData" else number(text)
    made = reading(sampled, value, sampled.get("unit"))
    if value is None:
        made["signed"] = text
    return made


def begun(reply: Begun) -> Payload:
    """A start always has an idTag, so there always is a verdict."""
    info = id_tag_info(reply.token) if reply.token else {"status": "Invalid"}
    return {"transactionId": reply.number, "idTagInfo": info}


def heard(reply: Heard) -> Payload:
    """A verdict on the idTag that stopped the transaction, where there was one."""
    return {"idTagInfo": id_tag_info(reply.token)} if reply.token else {}


def noted(_: Noted) -> Payload:
    return {}


def remote_start(order: RemoteStart) -> Rendered:
    """§5.11. A connector of 1.6 is what later versions call an EVSE."""
    payload: Payload = {"idTag": order.id_token}
    if connector := order.connector_id if order.evse_id is None else order.evse_id:
        payload["connectorId"] = connector
    return "RemoteStartTransaction", payload


def remote_stop(order: RemoteStop) -> Rendered:
    """§5.12."""
    return "RemoteStopTransaction", {"transactionId": order.id}


def _values(
    items: list[dict[str, Any]], otherwise: datetime | None = None, billed: bool = True
) -> tuple[MeterValue, ...]:
    return meter_values(items, sample, otherwise, billed)


def _named(transaction_id: float) -> Payload:
    """How 1.6 names a transaction: by our number. Whatever cannot be one of ours is unknown, not wrong."""
    number = int(transaction_id)
    return {"number": number if 0 < number <= INT32 else 0, "transaction_id": str(number)}


READ: Mapping[str, Callable[[Call], Message]] = {
    "StartTransaction": start_transaction,
    "StopTransaction": stop_transaction,
    "MeterValues": meter_values_of,
}
WRITE: Mapping[type, Callable[[Any], Payload]] = {Begun: begun, Heard: heard, Noted: noted}
DIALECT = Dialect(READ, WRITE)
