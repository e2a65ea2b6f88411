"""OCPP 1.6: StartTransaction, StopTransaction, MeterValues; remote start and stop."""

from services.common.calls.call import Call
from services.ocpp.id_tokens import token_key
from services.ocpp.sampled_values import quantity
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
    unreadable,
)
from services.transactions.domain.messages import (
    Empty,
    Message,
    Reading,
    Report,
    ReportKind,
    Started,
    StationSamples,
    Updated,
)
from services.transactions.domain.remote import RemoteStart, RemoteStop

# What stands for a time in a key, of one that cannot be read.
LONGEST_TIME = 50


def start_transaction(call: Call) -> Message:
    """§4.8. The same connector, idTag, time and meter reading are the same start, however often they are sent."""
    p = payload(call)
    connector, at, begin_wh = integer(p, "connectorId"), timestamp(p.get("timestamp")), watt_hours(p, "meterStart")
    # A time that cannot be read still tells one start from another.
    when = p.get("timestamp", "")[:LONGEST_TIME] if at is None else at.isoformat()
    meter_start = None if begin_wh is None else int(begin_wh)
    return Report(
        kind=ReportKind.STARTED,
        call_id=call.id,
        station_id=call.station_id,
        at=at or call.received_at,
        received_at=call.received_at,
        order=ReportKind.STARTED,
        key=f"start:{connector}:{when}:{meter_start}:{token_key(p['idTag'])}",
        evse_id=connector,
        connector_id=connector,
        id_token=p["idTag"],
        reservation_id=optional_integer(p, "reservationId", INT64),
        details=unreadable(p.get("timestamp"), at),
        begin_wh=begin_wh,
        message=(call.connection_id, call.message_id),
    )


def stop_transaction(call: Call) -> Message:
    """§4.10. A missing reason is Local; a missing idTag means that the station stopped by itself."""
    p = payload(call)
    said_at = timestamp(p.get("timestamp"))
    at = said_at or call.received_at
    return Report(
        kind=ReportKind.ENDED,
        call_id=call.id,
        station_id=call.station_id,
        at=at,
        received_at=call.received_at,
        order=ReportKind.ENDED,
        **_transaction_reference(p.get("transactionId")),
        id_token=p.get("idTag"),
        ends_authorization=True,
        stop_reason=p.get("reason") or "Local",
        details=unreadable(p.get("timestamp"), said_at),
        end_wh=watt_hours(p, "meterStop"),
        meter_values=meter_values(p.get("transactionData"), sample, at),
    )


def meter_values_of(call: Call) -> Message:
    """§4.7. Those of the main meter, connector 0, are of no transaction, whatever they name (errata 3.16)."""
    p = payload(call)
    connector, transaction_id = optional_integer(p, "connectorId"), p.get("transactionId")
    billed = transaction_id is not None and connector != 0
    values = meter_values(p.get("meterValue"), sample, call.received_at, billed)
    if not billed:
        return StationSamples(
            call_id=call.id,
            station_id=call.station_id,
            received_at=call.received_at,
            evse_id=connector,
            connector_id=connector,
            meter_values=values,
            transaction_id=None if transaction_id is None else str(int(transaction_id)),
        )
    return Report(
        kind=ReportKind.UPDATED,
        call_id=call.id,
        station_id=call.station_id,
        at=values[0].taken_at if values else call.received_at,
        received_at=call.received_at,
        order=ReportKind.UPDATED,
        **_transaction_reference(transaction_id),
        trigger="MeterValuePeriodic",
        evse_id=connector,
        connector_id=connector,
        meter_values=values,
    )


def sample(sampled: SampledValue) -> Reading:
    """SampledValue (§7.43): the value is text, a number or signed data. What is no number stays in its own unit."""
    text, unit = sampled["value"], sampled.get("unit")
    is_signed = sampled.get("format") == "SignedData"
    value = None if is_signed else decimal(text)
    if value is None and not is_signed and (said := quantity(text)):
        value, unit = said.number, said.unit_with(unit)
    made = reading(sampled, value, unit)
    if value is None:
        made |= {"signed": text, **({"unit": unit} if unit else {})}
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


def watt_hours(payload: Payload, name: str) -> float | None:
    """meterStart or meterStop; None where it is not said."""
    register = payload.get(name)
    return None if register is None else float(register)


def _transaction_reference(transaction_id: float | None) -> Payload:
    """1.6 names a transaction by our number. What cannot be one of ours is unknown, not wrong."""
    number = 0 if transaction_id is None else int(transaction_id)
    text = "" if transaction_id is None else str(number)
    return {"number": number if 0 < number <= INT32 else 0, "transaction_id": text}


DIALECT = Dialect(
    read={
        "StartTransaction": start_transaction,
        "StopTransaction": stop_transaction,
        "MeterValues": meter_values_of,
    },
    write={Started: started, Updated: updated, Empty: empty},
    requests={RemoteStart: remote_start, RemoteStop: remote_stop},
)
