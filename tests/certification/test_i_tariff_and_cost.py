"""I, tariff and cost: what drivers are told of the cost of their charging."""

from tests.certification.marks import missing
from tests.certification.states import Session, booted
from tests.certification.station import Station
from tests.certification.test_j_meter_values import measured


@missing("tariffs and costs")
async def test_tc_i_01(station: Station, session: Session) -> None:
    """While a driver charges, the running cost is told (I02.FR.01)."""
    await booted(station)
    told = [await session.authorize()]
    await session.energy_transfer_started()
    for value in (1000, 3000):
        value_then = measured("Sample.Periodic", value)
        told.append(await session.event("Updated", "MeterValuePeriodic", meterValue=[value_then]))
        if "totalCost" not in told[-1]:
            asked = await station.expects("CostUpdated")
            assert asked["transactionId"] == session.transaction_id
            told[-1]["totalCost"] = asked["totalCost"]
    assert told[-1]["totalCost"] >= told[-2]["totalCost"] >= 0


@missing("tariffs and costs")
async def test_tc_i_02(station: Station, session: Session) -> None:
    """When a driver has charged, the final cost is told (I03.FR.02)."""
    await booted(station)
    await session.ev_connected_post_session()
    answer = await session.ev_disconnected()
    assert answer["totalCost"] >= 0
