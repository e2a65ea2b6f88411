"""What an operator sees of a charging session by REST, and other systems hear of it by events."""

from typing import Any, Protocol

from tests.certification.operator import Operator, is_ended
from tests.certification.station import Station


class Session(Protocol):
    """A charging session of any version. transaction_id: the station's own name of it."""

    @property
    def station(self) -> Station: ...

    @property
    def transaction_id(self) -> str: ...


async def active(operator: Operator, session: Session, state: str | None) -> Any:
    """The transaction, which goes on and has that chargingState; its start was told."""

    def wanted(seen: Any) -> bool:
        return (seen["status"], seen["charging_state"]) == ("active", state)

    station_id, transaction_id = session.station.id, session.transaction_id
    seen = await operator.transaction(transaction_id, wanted, of=station_id)
    await operator.event(
        station_id, "TransactionStarted", lambda told: told.transaction.transaction_id == transaction_id
    )
    return seen


async def ended(operator: Operator, session: Session, reason: str) -> Any:
    """The transaction, which its station has ended for that reason, with nothing missing; its end was told."""
    station_id, transaction_id = session.station.id, session.transaction_id
    seen = await operator.transaction(transaction_id, is_ended, of=station_id)
    assert (seen["stop_reason"], seen["ended_by"], seen["complete"]) == (reason, "station", True), seen
    told = await operator.event(
        station_id, "TransactionEnded", lambda told: told.transaction.transaction_id == transaction_id
    )
    assert (told.transaction.stop_reason, told.transaction.complete) == (reason, True), told
    return seen
