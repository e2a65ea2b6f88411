"""H, reservation: EVSEs and connectors are reserved, and reservations end."""

from datetime import timedelta
from typing import Any

from tests.certification.operator import Command, Operator
from tests.certification.states import ACCEPTED, Token, booted, connectors, reserved
from tests.certification.station import Payload, Station, now


async def test_tc_h_01(station: Station, token: Token, operator: Operator) -> None:
    """An EVSE is reserved for an idToken (H01.FR.03, FR.23)."""
    await booted(station)
    await reserved(station, operator, token)
    await operator.connector(station.id, "Reserved")


async def test_tc_h_07(station: Station, token: Token, operator: Operator) -> None:
    """A reservation expires, for nobody came (H04.FR.01, FR.02, FR.03)."""
    await booted(station)
    reservation = {"evseId": 1, "expiryDateTime": now(timedelta(seconds=1))}
    asked = await _reserve(station, operator, token, reservation)
    await connectors(station, "Reserved", 1)
    await operator.connector(station.id, "Reserved")
    await connectors(station, "Available", 1)
    await _ended(station, operator, asked["id"], "Expired")
    await operator.connector(station.id, "Available")


async def test_tc_h_08(station: Station, token: Token, operator: Operator) -> None:
    """Any EVSE is reserved (H01.FR.04, FR.18)."""
    await booted(station)
    asked = await _reserve(station, operator, token, {})
    assert "evseId" not in asked


async def test_tc_h_14(station: Station, token: Token, operator: Operator) -> None:
    """As many reservations as there are EVSEs: all of them are reserved (H01.FR.20)."""
    await booted(station)
    asked = [await _reserve(station, operator, token, {"id": number}) for number in range(1, station.evses + 1)]
    assert not any("evseId" in one for one in asked)
    await connectors(station, "Reserved")
    for evse_id in range(1, station.evses + 1):
        await operator.connector(station.id, "Reserved", evse_id)


async def test_tc_h_15(station: Station, token: Token, operator: Operator) -> None:
    """A connector of a type is reserved (H01.FR.06)."""
    await booted(station)
    asked = await _reserve(station, operator, token, {"connectorType": "cType2"})
    assert "evseId" not in asked
    await connectors(station, "Reserved", 1)
    await operator.connector(station.id, "Reserved")


async def test_tc_h_17(station: Station, token: Token, operator: Operator) -> None:
    """A reservation is cancelled (H02.FR.02)."""
    await booted(station)
    reservation_id = await reserved(station, operator, token)
    command = await operator.command(station.id, "CancelReservation", {"reservationId": reservation_id})
    assert await station.expects("CancelReservation", ACCEPTED) == {"reservationId": reservation_id}
    await command.answered("accepted")
    await connectors(station, "Available", 1)
    await operator.connector(station.id, "Available")


async def test_tc_h_19(station: Station, token: Token, operator: Operator) -> None:
    """An EVSE is reserved for a group (H03.FR.04, FR.08)."""
    await booted(station)
    group = {"idToken": f"{token.id}-GROUP", "type": "Central"}
    await operator.admit(token.id, type=token.type, group_id=group["idToken"])
    await _reserve(station, operator, token, {"evseId": 1, "groupIdToken": group})
    await connectors(station, "Reserved", 1)
    await operator.connector(station.id, "Reserved")
    answer = await station.call("Authorize", {"idToken": token.payload})
    assert answer["idTokenInfo"]["groupIdToken"] == group


async def test_tc_h_20(station: Station, token: Token, operator: Operator) -> None:
    """A station drops a reservation, for its EVSE is faulted (H01.FR.16)."""
    await booted(station)
    reservation_id = await reserved(station, operator, token)
    await connectors(station, "Faulted", 1)
    await _ended(station, operator, reservation_id, "Removed")
    await operator.connector(station.id, "Faulted")


async def test_tc_h_22(station: Station, token: Token, operator: Operator) -> None:
    """A station takes no reservations (H01.FR.01)."""
    await booted(station)
    command = await _asked(operator, station, token, {"evseId": 1})
    await station.expects("ReserveNow", {"status": "Rejected"})
    assert (await command.answered("refused"))["response"]["status"] == "Rejected"


async def _asked(operator: Operator, station: Station, token: Token, reservation: Payload) -> Command:
    """The operator has something reserved for the idToken. reservation: what else is said of it."""
    payload = {"id": 1, "idToken": token.payload, "expiryDateTime": now(timedelta(hours=1))}
    return await operator.command(station.id, "ReserveNow", payload | dict(reservation))


async def _reserve(station: Station, operator: Operator, token: Token, reservation: Payload) -> Any:
    """The same, and the station takes the reservation: what it was asked for, which is that and no more."""
    command = await _asked(operator, station, token, reservation)
    asked = await station.expects("ReserveNow", ACCEPTED)
    assert asked["idToken"] == token.payload
    assert asked == {"id": 1, "idToken": token.payload, "expiryDateTime": asked["expiryDateTime"]} | dict(reservation)
    await command.answered("accepted")
    return asked


async def _ended(station: Station, operator: Operator, reservation_id: int, status: str) -> None:
    """The station tells that a reservation has ended; that is kept, and other systems hear of it."""
    told = {"reservationId": reservation_id, "reservationUpdateStatus": status}
    await station.call("ReservationStatusUpdate", told)
    assert await operator.reported("transactions", station.id, "ReservationStatusUpdate") == [told]
