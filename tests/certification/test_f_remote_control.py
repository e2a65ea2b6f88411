"""F, remote control: remote start and stop, unlocking, triggers."""

from tests.certification.operator import Operator
from tests.certification.states import ACCEPTED, Session, booted
from tests.certification.station import Station


async def test_tc_f_01(station: Station, session: Session, operator: Operator) -> None:
    """A remote start of an EVSE whose cable is plugged in already (F01)."""
    await booted(station)
    await session.ev_connected_pre_session()
    command = await operator.start(station.id, session.token.id, evse_id=session.evse_id)
    asked = await station.expects("RequestStartTransaction", ACCEPTED | {"transactionId": session.transaction_id})
    assert asked["idToken"] == session.token.payload
    await command.answered("accepted")
    await session.event("Updated", "RemoteStart", info={"remoteStartId": asked["remoteStartId"]})
    session.authorized = True
    await session.energy_transfer_started()
    seen = await operator.transaction(
        session.transaction_id, lambda seen: seen["charging_state"] == "Charging", of=station.id
    )
    assert (seen["remote_start_id"], seen["command_id"]) == (asked["remoteStartId"], command.id)
