"""J, meter values: those of the clock and of transactions, signed and not, with a transaction and without one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.certification.operator import Operator, is_ended
from tests.certification.states import Session, booted, notify
from tests.certification.station import Payload, Station, now

INTERVAL = timedelta(seconds=60)
BEGIN, PERIODIC, CLOCK, END = "Transaction.Begin", "Sample.Periodic", "Sample.Clock", "Transaction.End"
SIGNED = {
    "signedMeterData": "c2lnbmVkIGRhdGE=",
    "signingMethod": "ECDSA-secp256r1-SHA256",
    "encodingMethod": "OCMF",
    "publicKey": "cHVibGljIGtleQ==",
}


async def test_tc_j_01(station: Station, operator: Operator) -> None:
    """An idle station tells what its meters say by the clock (J01.FR.14, FR.18)."""
    await booted(station)
    for value in measured_each_interval(CLOCK, 1000, 1010, 1020):
        for evse_id in (0, 1, 2):
            await station.call("MeterValues", {"evseId": evse_id, "meterValue": [value]})
            await _periodic(station, evse_id, value)
    page = await operator.until(
        "transactions", f"/v1/stations/{station.id}/samples", lambda page: len(page["items"]) == 9
    )
    told = sorted((one["evse_id"], *_read(one)) for one in page["items"])
    assert told == [(evse_id, CLOCK, wh) for evse_id in (0, 1, 2) for wh in (1000, 1010, 1020)]
    assert {one["transaction_id"] for one in page["items"]} == {None}
    await operator.event(station.id, "MeterValuesRecorded", lambda told: told.evse_id == 2)
    events = await operator.reported("firmware", station.id, "NotifyEvent", count=station.evses + 9)
    periodic = [one for told in events for one in told["eventData"] if one["trigger"] == "Periodic"]
    assert sorted(one["actualValue"] for one in periodic) == ["1000"] * 3 + ["1010"] * 3 + ["1020"] * 3


async def test_tc_j_02(station: Station, session: Session, operator: Operator) -> None:
    """While one EVSE charges, it tells what its meter says by the clock, as the idle ones do (J01.FR.18, FR.22)."""
    await booted(station)
    await session.energy_transfer_started()
    for value in measured_each_interval(CLOCK, 1000, 2000):
        for evse_id in (0, 2):
            await station.call("MeterValues", {"evseId": evse_id, "meterValue": [value]})
            await _periodic(station, evse_id, value)
        await session.event("Updated", "MeterValueClock", timestamp=value["timestamp"], meterValue=[value])
    await _kept(operator, session, (CLOCK, 1000), (CLOCK, 2000))
    await operator.transaction(session.transaction_id, lambda seen: seen["energy_wh"] == 1000, of=station.id)
    await operator.event(station.id, "TransactionUpdated", lambda told: told.trigger_reason == "MeterValueClock")
    idle = await operator.until(
        "transactions", f"/v1/stations/{station.id}/samples", lambda page: len(page["items"]) == 4
    )
    assert {one["evse_id"] for one in idle["items"]} == {0, 2}


async def test_tc_j_03(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends with what its meter said by the clock (J01.FR.18)."""
    await booted(station)
    await session.energy_transfer_started()
    await _ends_with(operator, session, CLOCK)


async def test_tc_j_04(station: Station, session: Session, operator: Operator) -> None:
    """The same, signed by the meter (J01.FR.21)."""
    await booted(station)
    await session.energy_transfer_started()
    await _ends_with(operator, session, CLOCK, signedMeterValue=SIGNED)


async def test_tc_j_07(station: Station, session: Session, operator: Operator) -> None:
    """A transaction begins, its EVSE known, with what the meter says (J02.FR.19)."""
    await booted(station)
    await session.ev_connected_pre_session(meterValue=[measured(BEGIN, 1000)])
    await _kept(operator, session, (BEGIN, 1000))
    seen = await operator.transaction(session.transaction_id, of=station.id)
    assert (seen["meter_start_wh"], seen["evse_id"]) == (1000, 1)
    [told] = (await operator.event(station.id, "TransactionStarted")).meter_values
    assert [(one.context, one.value) for one in told.readings] == [(BEGIN, 1000)]


async def test_tc_j_08(station: Station, session: Session, operator: Operator) -> None:
    """A transaction begins, its EVSE not known yet, and what the meter says comes with the EVSE (J02.FR.19)."""
    await booted(station)
    await session.authorize()
    await session.ev_connected_pre_session(meterValue=[measured(BEGIN, 1000)])
    await session.energy_transfer_started()
    await _kept(operator, session, (BEGIN, 1000))
    seen = await operator.transaction(
        session.transaction_id, lambda seen: seen["charging_state"] == "Charging", of=station.id
    )
    assert (seen["meter_start_wh"], seen["evse_id"]) == (1000, 1)


async def test_tc_j_09(station: Station, session: Session, operator: Operator) -> None:
    """While a transaction goes on, it tells what its meter says (J02.FR.11, FR.19)."""
    await booted(station)
    await session.energy_transfer_started()
    for value in measured_each_interval(PERIODIC, 1000, 1500, 2500):
        await session.event("Updated", "MeterValuePeriodic", timestamp=value["timestamp"], meterValue=[value])
    await _kept(operator, session, (PERIODIC, 1000), (PERIODIC, 1500), (PERIODIC, 2500))
    await operator.transaction(session.transaction_id, lambda seen: seen["energy_wh"] == 1500, of=station.id)
    await operator.event(station.id, "TransactionUpdated", lambda told: told.transaction.energy_wh == 1500)


async def test_tc_j_10(station: Station, session: Session, operator: Operator) -> None:
    """A transaction ends with what its meter said while it went on (J02.FR.19)."""
    await booted(station)
    await session.energy_transfer_started()
    await _ends_with(operator, session, PERIODIC)


async def test_tc_j_11(station: Station, session: Session, operator: Operator) -> None:
    """The same, signed by the meter (J02.FR.21)."""
    await booted(station)
    await session.energy_transfer_started()
    await _ends_with(operator, session, PERIODIC, signedMeterValue=SIGNED)


def measured(context: str, wh: float, timestamp: str = "", **more: Any) -> dict[str, Any]:
    """A meter value of the energy register. timestamp: without one, now. more: of its sampledValue."""
    sampled = {"value": wh, "context": context, "measurand": "Energy.Active.Import.Register"}
    return {"timestamp": timestamp or now(), "sampledValue": [sampled | more]}


def measured_each_interval(context: str, *register: float, **more: Any) -> list[dict[str, Any]]:
    """One after the other from now on, an interval apart: the clock of the station runs ahead of ours."""
    return [measured(context, wh, now(INTERVAL * number), **more) for number, wh in enumerate(register)]


async def _periodic(station: Station, evse_id: int, value: Payload) -> None:
    """The same as an event of the device model."""
    component = {"name": "FiscalMetering"} | ({"evse": {"id": evse_id}} if evse_id else {})
    said = str(value["sampledValue"][0]["value"])
    more = {"trigger": "Periodic", "timestamp": value["timestamp"]}
    await notify(station, component, "EnergyActiveImportRegister", said, **more)


def _read(sample: Any) -> tuple[str, float]:
    """Context and value of a sample with one reading."""
    [reading] = sample["readings"]
    return reading["context"], reading["value"]


async def _kept(operator: Operator, session: Session, *expected: tuple[str, float]) -> Sequence[Any]:
    """The operator sees these meter values of the transaction, and no others."""
    many = len(expected)
    samples = await operator.samples(session.transaction_id, lambda found: len(found) == many, of=session.station.id)
    assert [_read(one) for one in samples] == [*expected]
    return samples


async def _ends_with(operator: Operator, session: Session, context: str, **more: Any) -> None:
    """EVDisconnected, with meter values of the whole transaction. more: of each, as the operator sees it."""
    values = measured_each_interval(context, 1000, 2000, **more)
    values.append(measured(END, 2500, now(INTERVAL * 2), **more))
    await session.ev_disconnected(timestamp=values[-1]["timestamp"], meterValue=values)
    station_id = session.station.id
    seen = await operator.transaction(session.transaction_id, is_ended, of=station_id)
    assert (seen["energy_wh"], seen["meter_stop_wh"], seen["doubts"]) == (1500, 2500, [])
    samples = await _kept(operator, session, (context, 1000), (context, 2000), (END, 2500))
    signed = [reading.get("signed") for sample in samples for reading in sample["readings"]]
    assert signed == [more.get("signedMeterValue")] * 3
    told = await operator.event(station_id, "TransactionEnded")
    assert told.transaction.energy_wh == 1500
    assert [bool(one.signed_value) for value in told.meter_values for one in value.readings] == [bool(more)] * 3
