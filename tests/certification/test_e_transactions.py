"""E, transactions: how they start, go on and stop, and what is asked about them."""

from tests.certification.operator import Operator, is_ended
from tests.certification.states import Session, booted
from tests.certification.station import Station


async def test_tc_e_15(station: Station, session: Session, operator: Operator) -> None:
    """The driver stops the transaction at the station (E06.FR.03)."""
    await booted(station)
    await session.energy_transfer_started()
    await session.event("Ended", "StopAuthorized", info={"stoppedReason": "Local"}, idToken=session.token.payload)
    seen = await operator.transaction(session.transaction_id, is_ended, of=station.id)
    assert (seen["stop_reason"], seen["complete"], seen["id_token"]) == ("Local", True, session.token.id)
    ended = await operator.event(station.id, "TransactionEnded")
    assert ended.transaction.transaction_id == session.transaction_id
