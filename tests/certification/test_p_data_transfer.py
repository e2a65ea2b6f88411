"""P, data transfer: what vendors send that OCPP does not have."""

from tests.certification import seen
from tests.certification.operator import Operator
from tests.certification.states import Session, booted
from tests.certification.station import Station, now

CUSTOM = {"vendorId": "org.example", "bay": {"clean": False, "marks": [1, "two"]}}


async def test_tc_p_02(station: Station, operator: Operator) -> None:
    """A message of a vendor that is not known is answered so, and kept (P02.FR.06)."""
    await booted(station)
    told = {"vendorId": "org.example", "messageId": "bay", "data": {"clean": False}}
    assert await station.call("DataTransfer", told) == {"status": "UnknownVendorId"}
    assert await operator.reported("firmware", station.id, "DataTransfer") == [told]


async def test_tc_p_03(station: Station, session: Session, operator: Operator) -> None:
    """A vendor's data beside a status, an event of a transaction and the transaction is shown (part 4 §9)."""
    await booted(station)
    status = {"evseId": session.evse_id, "connectorId": 1, "connectorStatus": "Occupied", "timestamp": now()}
    assert await station.call("StatusNotification", status | {"customData": CUSTOM}) == {}
    shown = await operator.connector(station.id, "Occupied", session.evse_id)
    assert shown["evses"][0]["connectors"][0]["custom_data"] == CUSTOM
    inner = CUSTOM | {"bay": "north"}
    info = {"customData": inner}
    await session.event("Started", "CablePluggedIn", "EVConnected", info, evse=session.evse, customData=CUSTOM)
    details = (await seen.active(operator, session, "EVConnected"))["details"]
    assert (details["custom_data"], details["transaction_custom_data"]) == (CUSTOM, inner)
