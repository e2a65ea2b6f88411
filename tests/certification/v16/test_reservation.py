"""Reservation profile: connectors are reserved, and reservations end."""

from datetime import timedelta
from typing import Any

from tests.certification import seen
from tests.certification.operator import Operator
from tests.certification.states import Token
from tests.certification.station import Station, now
from tests.certification.v16.states import ACCEPTED, Session, booted, commanded, connector


async def reserve(
    station: Station, operator: Operator, id_tag: str, status: str, effect: str, connector_id: int = 1, **more: Any
) -> None:
    """A connector is reserved for an hour, and the station says status to it."""
    until = {"expiryDate": now(timedelta(hours=1)), "reservationId": 7}
    payload = {"connectorId": connector_id, "idTag": id_tag} | until | more
    await commanded(station, operator, "ReserveNow", payload, {"status": status}, effect)


async def test_16_reserve_accepted(station: Station, session: Session, operator: Operator) -> None:
    """A connector is reserved, and used by whom it is reserved for (§5.13, §4.8)."""
    await booted(station)
    await reserve(station, operator, session.id_tag, "Accepted", "accepted")
    await connector(station, 1, "Reserved")
    await operator.connector(station.id, "Reserved")
    await session.start(reservationId=7)
    assert (await seen.active(operator, session, None))["reservation_id"] == 7


async def test_16_reserve_any_connector(station: Station, token: Token, operator: Operator) -> None:
    """Any connector is reserved (§5.13, §9.3.1)."""
    await booted(station)
    await reserve(station, operator, token.id, "Accepted", "accepted", connector_id=0)


async def test_16_reserve_parent(station: Station, token: Token, operator: Operator) -> None:
    """A connector is reserved for all who have the same parent (§5.13, §3.11)."""
    await booted(station)
    await reserve(station, operator, token.id, "Accepted", "accepted", parentIdTag=f"{station.id}-PARENT")


async def test_16_reserve_faulted(station: Station, token: Token, operator: Operator) -> None:
    """A connector that is faulted cannot be reserved (§5.13, §7.40)."""
    await booted(station)
    await reserve(station, operator, token.id, "Faulted", "refused")


async def test_16_reserve_occupied(station: Station, token: Token, operator: Operator) -> None:
    """A connector that is in use cannot be reserved (§5.13, §7.40)."""
    await booted(station)
    await reserve(station, operator, token.id, "Occupied", "refused")


async def test_16_reserve_rejected(station: Station, token: Token, operator: Operator) -> None:
    """A station takes no reservations (§5.13, §7.40)."""
    await booted(station)
    await reserve(station, operator, token.id, "Rejected", "refused")


async def test_16_reserve_unavailable(station: Station, token: Token, operator: Operator) -> None:
    """A connector that is out of use cannot be reserved (§5.13, §7.40)."""
    await booted(station)
    await reserve(station, operator, token.id, "Unavailable", "refused")


async def test_16_cancel_reservation_accepted(station: Station, token: Token, operator: Operator) -> None:
    """A reservation is cancelled (§5.1)."""
    await booted(station)
    await reserve(station, operator, token.id, "Accepted", "accepted")
    await connector(station, 1, "Reserved")
    await operator.connector(station.id, "Reserved")
    await commanded(station, operator, "CancelReservation", {"reservationId": 7}, ACCEPTED, "accepted")
    await connector(station, 1, "Available")
    await operator.connector(station.id, "Available")


async def test_16_cancel_reservation_rejected(station: Station, operator: Operator) -> None:
    """A station has no such reservation (§5.1)."""
    await booted(station)
    await commanded(station, operator, "CancelReservation", {"reservationId": 8}, {"status": "Rejected"}, "refused")
