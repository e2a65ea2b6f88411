"""G, availability: stations, EVSEs and connectors are taken out of service and put back, and tell how they are."""

from typing import Any

from tests.certification.operator import Command, Operator
from tests.certification.states import Session, booted, connectors, notify, unavailable
from tests.certification.station import Station
from voltbus.v1 import events_pb2

CONNECTOR = {"evse_id": 1, "connector_id": 1}


async def test_tc_g_03(station: Station, operator: Operator) -> None:
    """An EVSE is taken out of service (G03.FR.04, FR.06)."""
    await booted(station)
    await unavailable(station, operator, evse_id=1)
    await _seen(station, operator, "Unavailable", 1)
    await _seen(station, operator, "Available", 2)


async def test_tc_g_04(station: Station, operator: Operator) -> None:
    """An EVSE is put back into service (G03.FR.04, FR.07)."""
    await booted(station)
    await unavailable(station, operator, evse_id=1)
    await _changed(station, operator, "operative", {"evse": {"id": 1}}, evse_id=1)
    await connectors(station, "Available", 1)
    await _seen(station, operator, "Available", 1)


async def test_tc_g_05(station: Station, operator: Operator) -> None:
    """A station is taken out of service (G04.FR.01, FR.05, FR.07)."""
    await booted(station)
    await unavailable(station, operator)
    await _seen(station, operator, "Unavailable", 1, 2)


async def test_tc_g_06(station: Station, operator: Operator) -> None:
    """A station is put back into service (G04.FR.01, FR.05, FR.08)."""
    await booted(station)
    await unavailable(station, operator)
    await _changed(station, operator, "operative", {})
    await connectors(station, "Available")
    await _seen(station, operator, "Available", 1, 2)


async def test_tc_g_07(station: Station, operator: Operator) -> None:
    """A connector is taken out of service (G03.FR.04)."""
    await booted(station)
    await _changed(station, operator, "inoperative", {"evse": {"id": 1, "connectorId": 1}}, **CONNECTOR)
    await connectors(station, "Unavailable", 1)
    await _seen(station, operator, "Unavailable", 1)


async def test_tc_g_08(station: Station, operator: Operator) -> None:
    """A connector is put back into service (G03.FR.04)."""
    await booted(station)
    await _changed(station, operator, "inoperative", {"evse": {"id": 1, "connectorId": 1}}, **CONNECTOR)
    await connectors(station, "Unavailable", 1)
    await _changed(station, operator, "operative", {"evse": {"id": 1, "connectorId": 1}}, **CONNECTOR)
    await connectors(station, "Available", 1)
    await _seen(station, operator, "Available", 1)


async def test_tc_g_11(station: Station, session: Session, operator: Operator) -> None:
    """An EVSE is taken out of service once its transaction has ended (G03.FR.05)."""
    await booted(station)
    await session.energy_transfer_started()
    command = await _scheduled(station, operator, {"evse": {"id": 1}}, evse_id=1)
    await session.ev_disconnected()
    await connectors(station, "Unavailable", 1)
    await _done(command)
    await _seen(station, operator, "Unavailable", 1)


async def test_tc_g_14(station: Station, session: Session, operator: Operator) -> None:
    """A station is taken out of service, the EVSE with a transaction once that has ended (G04.FR.06)."""
    await booted(station)
    await session.energy_transfer_started()
    command = await _scheduled(station, operator, {})
    await connectors(station, "Unavailable", 2)
    await _seen(station, operator, "Occupied", 1)
    await session.ev_disconnected()
    await connectors(station, "Unavailable", 1)
    await _done(command)
    await _seen(station, operator, "Unavailable", 1, 2)


async def test_tc_g_17(station: Station, session: Session, operator: Operator) -> None:
    """A connector is taken out of service once its transaction has ended (G03.FR.05)."""
    await booted(station)
    await session.energy_transfer_started()
    command = await _scheduled(station, operator, {"evse": {"id": 1, "connectorId": 1}}, **CONNECTOR)
    await session.ev_disconnected()
    await connectors(station, "Unavailable", 1)
    await _done(command)
    await _seen(station, operator, "Unavailable", 1)


async def test_tc_g_20(station: Station, operator: Operator) -> None:
    """A station tells that a connector does not lock (G05.FR.03)."""
    await booted(station)
    lock = {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}}
    await notify(station, lock, "Problem", "true")
    told = await operator.reported("firmware", station.id, "NotifyEvent", count=station.evses + 1)
    [event] = told[-1]["eventData"]
    assert (event["component"], event["variable"], event["trigger"]) == (lock, {"name": "Problem"}, "Delta")
    assert event["actualValue"] == "true"


async def _asked(station: Station, operator: Operator, status: str, evse: Any, answer: str, **where: int) -> Command:
    """The operator has the availability changed; the command when it is answered. evse: of the request."""
    command = await operator.act("firmware", station.id, "availability", {"status": status} | where)
    asked = await station.expects("ChangeAvailability", {"status": answer})
    assert asked == {"operationalStatus": status.capitalize()} | evse
    await command.answered(answer.lower())
    return command


async def _changed(station: Station, operator: Operator, status: str, evse: Any, **where: int) -> Command:
    return await _asked(station, operator, status, evse, "Accepted", **where)


async def _scheduled(station: Station, operator: Operator, evse: Any, **where: int) -> Command:
    return await _asked(station, operator, "inoperative", evse, "Scheduled", **where)


async def _done(command: Command) -> None:
    """What was put off has been done."""
    path = f"/v1/commands/{command.id}"
    await command.operator.until(command.service, path, lambda seen: seen["effect"] == "done")


async def _seen(station: Station, operator: Operator, status: str, *evses: int) -> None:
    """The operator sees it of the connectors, and other systems hear of it."""
    number = events_pb2.ConnectorStatus.Value(f"CONNECTOR_STATUS_{status.upper()}")
    for evse_id in evses:
        await operator.connector(station.id, status, evse_id)
        place = (evse_id, 1, number)

        def told(body: Any, place: tuple[int, int, int] = place) -> bool:
            return (body.evse_id, body.connector_id, body.status) == place

        await operator.event(station.id, "ConnectorStatusChanged", told)
