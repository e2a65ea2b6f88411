"""Events of transactions and firmware, and connections of gateways (ocpp.connections), as far as they matter here."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf.message import DecodeError, Message
from msgspec.structs import replace

from services.common.kafka.bus import Record
from services.common.kafka.events import event_id, event_name, read_event
from services.common.process.clock import from_timestamp
from services.common.process.errors import Unprocessable
from services.ocpp.sampled_values import is_usable
from services.smartcharging.domain import sessions
from services.smartcharging.domain.presence import Connected, Disconnected, EvseSeen, StationChange
from services.smartcharging.domain.sessions import Register, Sample, SessionReport
from voltbus.v1 import events_pb2 as wire
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED, ConnectionChange

CURRENT, POWER, REGISTER = "Current.Import", "Power.Active.Import", "Energy.Active.Import.Register"
# Readings that are told with a start or a stop.
OF_MESSAGES = frozenset({"Transaction.Begin", "Transaction.End"})
# Of one phase each, against another or neutral.
PHASES = frozenset({"L1", "L2", "L3", "L1-N", "L2-N", "L3-N"})
# The trigger of a transaction that goes on after a reboot (2.1 E17).
RESUMED = "TxResumed"
# Where the station's cable ends, which is what a reading without a location means too.
OUTSIDE = frozenset({"", "Outlet", "Cable"})


def kind_of_event(record: Record) -> type[Message] | None:
    """The kind of event that a record holds; None where it is of no use here."""
    return KINDS.get(event_name(record))


def station_of(record: Record) -> str:
    """The station that an event is about."""
    return (record.key or b"").decode(errors="replace")


def read(record: Record, kind: type[Message], in_site: bool) -> SessionReport | StationChange | None:
    """The event in a record of that kind; None where it is of no use here. Raises Unprocessable if it cannot be read.

    in_site: whether the station is in a site. Outside of sites nobody needs to know what is drawn, which is most of the
    events.
    """
    updated = kind is wire.TransactionUpdated
    if updated and not in_site and RESUMED.encode() not in (record.value or b""):
        return None
    event = read_event(record, kind)
    change = READ[kind](event)
    if updated and isinstance(change, SessionReport) and getattr(event, "trigger_reason", None) == RESUMED:
        change = replace(change, resumed=event_id(record))
    if in_site or not isinstance(change, SessionReport):
        return change
    return replace(change, sample=None, end_wh=None, register=None)


def _transaction(event: Any) -> SessionReport:
    transaction = event.transaction
    ended = transaction.HasField("stopped_at")
    return SessionReport(
        id=transaction.id,
        station_id=transaction.station_id,
        evse_id=transaction.evse_id,
        transaction_id=transaction.transaction_id,
        started_at=from_timestamp(transaction.started_at),
        ended=ended,
        # What was drawn while the station was away says nothing of now.
        sample=None if event.offline else sample(event.meter_values),
        superseded=transaction.HasField("superseded_by"),
        # Of before they were told, an end is the first.
        revision=transaction.revision or int(ended),
        stopped_at=from_timestamp(transaction.stopped_at) if ended else None,
        end_wh=_end_wh(transaction) if ended else None,
        register=register(event.meter_values) if ended and not event.offline else None,
    )


def _end_wh(transaction: wire.Transaction) -> float | None:
    """The last that the register of one that has ended showed; of a single reading, that is the first."""
    for name in ("meter_stop_wh", "meter_start_wh"):
        if transaction.HasField(name):
            wh: float = getattr(transaction, name)
            return wh
    return None


def _connector(event: wire.ConnectorStatusChanged) -> StationChange | None:
    return EvseSeen(event.station_id, event.evse_id) if event.evse_id > 0 else None


TRANSACTIONS: Mapping[type[Message], Callable[[Any], SessionReport]] = {
    wire.TransactionStarted: _transaction,
    wire.TransactionUpdated: _transaction,
    wire.TransactionEnded: _transaction,
    wire.TransactionRevised: _transaction,
}
READ: Mapping[type[Message], Callable[[Any], SessionReport | StationChange | None]] = {
    **TRANSACTIONS,
    wire.ConnectorStatusChanged: _connector,
}
KINDS = {kind.DESCRIPTOR.name: kind for kind in READ}


def sample(values: Iterable[wire.MeterValue]) -> Sample | None:
    """The newest of some meter values that says what is drawn: currents rather than powers."""
    for value in sorted(values, key=lambda value: value.taken_at.ToNanoseconds(), reverse=True):
        readings = [one for one in value.readings if one.HasField("value") and one.location in OUTSIDE]
        for found in (_current(readings), _power(readings)):
            if found:
                return Sample(from_timestamp(value.taken_at), *found)
    return None


def register(values: Iterable[wire.MeterValue]) -> Register | None:
    """The newest that some meter values say of the energy register: of all phases, or the sum of each."""
    for value in sorted(values, key=lambda value: value.taken_at.ToNanoseconds(), reverse=True):
        found = [one for one in value.readings if _is_register(one)]
        told = [one.value for one in found if not one.phase][:1] or [one.value for one in found if one.phase in PHASES]
        if told:
            return Register(from_timestamp(value.taken_at), sum(told), from_timestamp(value.received_at))
    return None


def _is_register(one: wire.Reading) -> bool:
    if one.measurand != REGISTER or one.unit != "Wh" or one.location not in OUTSIDE or one.context in OF_MESSAGES:
        return False
    return one.HasField("value") and is_usable(one.value)


def _current(readings: Iterable[wire.Reading]) -> tuple[float, str] | None:
    """Of the phase that carries most."""
    currents = [one.value for one in readings if one.measurand == CURRENT and one.phase != "N"]
    return (max(0.0, *currents), sessions.CURRENT) if currents else None


def _power(readings: Iterable[wire.Reading]) -> tuple[float, str] | None:
    """Of the phase that carries most, or where no phases are told, of all."""
    powers = [one for one in readings if one.measurand == POWER]
    of_phases = [one.value for one in powers if one.phase in PHASES]
    if of_phases:
        return max(0.0, *of_phases), sessions.PHASE_POWER
    return (max(0.0, powers[0].value), sessions.POWER) if powers else None


def connection(record: Record) -> StationChange | None:
    """A change of a connection; None if it is only still alive, or in quarantine."""
    try:
        change = ConnectionChange.FromString(record.value or b"")
    except DecodeError:
        raise Unprocessable("not a voltbus.v1.ConnectionChange") from None
    if change.state == CONNECTION_STATE_CONNECTED and not change.quarantined:
        return Connected(
            station_id=change.station_id,
            connection_id=change.connection_id,
            at=from_timestamp(change.at),
            version=change.version,
        )
    gone = change.state == CONNECTION_STATE_DISCONNECTED
    return Disconnected(change.station_id, change.connection_id) if gone else None
