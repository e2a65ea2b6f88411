"""Energy of meters as they are in the field: the exact inputs, told by stations, and what others see of it."""

from typing import Any

import pytest

from services.common.kafka.bus import Record
from tests.integration.transactions.running import System, call
from tests.integration.transactions.test_edges import event, settled, the_one
from tests.integration.transactions.test_rest import get, start
from tests.integration.transactions.test_session import metered, stop
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.state_pb2 import Registration

DAY = "2026-03-01T"
LEAPT = ["no_energy", "register_leapt"]
# In kWh, and called Wh.
OPEN_EVSE = {f"10:{5 * n:02}:00": str(361 + n) for n in range(10)}


def sampled(seq_no: int, kind: str, at: str, *readings: dict[str, Any]) -> dict[str, Any]:
    """A TransactionEvent with one meter value."""
    value = {"timestamp": f"{DAY}{at}Z", "sampledValue": list(readings)}
    return event(kind, seq_no, timestamp=f"{DAY}{at}Z", meterValue=[value])


async def told(system: System, station: str, *events: dict[str, Any]) -> Any:
    """What REST shows of a session of 2.0.1 after its events."""
    for one in events:
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    return await the_one(system, station)


async def charged(system: System, station: str, meter_start: int, samples: dict[str, str], meter_stop: int) -> Any:
    """What REST shows of a session of 1.6 of an hour. samples: by time."""
    number = await start(system, station, meterStart=meter_start)
    for at, wh in samples.items():
        await system.tell(station, "MeterValues", metered(number, wh, f"{DAY}{at}Z"))
    await system.ask(station, "StopTransaction", stop(number, meterStop=meter_stop))
    return await the_one(system, station)


def energy(item: Any) -> tuple[Any, ...]:
    return item["energy_wh"], item["energy_source"], item["doubts"]


@pytest.mark.parametrize(
    ("meter_start", "samples", "meter_stop", "expected"),
    [
        (1000, {"10:30:00": "4000"}, 8500, (7500, "register", [])),
        (0, {"10:00:01": "939000"}, 939_000, (0, "steps", ["register_leapt"])),
        (0, {"10:00:01": "939000", "10:30:00": "943000"}, 946_500, (7500, "steps", ["register_leapt"])),
        (1000, {"10:30:00": "4000"}, 4294967295, (3000, "samples", ["unusable_reading"])),
        (1000, {"10:30:00": "4000"}, -1, (3000, "samples", ["unusable_reading"])),
        (1000, {}, 4294967295, (None, "none", ["no_energy", "unusable_reading"])),
        (5000, {"10:10:00": "7000", "10:20:00": "0"}, 1500, (3500, "steps", ["register_fell"])),
        (5000, {"10:10:00": "5100", "10:20:00": "0", "10:30:00": "5200"}, 6000, (1000, "register", ["odd_reading"])),
        (2**32 - 1000, {"10:30:00": "2000"}, 6500, (7500, "register", ["register_wrapped"])),
        (361_400, OPEN_EVSE, 370_900, (9500, "register", [])),
        (1_000_000, {"10:30:00": "1003000"}, 1007, (7000, "register", ["unit_mislabelled"])),
    ],
)
async def test_a_register_of_1_6(
    system: System,
    station: str,
    meter_start: int,
    samples: dict[str, str],
    meter_stop: int,
    expected: tuple[Any, ...],
) -> None:
    """§7.31: steps instead of ends where a register did not run as meters do; marked, and never a word less."""
    assert energy(await charged(system, station, meter_start, samples, meter_stop)) == expected


async def test_the_lifetime_register_a_second_after_a_meter_start_of_0(system: System, station: str) -> None:
    """939 kWh; how much of that was delivered is not known."""
    number = await start(system, station, meterStart=0)
    await system.ask(station, "StopTransaction", stop(number, meterStop=939_000, timestamp=f"{DAY}10:00:01Z"))
    assert energy(await the_one(system, station)) == (None, "none", LEAPT)


async def test_the_lifetime_register_after_a_begin_of_0(system: System, station: str) -> None:
    """909,948 Wh in five minutes are beyond every EVSE; what was delivered is not known."""
    item = await told(
        system,
        station,
        sampled(0, "Started", "10:00:00", {"value": 0, "context": "Transaction.Begin"}),
        sampled(1, "Ended", "10:05:00", {"value": 909_948, "context": "Transaction.End"}),
    )
    assert energy(item) == (None, "none", LEAPT)
    assert (item["meter_start_wh"], item["meter_stop_wh"]) == (0, 909_948)
    *_, ended = await settled(system, station, 2)
    assert isinstance(ended, pb.TransactionEnded)
    assert not ended.transaction.HasField("energy_wh")
    assert ended.transaction.energy_source == pb.ENERGY_SOURCE_NONE
    assert list(ended.transaction.doubts) == [pb.DOUBT_NO_ENERGY, pb.DOUBT_REGISTER_LEAPT]


@pytest.mark.parametrize(("power_w", "expected"), [(0, (60_000, "register", [])), (11_000, (None, "none", LEAPT))])
async def test_what_an_evse_can_deliver_is_what_its_registration_says(
    system: System, station: str, power_w: float, expected: tuple[Any, ...]
) -> None:
    """60 kWh in an hour are possible, but not at a wallbox of 11 kW."""
    known = Registration(station_id=station, rated_power_w=power_w)
    await system.bus.publish([Record("registrations", station.encode(), known.SerializeToString())])
    assert energy(await charged(system, station, 1000, {}, 61_000)) == expected


async def test_begin_and_end_in_one_list(system: System, station: str) -> None:
    """J02.FR.02: all readings of a moment are of one list."""
    readings: list[dict[str, Any]] = [
        {"value": 1000, "context": "Transaction.Begin"},
        {"value": 5000},
        {"value": 8000, "context": "Transaction.End"},
    ]
    item = await told(system, station, event("Started", 0), sampled(1, "Ended", "10:30:00", *readings))
    assert energy(item) == (7000, "register", [])


async def test_begin_and_end_in_the_list_of_a_stop(system: System, station: str) -> None:
    """1.6 §3.16.6: transactionData has them once more; where meterStop is none, they are all there is."""
    number = await start(system, station, meterStart=1000)
    readings = [{"value": wh, "context": f"Transaction.{edge}"} for edge, wh in (("Begin", "1000"), ("End", "8000"))]
    data = [{"timestamp": f"{DAY}11:00:00Z", "sampledValue": readings}]
    await system.ask(station, "StopTransaction", stop(number, meterStop=4294967295, transactionData=data))
    assert energy(await the_one(system, station)) == (7000, "register", [])


@pytest.mark.parametrize("phases", [("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N"), ("L1",)])
async def test_registers_of_phases(system: System, station: str, phases: tuple[str, ...]) -> None:
    def registers(wh: float, context: str) -> list[dict[str, Any]]:
        return [{"value": wh, "phase": phase, "context": context} for phase in phases]

    item = await told(
        system,
        station,
        sampled(0, "Started", "10:00:00", *registers(1000, "Transaction.Begin")),
        sampled(1, "Ended", "10:30:00", *registers(3000, "Transaction.End")),
    )
    assert energy(item) == (2000 * len(phases), "phases", [])


async def test_a_register_that_stands_still_while_phases_run(system: System, station: str) -> None:
    """1.6 cannot leave out meterStart and meterStop: 0 and 0 of a station that has no meter of all phases."""
    number = await start(system, station, meterStart=0)
    for at, wh in (("10:00:00", "1000"), ("10:50:00", "4000")):
        readings = [{"value": wh, "phase": phase} for phase in ("L1", "L2", "L3")]
        values = [{"timestamp": f"{DAY}{at}Z", "sampledValue": readings}]
        await system.tell(station, "MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})
    await system.ask(station, "StopTransaction", stop(number, meterStop=0))
    assert energy(await the_one(system, station)) == (9000, "phases", ["meters_disagree"])


async def test_intervals_add_up_and_none_counts_twice(system: System, station: str) -> None:
    interval = "Energy.Active.Import.Interval"
    parts = [
        sampled(0, "Started", "10:00:00", {"value": 0, "measurand": interval}),
        sampled(1, "Updated", "10:15:00", {"value": 700, "measurand": interval}),
        sampled(2, "Updated", "10:30:00", {"value": 600, "measurand": interval}),
        sampled(3, "Ended", "10:40:00", {"value": 200, "measurand": interval, "context": "Transaction.End"}),
    ]
    item = await told(system, station, *parts, parts[1], parts[2])
    assert energy(item) == (1500, "intervals", [])


async def test_a_session_of_which_nothing_tells_the_energy(system: System, station: str) -> None:
    """Unknown is not 0, and is marked."""
    item = await told(system, station, event("Started", 0), event("Ended", 1))
    assert energy(item) == (None, "none", ["no_energy"])


async def test_what_is_measured_after_the_end_does_not_change_it(system: System, station: str) -> None:
    """1.6: MeterValues that name a session that has ended are told, and change nothing."""
    number = await start(system, station, meterStart=1000)
    await system.ask(station, "StopTransaction", stop(number))
    before = await the_one(system, station)
    await system.tell(station, "MeterValues", metered(number, "20000", f"{DAY}12:00:00Z"))
    *_, updated = await settled(system, station, 3)
    assert isinstance(updated, pb.TransactionUpdated)
    after = await the_one(system, station)
    assert after | {"updated_at": before["updated_at"]} == before


async def test_an_event_after_the_end_does_not_change_it(system: System, station: str) -> None:
    """2.0.1: of a higher sequence number than Ended, whatever its clock says."""
    parts = [
        sampled(0, "Started", "10:00:00", {"value": 1000, "context": "Transaction.Begin"}),
        sampled(1, "Ended", "10:30:00", {"value": 8000, "context": "Transaction.End"}),
    ]
    before = await told(system, station, *parts)
    assert energy(before) == (7000, "register", [])
    for seq_no, at in ((2, "10:20:00"), (3, "12:00:00")):
        after = await told(system, station, sampled(seq_no, "Updated", at, {"value": 20_000}))
        assert (energy(after), after["review"]) == (energy(before), "none")


async def test_what_was_measured_before_the_end_and_told_later_changes_it_as_a_revision(
    system: System, station: str
) -> None:
    """A reset that nobody could see without it."""
    number = await start(system, station, meterStart=100)
    await system.tell(station, "MeterValues", metered(number, "500", f"{DAY}10:10:00Z"))
    await system.tell(station, "MeterValues", metered(number, "700", f"{DAY}10:50:00Z"))
    await system.ask(station, "StopTransaction", stop(number, meterStop=900))
    assert energy(await the_one(system, station)) == (800, "register", [])
    for at, wh in (("10:30:00", "0"), ("10:40:00", "200")):
        await system.tell(station, "MeterValues", metered(number, wh, f"{DAY}{at}Z"))
    events = await settled(system, station, 6)
    assert energy(await the_one(system, station)) == (1300, "steps", ["register_fell"])
    assert isinstance(events[-1], pb.TransactionRevised)
    changes = {change.field: (change.before, change.after) for change in events[-1].changes}
    assert changes["energy_source"] == ('"register"', '"steps"')


async def test_a_later_stop_corrects_a_wrong_one(system: System, station: str) -> None:
    number = await start(system, station, meterStart=1000)
    await system.ask(station, "StopTransaction", stop(number, meterStop=2_000_000_000))
    assert (await the_one(system, station))["doubts"] == LEAPT
    await system.ask(station, "StopTransaction", stop(number, meterStop=8000, timestamp=f"{DAY}11:00:05Z"))
    assert energy(await the_one(system, station)) == (7000, "register", [])
    *_, revised = await settled(system, station, 3)
    assert (type(revised), revised.reason) == (pb.TransactionRevised, pb.REVISION_REASON_LATE_END)


async def test_a_later_stop_whose_register_falls_is_held(system: System, station: str) -> None:
    number = await start(system, station, meterStart=1000)
    await system.ask(station, "StopTransaction", stop(number, meterStop=5000))
    fell = stop(number, meterStop=1000, timestamp=f"{DAY}11:00:30Z", reason="PowerLoss")
    for _ in range(2):
        await system.ask(station, "StopTransaction", fell)
        item = await the_one(system, station)
        assert energy(item) == (4000, "register", ["register_fell"])
        assert (item["stopped_at"], item["stop_reason"], item["review"]) == (f"{DAY}11:00:00Z", "Local", "held")
        assert item["revision"] == 2


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 1, 3), (2, 3, 0, 1)])
async def test_in_whatever_order_a_reset_is_told(system: System, station: str, order: tuple[int, ...]) -> None:
    """In one batch or several; told again, it changes nothing."""
    number = await start(system, station, meterStart=5000)
    samples = {"10:10:00": "7000", "10:20:00": "0", "10:30:00": "500"}
    records = [call(station, "MeterValues", metered(number, wh, f"{DAY}{at}Z")) for at, wh in samples.items()]
    records.append(call(station, "StopTransaction", stop(number, meterStop=1500)))
    await system.bus.publish([records[n] for n in order])
    await settled(system, station, 5)
    before = await the_one(system, station)
    assert energy(before) == (3500, "steps", ["register_fell"])
    await system.bus.publish(records)
    assert len(await settled(system, station, 5)) == 5
    assert await the_one(system, station) == before


async def test_doubtful_ones_are_found(system: System, station: str) -> None:
    await charged(system, station, 5000, {}, 100)
    for doubt, count in (("register_fell", 1), ("clock", 0), ("odd_reading", 0)):
        found = await get(system, "/v1/transactions", station_id=station, doubt=doubt)
        assert len(found["items"]) == count
    assert (await system.client.get("/v1/transactions", params={"doubt": "much"})).status_code == 422
