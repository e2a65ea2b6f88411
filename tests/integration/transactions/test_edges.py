"""What stations do in the field: tell twice, out of order, with lying clocks, with what cannot be read."""

from typing import Any

import pytest

from services.common.kafka.bus import Record
from tests.integration.transactions.running import DEAD, EVENTS, System, call, token
from tests.integration.transactions.test_rest import get, start
from tests.integration.transactions.test_session import START, metered, stop
from voltbus.v1 import events_pb2 as pb


def event(kind: str, seq_no: int, **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "timestamp": f"2026-03-01T10:0{seq_no}:00Z",
        "triggerReason": "Trigger",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "tx"},
    } | more


def energy(wh: float, context: str = "Sample.Periodic", at: str = "2026-03-01T10:00:00Z") -> dict[str, Any]:
    return {"meterValue": [{"timestamp": at, "sampledValue": [{"value": wh, "context": context}]}]}


async def the_one(system: System, station: str) -> Any:
    [item] = (await get(system, "/v1/transactions", station_id=station))["items"]
    return item


async def settled(system: System, station: str, count: int) -> list[Any]:
    """The events, when that many are there and a later one has overtaken none."""
    await system.until(lambda: len(system.events(station)) >= count)
    await system.ask(f"{station}-after", "StartTransaction", START)
    await system.until(lambda: system.events(f"{station}-after"))
    return system.events(station)


async def test_a_retried_start_and_stop(system: System, station: str) -> None:
    """1.6 §3.7.1: the same integer again, one transaction, one event each."""
    first, second = [await system.ask(station, "StartTransaction", START) for _ in range(2)]
    assert first == second
    number = first["transactionId"]
    for _ in range(2):
        assert await system.ask(station, "StopTransaction", stop(number)) == {"idTagInfo": {"status": "Invalid"}}
    kinds = [type(e) for e in await settled(system, station, 2)]
    assert kinds == [pb.TransactionStarted, pb.TransactionEnded]
    assert (await the_one(system, station))["energy_wh"] == 7500


async def test_a_session_read_again_from_the_beginning_is_there_once(system: System, station: str) -> None:
    """A crash before the offsets are committed: the same records, the same replies, no second event or sample."""
    number = await start(system, station, meterStart=1000)
    records = [
        call(station, "MeterValues", metered(number, "2000")),
        call(station, "MeterValues", metered(None, "5")),
        call(station, "StopTransaction", stop(number, transactionData=metered(1, "3000")["meterValue"])),
        call(station, "StopTransaction", stop(0, meterStop=9000)),
        call(station, "ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"}, "2.0.1"),
        call(station, "TransactionEvent", event("Updated", 3, **energy(5)), "2.0.1"),
    ]
    await system.bus.publish(records)
    before = await settled(system, station, 7)
    await system.bus.publish(records)
    assert await settled(system, station, 7) == before
    assert len((await get(system, f"/v1/transactions/{number}/samples"))["items"]) == 2
    assert len((await get(system, f"/v1/stations/{station}/samples"))["items"]) == 1
    assert len((await get(system, "/v1/orphans", station_id=station))["items"]) == 1
    messages = (await get(system, f"/v1/stations/{station}/messages"))["items"]
    assert [message["action"] for message in messages] == ["ReservationStatusUpdate"]


async def test_the_order_of_a_station_is_that_of_its_events(system: System, station: str) -> None:
    """Also when one batch holds all of it."""
    number = await start(system, station)
    parts = [
        metered(number, str(2000 + n), f"2026-03-01T10:00:{n:02}Z") if n % 3 else metered(None, str(n))
        for n in range(12)
    ]
    records = [call(station, "MeterValues", part) for part in parts]
    await system.bus.publish(records)
    told = [e.meter_values[0].readings[0].value for e in (await settled(system, station, 13))[1:]]
    assert told == [float(part["meterValue"][0]["sampledValue"][0]["value"]) for part in parts]


async def test_events_out_of_order_with_a_gap_that_closes(system: System, station: str) -> None:
    """E §1.3.2, E12: Ended first, Started last, a number that does not start at 0."""
    for seq_no, kind in ((7, "Ended"), (4, "Updated"), (3, "Started")):
        await system.ask(station, "TransactionEvent", event(kind, seq_no, offline=True), "2.0.1")
    item = await the_one(system, station)
    assert (item["status"], item["missing_seq_nos"], item["complete"]) == ("ended", [5, 6], False)
    assert (item["started_at"], item["stopped_at"]) == ("2026-03-01T10:03:00Z", "2026-03-01T10:07:00Z")
    for seq_no in (6, 5):
        await system.ask(station, "TransactionEvent", event("Updated", seq_no), "2.0.1")
    item = await the_one(system, station)
    assert (item["missing_seq_nos"], item["complete"], item["offline"]) == ([], True, True)


async def test_a_refused_card_is_not_the_payer_where_a_second_is_accepted(system: System, station: str) -> None:
    """Updated with card A, Blocked, then card B, Accepted; who stops is kept beside them."""
    await system.bus.publish([token("card-a", "Blocked"), token("card-b"), token("card-c")])
    await system.ask(station, "TransactionEvent", event("Started", 0), "2.0.1")
    cards = [("Updated", 1, "card-a"), ("Updated", 2, "card-b"), ("Ended", 3, "card-c")]
    for kind, seq_no, id_token in cards:
        presented = {"idToken": {"idToken": id_token, "type": "ISO14443"}}
        await system.ask(station, "TransactionEvent", event(kind, seq_no, **presented), "2.0.1")
    item = await the_one(system, station)
    assert (item["id_token"], item["authorization"], item["stop_id_token"]) == ("card-b", "Accepted", "card-c")
    told = [(one["id_token"], one["authorization"]) for one in item["id_tokens"]]
    assert told == [("card-a", "Blocked"), ("card-b", "Accepted"), ("card-c", "Accepted")]
    ended = (await settled(system, station, 4))[-1]
    assert (ended.transaction.id_token, ended.transaction.authorization) == ("card-b", "Accepted")


async def test_an_offline_event_with_an_invalid_token_is_recorded_and_judged(system: System, station: str) -> None:
    """E04, E05.FR.01, C09: the real status, and the transaction all the same."""
    await system.bus.publish([token("stolen", "Blocked", "eMAID")])
    told = event("Started", 0, offline=True, idToken={"idToken": "STOLEN", "type": "eMAID"})
    assert await system.ask(station, "TransactionEvent", told, "2.0.1") == {"idTokenInfo": {"status": "Blocked"}}
    other = event("Updated", 1, idToken={"idToken": "STOLEN", "type": "KeyCode"})
    answer = await system.ask(station, "TransactionEvent", other, "2.0.1")
    assert answer["idTokenInfo"]["status"] in ("Unknown", "Invalid")
    assert (await the_one(system, station))["authorization"] == "Blocked"


async def test_the_same_transaction_id_of_two_stations_is_two_transactions(system: System, station: str) -> None:
    """Station ids are unique only per station (E §1.2)."""
    for name in (station, f"{station}-b"):
        await system.ask(name, "TransactionEvent", event("Started", 0), "2.0.1")
    assert (await the_one(system, station))["id"] != (await the_one(system, f"{station}-b"))["id"]


@pytest.mark.parametrize("year", ["1970", "2099", "9999"])
async def test_a_clock_that_lies_loses_nothing(system: System, station: str, year: str) -> None:
    """The station's time is kept, and beside it when we heard of it."""
    number = await start(system, station, timestamp=f"{year}-01-01T00:00:00Z", meterStart=1000)
    await system.tell(station, "MeterValues", metered(number, "2000", f"{year}-12-30T10:00:00Z"))
    await system.ask(station, "StopTransaction", stop(number, timestamp=f"{year}-06-01T00:00:00Z"))
    item = await the_one(system, station)
    assert item["started_at"] == f"{year}-01-01T00:00:00Z"
    assert item["started_received_at"] > "2026"
    assert (item["energy_wh"], item["status"]) == (7500, "ended")
    [sample] = (await get(system, f"/v1/transactions/{number}/samples"))["items"]
    assert (sample["taken_at"], sample["received_at"] > "2026") == (f"{year}-12-30T10:00:00Z", True)
    events = await settled(system, station, 3)
    assert events[2].transaction.energy_wh == 7500


async def test_a_clock_that_always_says_the_same_still_makes_two_sessions(system: System, station: str) -> None:
    """Boots at 1970, meter at 0: what starts after a stop is another session, and read again it stays that one."""
    told = START | {"timestamp": "1970-01-01T00:00:00Z", "meterStart": 0}
    records: list[Record] = []
    numbers: list[int] = []
    for _ in range(2):
        number = (await system.ask(station, "StartTransaction", told))["transactionId"]
        assert (await system.ask(station, "StartTransaction", told))["transactionId"] == number
        end = stop(number, timestamp="1970-01-01T01:00:00Z")
        records += [call(station, "StartTransaction", told), call(station, "StopTransaction", end)]
        await system.bus.publish(records[-1:])
        await system.until(lambda: len(system.events(station)) == 2 * len(numbers) + 2)
        numbers.append(number)
    assert numbers[0] != numbers[1]
    await system.bus.publish(records[1::2])
    await settled(system, station, 4)
    items = (await get(system, "/v1/transactions", station_id=station))["items"]
    assert [(item["id"], item["energy_wh"]) for item in items] == [(number, 8500) for number in numbers[::-1]]


async def test_a_clock_at_the_beginning_of_time(system: System, station: str) -> None:
    """What .NET calls DateTime.MinValue, Postgres would call -infinity."""
    number = await start(system, station, timestamp="0001-01-01T00:00:00Z")
    assert (await start(system, station, timestamp="9999-12-31T23:59:59.999999Z")) != number
    await system.ask(station, "StopTransaction", stop(number, timestamp="0001-01-01T00:00:00Z"))
    assert (await get(system, f"/v1/transactions/{number}"))["started_at"].startswith("0001-01-02T00:00:00")
    await settled(system, station, 3)


async def test_a_clock_that_jumps_back_and_stands_still(system: System, station: str) -> None:
    """Different values at the same moment are different samples; the same are one."""
    number = await start(system, station, meterStart=1000)
    for wh in ("2000", "2001", "2001"):
        await system.tell(station, "MeterValues", metered(number, wh, "1970-01-01T00:00:00Z"))
    await system.ask(station, "StopTransaction", stop(number, timestamp="1970-01-01T00:00:00Z"))
    item = await the_one(system, station)
    assert item["stopped_at"] < item["started_at"]
    assert len((await get(system, f"/v1/transactions/{number}/samples"))["items"]) == 2


async def test_measurands_split_over_events_of_one_moment(system: System, station: str) -> None:
    """J02.FR.14."""
    for seq_no, measurand in enumerate(("Voltage", "Current.Import", "Power.Active.Import")):
        values = [{"timestamp": "2026-03-01T10:00:00Z", "sampledValue": [{"value": 1, "measurand": measurand}]}]
        await system.ask(station, "TransactionEvent", event("Updated", seq_no, meterValue=values), "2.0.1")
    item = await the_one(system, station)
    samples = (await get(system, f"/v1/transactions/{item['id']}/samples"))["items"]
    assert sorted(sample["seq_no"] for sample in samples) == [0, 1, 2]


async def test_a_register_that_jumps_back_bills_nothing_negative(system: System, station: str) -> None:
    number = await start(system, station, meterStart=5000)
    await system.ask(station, "StopTransaction", stop(number, meterStop=10))
    item = await the_one(system, station)
    assert (item["meter_start_wh"], item["meter_stop_wh"], item["energy_wh"]) == (5000, 10, None)
    assert item["register_jumped_back"]


async def test_a_time_that_cannot_be_read(system: System, station: str) -> None:
    """§4.10: a .conf shall follow. What was said is of its receipt, and the words are kept."""
    number = await start(system, station, meterStart=1000)
    await system.bus.publish([call(station, "MeterValues", metered(number, "1500", "soon"))])
    odd = stop(number, meterStop=3000, timestamp="0000-00-00T00:00:00Z")
    assert "idTagInfo" in await system.ask(station, "StopTransaction", odd)
    await settled(system, station, 3)
    item = await the_one(system, station)
    assert (item["status"], item["energy_wh"]) == ("ended", 2000)
    assert item["details"] == {"unreadable_timestamp": "0000-00-00T00:00:00Z"}
    [sample] = (await get(system, f"/v1/transactions/{number}/samples"))["items"]
    assert sample["said"] == "soon"
    assert not [record for record in system.bus.all(DEAD) if record.key == station.encode()]


async def test_a_stop_with_an_unreadable_sample_is_a_stop(system: System, station: str) -> None:
    number = await start(system, station, meterStart=1000)
    data = [{"timestamp": "soon", "sampledValue": [{"value": "5"}]}]
    await system.ask(station, "StopTransaction", stop(number, transactionData=data))
    [sample] = (await get(system, f"/v1/transactions/{number}/samples"))["items"]
    assert (sample["taken_at"], sample["said"]) == ("2026-03-01T11:00:00Z", "soon")


async def test_a_record_that_is_no_call_is_put_aside(system: System, station: str) -> None:
    bad = Record("ocpp.calls.transactions", station.encode(), b"\xff\xff")
    await system.bus.publish([bad, call(station, "MeterValues", metered(None, "7"))])
    await settled(system, station, 1)
    [dead] = [record for record in system.bus.all(DEAD) if record.key == station.encode()]
    assert dead.value == bad.value


async def test_signed_and_odd_values_are_kept_verbatim(system: System, station: str) -> None:
    """J01.FR.21, TC_J_04: 2.0.1 signedMeterValue; 1.6 SignedData; NUL, which Postgres cannot hold."""
    signed = {"signedMeterData": "ZGF0YQ==", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "oca:base16:x"}
    values = [{"timestamp": "2026-03-01T10:00:00Z", "sampledValue": [{"value": 1.5, "signedMeterValue": signed}]}]
    await system.ask(station, "TransactionEvent", event("Started", 0, meterValue=values), "2.0.1")
    item = await the_one(system, station)
    [sample] = (await get(system, f"/v1/transactions/{item['id']}/samples"))["items"]
    assert sample["readings"][0]["signed"] == signed
    odd = {"timestamp": "2026-03-01T10:00:00Z", "sampledValue": [{"value": "a\0b", "format": "SignedData"}]}
    await system.tell(station, "MeterValues", {"connectorId": 1, "meterValue": [odd]})
    await settled(system, station, 2)
    [outside] = (await get(system, f"/v1/stations/{station}/samples"))["items"]
    assert (outside["readings"][0]["signed"], outside["readings"][0]["value"]) == ("a\ufffdb", None)


async def test_event_ids_are_those_of_what_happened(system: System, station: str) -> None:
    await system.bus.publish([call(station, "MeterValues", metered(None, str(n))) for n in range(3)])
    await settled(system, station, 3)
    ids = [dict(r.headers)["ce_id"] for r in system.bus.all(EVENTS) if r.key == station.encode()]
    assert len(set(ids)) == 3
