"""Which session a message is about: stops without a name, starts that look the same, names used again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.kafka.bus import Record
from tests.integration.transactions.running import System, call, token
from tests.integration.transactions.test_closing import close
from tests.integration.transactions.test_edges import energy, settled, the_one
from tests.integration.transactions.test_edges import event as transaction_event
from tests.integration.transactions.test_rest import get, start
from tests.integration.transactions.test_session import START, metered, stop
from voltbus.v1 import events_pb2 as pb


async def items(system: System, station: str) -> list[Any]:
    """The transactions of a station, oldest first."""
    found: list[Any] = (await get(system, "/v1/transactions", station_id=station))["items"]
    return found[::-1]


async def test_a_stop_without_a_name_ends_the_session_it_can_only_mean(system: System, station: str) -> None:
    """Errata 3.18: the answer to the start was lost; −1 is told twice, and read again after a crash."""
    number = await start(system, station, meterStart=1000)
    await system.tell(station, "MeterValues", metered(number, "4000"))
    nameless = call(station, "StopTransaction", stop(-1))
    for record in (nameless, nameless, call(station, "StopTransaction", stop(-1))):
        await system.bus.publish([record])
    events = await settled(system, station, 3)
    assert [type(e) for e in events] == [pb.TransactionStarted, pb.TransactionUpdated, pb.TransactionEnded]
    assert events[2].transaction.ended_by == pb.ENDED_BY_JOINED
    item = await the_one(system, station)
    assert (item["id"], item["ended_by"], item["energy_wh"], item["complete"]) == (number, "joined", 7500, True)
    [kept] = (await get(system, "/v1/orphans", station_id=station))["items"]
    assert (kept["joined_id"], kept["transaction_id"]) == (number, "-1")


async def test_a_stop_of_0_with_a_card_of_the_group(system: System, station: str) -> None:
    await system.bus.publish([token("cafe01", group_id="FAMILY"), token("cafe02", group_id="FAMILY")])
    await start(system, station, meterStart=1000)
    await system.ask(station, "StopTransaction", stop(0, idTag="cafe02"))
    item = await the_one(system, station)
    assert (item["ended_by"], item["id_token"], item["stop_id_token"]) == ("joined", "CAFE01", "cafe02")


async def test_a_stop_without_a_name_is_never_joined_blindly(system: System, station: str) -> None:
    """Another card, a meter below what is known, two sessions: an orphan each, as before."""
    await start(system, station, meterStart=5000)
    await system.ask(station, "StopTransaction", stop(-1, idTag="other"))
    await system.ask(station, "StopTransaction", stop(-1, meterStop=4000))
    await start(system, station, connectorId=2)
    await system.ask(station, "StopTransaction", stop(-1, timestamp="2026-03-01T11:30:00Z"))
    assert [item["status"] for item in await items(system, station)] == ["active", "active"]
    orphans = (await get(system, "/v1/orphans", station_id=station))["items"]
    assert [orphan["joined_id"] for orphan in orphans] == [None, None, None]
    kinds = [type(e) for e in await settled(system, station, 5)]
    assert kinds.count(pb.OrphanStopRecorded) == 3


async def test_a_stop_told_again_without_its_name_ends_nobody_else(system: System, station: str) -> None:
    """Stations that tell a stop again as −1 or 0; in a batch of its own, and in one with the first."""
    for connector, others in ((1, [-1, 0]), (3, [0])):
        number = await start(system, station, connectorId=connector, meterStart=0)
        beside = await start(system, station, connectorId=connector + 1, meterStart=0, idTag="CARD2")
        told = {"meterStop": 2000, "timestamp": f"2026-03-01T1{connector}:00:00Z", "reason": "Local", "idTag": None}
        stops = [{k: v for k, v in stop(one, **told).items() if v is not None} for one in (number, *others)]
        records = [call(station, "StopTransaction", one) for one in stops]
        for batch in [records] if connector == 3 else [[one] for one in records]:
            await system.bus.publish(batch)
        await system.ask(station, "StopTransaction", stops[-1])
        ended, goes_on = (await items(system, station))[-2:]
        assert (ended["id"], ended["energy_wh"], ended["ended_by"], ended["revision"]) == (number, 2000, "station", 1)
        assert (goes_on["id"], goes_on["status"]) == (beside, "active")
        kept = (await get(system, "/v1/orphans", station_id=station))["items"]
        assert number in [one["joined_id"] for one in kept]
        await system.ask(station, "StopTransaction", stop(beside, idTag="CARD2", timestamp="2026-03-01T18:00:00Z"))
    assert pb.OrphanStopRecorded not in [type(e) for e in system.events(station)]


async def test_a_nameless_stop_of_before_the_last_meter_value_is_an_orphan(system: System, station: str) -> None:
    """Only the stop of a session that was offline comes, while another has begun meanwhile and goes on."""
    number = await start(system, station, meterStart=1000)
    for shown, minute in (("3000", 15), ("5000", 30)):
        await system.tell(station, "MeterValues", metered(number, shown, f"2026-03-01T10:{minute}:00Z"))
    for wh, card in ((7000, {}), (5500, {}), (5000, {}), (9000, {"idTag": "CAFE01"})):
        told = {"transactionId": -1, "meterStop": wh, "timestamp": "2026-03-01T10:20:00Z"}
        await system.ask(station, "StopTransaction", told | card)
    assert (await the_one(system, station))["status"] == "active"
    orphans = (await get(system, "/v1/orphans", station_id=station))["items"]
    assert [orphan["joined_id"] for orphan in orphans] == [None] * 4


async def test_a_stop_with_the_number_of_the_session_before_is_of_the_next(system: System, station: str) -> None:
    """Stations that count themselves, or did not hear the number of the second start."""
    first = await start(system, station, meterStart=1000)
    ended = {"meterStop": 5000, "timestamp": "2026-03-01T10:30:00Z"}
    await system.ask(station, "StopTransaction", stop(first, **ended))
    second = await start(system, station, meterStart=5000, idTag="CARD2", timestamp="2026-03-01T10:40:00Z")
    told = call(station, "StopTransaction", stop(first, meterStop=9000, idTag="CARD2"))
    for record in (told, told, call(station, "StopTransaction", stop(first, meterStop=9000, idTag="CARD2"))):
        await system.bus.publish([record])
    await system.ask(station, "StopTransaction", stop(first, **ended))
    events = await settled(system, station, 4)
    assert len(events) == 4
    one, other = await items(system, station)
    assert (one["id"], one["energy_wh"], one["revision"], one["stop_id_token"]) == (first, 4000, 1, "CAFE01")
    assert (other["id"], other["energy_wh"], other["ended_by"]) == (second, 4000, "joined")
    [kept] = (await get(system, "/v1/orphans", station_id=station))["items"]
    assert (kept["joined_id"], kept["transaction_id"]) == (second, str(first))


async def test_a_stop_with_the_number_of_the_session_before_and_no_one_to_mean_is_an_orphan(
    system: System, station: str
) -> None:
    first = await start(system, station, meterStart=1000)
    await system.ask(station, "StopTransaction", stop(first, meterStop=5000, timestamp="2026-03-01T10:30:00Z"))
    await start(system, station, meterStart=5000, idTag="CARD2", timestamp="2026-03-01T10:40:00Z")
    await system.ask(station, "StopTransaction", stop(first, meterStop=9000, idTag="OTHER"))
    one, other = await items(system, station)
    assert (one["energy_wh"], one["revision"], other["status"]) == (4000, 1, "active")
    [kept] = (await get(system, "/v1/orphans", station_id=station))["items"]
    assert (kept["joined_id"], kept["transaction_id"]) == (None, str(first))


def ago(seconds: float) -> str:
    """By a clock that is right."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


async def test_the_own_stop_of_a_session_that_a_mislabelled_start_has_ended_is_its_own(
    system: System, station: str
) -> None:
    """1.6: what started is at another connector, by its meter; who was there pays for all that he got."""
    first = await start(system, station, connectorId=1, meterStart=3000, timestamp=ago(300))
    await system.tell(station, "MeterValues", metered(first, "3050", ago(250)))
    more = {"connectorId": 1, "meterStart": 70_000, "idTag": "CARDB", "timestamp": ago(200)}
    second = await start(system, station, **more)
    for wh, seconds in (("3200", 150), ("5000", 100)):
        await system.tell(station, "MeterValues", metered(first, wh, ago(seconds)))
    last = stop(first, meterStop=9000, timestamp=ago(1))
    for connection in ("", "after a boot"):
        await system.ask(station, "StopTransaction", last, connection=connection)
    one, other = await items(system, station)
    assert (one["energy_wh"], one["review"], one["ended_by"], one["revision"]) == (6000, "none", "station", 2)
    assert (other["id"], other["status"]) == (second, "active")
    assert (await get(system, "/v1/orphans", station_id=station))["items"] == []


async def test_two_numbers_that_are_mixed_up_at_the_stop_hold_both_sessions(system: System, station: str) -> None:
    """1.6: two connectors; each is stopped with the card of the other."""
    first = await start(system, station, connectorId=1, meterStart=1000, idTag="CARDA", timestamp=ago(300))
    second = await start(system, station, connectorId=2, meterStart=50_000, idTag="CARDB", timestamp=ago(200))
    await system.ask(station, "StopTransaction", stop(first, meterStop=52_000, idTag="CARDB", timestamp=ago(1)))
    one, other = await items(system, station)
    assert (one["review"], one["doubts"], other["status"]) == ("held", ["told_again"], "active")
    await system.ask(station, "StopTransaction", stop(second, meterStop=50_100, idTag="CARDA", timestamp=ago(0)))
    one, other = await items(system, station)
    assert (one["revision"], one["review"], other["review"]) == (1, "held", "held")


async def test_two_sessions_of_one_energy_are_held_also_after_the_first_has_ended(system: System, station: str) -> None:
    """1.6: two starts of one connector, of which the older is told last."""
    first = await start(system, station, connectorId=1, meterStart=1000, idTag="CARDA", timestamp=ago(60))
    second = await start(system, station, connectorId=1, meterStart=1000, idTag="CARDB", timestamp=ago(60.5))
    for number, card_of in ((first, "CARDA"), (second, "CARDB")):
        last = stop(number, meterStop=3000, idTag=card_of, timestamp=ago(0))
        for connection in ("", "after a boot"):
            await system.ask(station, "StopTransaction", last, connection=connection)
    one, other = await items(system, station)
    assert [one[name] for name in ("energy_wh", "review", "revision")] == [2000, "held", 2]
    assert [other[name] for name in ("energy_wh", "review", "revision", "superseded_by")] == [2000, "held", 1, first]


async def test_a_session_and_its_nameless_stop_in_one_batch(system: System, station: str) -> None:
    records: list[Record] = [
        call(station, "StartTransaction", START),
        call(station, "StopTransaction", stop(-1)),
        call(station, "StopTransaction", stop(-1)),
    ]
    await system.bus.publish(records)
    assert [type(e) for e in await settled(system, station, 2)] == [pb.TransactionStarted, pb.TransactionEnded]
    assert (await the_one(system, station))["ended_by"] == "joined"


async def test_the_own_word_of_the_station_corrects_a_joined_end(system: System, station: str) -> None:
    number = await start(system, station, meterStart=1000)
    await system.ask(station, "StopTransaction", stop(-1, meterStop=8000, timestamp="2026-03-01T10:59:00Z"))
    await system.ask(station, "StopTransaction", stop(number))
    item = await the_one(system, station)
    assert (item["ended_by"], item["energy_wh"], item["revision"]) == ("station", 7500, 2)
    [kept] = (await get(system, "/v1/orphans", station_id=station))["items"]
    assert kept["joined_id"] is None


async def test_the_same_start_after_the_stop_is_another_session(system: System, station: str) -> None:
    """1.6, whatever the clock says; its retry is none."""
    for clock in ("2026-03-01T10:00:00Z", "1970-01-01T00:00:00Z", datetime.now(UTC).isoformat()):
        began = START | {"timestamp": clock, "meterStart": 0}
        first = await system.ask(station, "StartTransaction", began)
        assert await system.ask(station, "StartTransaction", began) == first
        await system.ask(station, "StopTransaction", stop(first["transactionId"], timestamp=clock))
        second = await system.ask(station, "StartTransaction", began)
        assert second["transactionId"] != first["transactionId"]
        assert await system.ask(station, "StartTransaction", began) == second
        await system.ask(station, "StopTransaction", stop(second["transactionId"], timestamp=clock))
    found = await items(system, station)
    assert [item["status"] for item in found] == ["ended"] * 6
    assert len({item["id"] for item in found}) == 6


async def test_a_queue_that_is_sent_again_begins_nothing(system: System, station: str) -> None:
    """Start and stop were told live an hour ago; after a boot the station tells both again."""
    then = datetime.now(UTC) - timedelta(hours=1)
    began = START | {"timestamp": then.isoformat()}
    ended = {"timestamp": (then + timedelta(minutes=5)).isoformat()}
    await system.bus.publish([call(station, "StartTransaction", began, received_at=then)])
    await system.until(lambda: system.events(station))
    item = await the_one(system, station)
    stopped = stop(item["id"], **ended)
    await system.bus.publish(
        [call(station, "StopTransaction", stopped, received_at=then + timedelta(minutes=5, seconds=1))]
    )
    await settled(system, station, 2)
    assert (await system.ask(station, "StartTransaction", began))["transactionId"] == item["id"]
    await system.ask(station, "StopTransaction", stopped)
    assert (await the_one(system, station))["revision"] == 1


async def test_a_queue_that_is_sent_again_at_once_begins_nothing(system: System, station: str) -> None:
    """Start and stop, told live; then a boot, and both again under other message ids."""
    then = datetime.now(UTC) - timedelta(seconds=2)
    began = START | {"timestamp": then.isoformat()}
    number = (await system.ask(station, "StartTransaction", began))["transactionId"]
    stopped = stop(number, meterStop=1100, timestamp=(then + timedelta(seconds=2)).isoformat())
    await system.ask(station, "StopTransaction", stopped)
    again = await system.ask(station, "StartTransaction", began, connection="after a boot")
    assert again["transactionId"] == number
    await system.ask(station, "StopTransaction", stopped, connection="after a boot")
    item = await the_one(system, station)
    assert (item["energy_wh"], item["revision"], item["review"]) == (100, 1, "none")


@pytest.mark.parametrize("by", ["joined", "operator"])
async def test_a_start_told_again_after_a_guessed_end_is_the_same_session(
    system: System, station: str, by: str
) -> None:
    """Its own stop then corrects the end: one bill, revised."""
    then = datetime.now(UTC) - timedelta(seconds=20)
    began = START | {"timestamp": then.isoformat(), "meterStart": 0}
    number = (await system.ask(station, "StartTransaction", began))["transactionId"]
    await system.tell(station, "MeterValues", metered(number, "700", then.isoformat()))
    await system.until(lambda: len(system.events(station)) == 2)
    if by == "joined":
        nameless = stop(-1, meterStop=700, timestamp=(then + timedelta(seconds=5)).isoformat())
        await system.ask(station, "StopTransaction", nameless)
    else:
        await close(system, number)
    assert (await the_one(system, station))["ended_by"] == by
    again = await system.ask(station, "StartTransaction", began, connection="after a boot")
    assert again["transactionId"] == number
    stopped = stop(number, meterStop=1500, timestamp=datetime.now(UTC).isoformat())
    await system.ask(station, "StopTransaction", stopped, connection="after a boot")
    item = await the_one(system, station)
    assert (item["ended_by"], item["energy_wh"], item["revision"]) == ("station", 1500, 2)


async def test_a_start_that_may_be_told_again_is_held(system: System, station: str) -> None:
    """A queue that was told late the first time, too: its clock does not tell whether it is another session."""
    first = (await system.ask(station, "StartTransaction", START))["transactionId"]
    await system.ask(station, "StopTransaction", stop(first))
    again = await system.ask(station, "StartTransaction", START, connection="after a boot")
    await system.ask(station, "StopTransaction", stop(again["transactionId"]), connection="after a boot")
    one, other = await items(system, station)
    assert (one["review"], other["review"], other["doubts"]) == ("none", "held", ["told_again"])
    assert other["details"] == {"looks_like": first}


async def test_sessions_read_again_from_the_beginning_keep_their_numbers(system: System, station: str) -> None:
    """Two that look the same: what is read again after a crash is what it was."""
    first = call(station, "StartTransaction", START)
    await system.bus.publish([first])
    await system.until(lambda: system.events(station))
    number = (await the_one(system, station))["id"]
    between = call(station, "StopTransaction", stop(number))
    second = call(station, "StartTransaction", START)
    await system.bus.publish([between, second])
    before = await settled(system, station, 3)
    await system.bus.publish([first, between, second])
    assert await settled(system, station, 3) == before
    assert [item["status"] for item in await items(system, station)] == ["ended", "active"]


async def test_a_transaction_id_used_again_is_another_session(system: System, station: str) -> None:
    """2.0.1: a newer Started after the end; late events of the first stay with it; names may then be ambiguous."""

    async def tell(kind: str, seq_no: int, minute: int, **more: Any) -> None:
        when = {"timestamp": f"2026-03-01T10:{minute:02}:00Z"}
        await system.ask(station, "TransactionEvent", transaction_event(kind, seq_no, **(when | more)), "2.0.1")

    await tell("Started", 0, 0, **energy(1000, "Transaction.Begin"))
    await tell("Ended", 3, 10, **energy(3000, "Transaction.End"))
    await tell("Started", 0, 20, **energy(3000, "Transaction.Begin"))
    await tell("Updated", 2, 5, offline=True, **energy(2000))
    await tell("Ended", 1, 30, **energy(3500, "Transaction.End"))
    first, second = await items(system, station)
    assert (first["energy_wh"], first["missing_seq_nos"], first["offline"]) == (2000, [1], True)
    assert (second["energy_wh"], second["started_at"], second["complete"]) == (500, "2026-03-01T10:20:00Z", True)
    assert (first["transaction_id"], second["transaction_id"]) == ("tx", "tx")


def told(kind: str, seq_no: int, minutes_ago: float, register: float, tx: str = "1", **more: Any) -> Any:
    """A TransactionEvent of a clock that is right."""
    when = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
    info = {"timestamp": when, "transactionInfo": {"transactionId": tx}}
    return transaction_event(kind, seq_no, **(info | energy(register, at=when) | more))


def card(id_token: str, evse: int = 1) -> dict[str, Any]:
    return {"idToken": {"idToken": id_token, "type": "ISO14443"}, "evse": {"id": evse}}


async def test_ids_that_begin_again_after_a_boot_make_nobody_pay_for_another(system: System, station: str) -> None:
    """2.0.1: the end of the first was lost with the power."""
    for one in (
        told("Started", 0, 30, 1000, **card("CARD1")),
        told("Updated", 1, 15, 3000),
        told("Started", 0, 1, 3500, **card("CARD2")),
        told("Updated", 1, 0.5, 4000),
        told("Updated", 2, 10, 3200, offline=True),
        told("Ended", 2, 0, 5000),
    ):
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    first, second = await items(system, station)
    assert (first["id_token"], first["energy_wh"], first["ended_by"]) == ("CARD1", 2200, "superseded")
    assert (second["id_token"], second["energy_wh"], second["review"]) == ("CARD2", 1500, "none")
    assert first["superseded_by"] == second["id"]


async def test_the_older_session_of_an_id_that_is_told_last_pays_for_itself(system: System, station: str) -> None:
    """2.0.1 E04: CARD1 charged offline, the ids begin anew, CARD2 is told live, and then the queue, twice."""
    queue = [
        told("Started", 0, 60, 1000, offline=True, **card("CARD1")),
        told("Updated", 1, 50, 2000, offline=True),
        told("Ended", 2, 40, 3000, offline=True),
    ]
    live = [told("Started", 0, 30, 3500, **card("CARD2")), told("Updated", 1, 15, 4000), told("Ended", 2, 1, 5000)]
    late = told("Updated", 1, 110, 500, offline=True, **card("CARD3"))
    for one in (live[0], *queue, live[1], *queue, live[2], *queue, *live, late, late):
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    newer, older, oldest = await items(system, station)
    assert [older[name] for name in ("id_token", "energy_wh", "review", "offline")] == ["CARD1", 2000, "none", True]
    assert [newer[name] for name in ("id_token", "energy_wh", "review", "offline")] == ["CARD2", 1500, "none", False]
    assert (oldest["id_token"], oldest["status"]) == ("CARD3", "active")


async def test_where_the_next_session_of_an_id_ends_before_it_starts_both_are_held(
    system: System, station: str
) -> None:
    """2.0.1: its Ended is told first; until then CARD1 had it."""
    for one in (
        told("Started", 0, 60, 1000, **card("CARD1")),
        told("Ended", 2, 40, 3000),
        told("Ended", 3, 10, 5500),
        told("Started", 0, 30, 3500, **card("CARD2")),
        told("Updated", 2, 0, 6000),
    ):
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    first, second = await items(system, station)
    assert (first["id_token"], first["review"], first["revision"]) == ("CARD1", "held", 2)
    assert (second["id_token"], second["doubts"], second["details"]) == (
        *("CARD2", ["told_again"]),
        {"looks_like": first["id"]},
    )


async def test_an_id_used_twice_of_whose_first_only_the_start_was_told_is_two_sessions(
    system: System, station: str
) -> None:
    """2.0.1: the cable first; the cards, and what was offline, come after the boot and the start of the second."""
    plugged: dict[str, Any] = {"evse": {"id": 1}}
    for one in (
        told("Started", 0, 100, 1000, **plugged),
        told("Started", 0, 50, 3000, **plugged),
        told("Updated", 1, 95, 1000, idToken=card("CARDA")["idToken"]),
        told("Updated", 1, 45, 3000, idToken=card("CARDB")["idToken"]),
        told("Ended", 2, 60, 3000),
        told("Ended", 2, 1, 7000),
    ):
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    found = [[one[name] for name in ("id_token", "energy_wh", "review")] for one in await items(system, station)]
    assert found == [["CARDA", 2000, "none"], ["CARDB", 4000, "none"]]


async def test_two_ends_of_one_id_with_one_number_hold_both_sessions(system: System, station: str) -> None:
    """2.0.1: the second counts from 0 after a boot, and its Started is told last."""
    for one in (
        told("Started", 0, 100, 1000, **card("CARDA")),
        told("Ended", 2, 60, 3000),
        told("Ended", 2, 1, 9000),
        told("Started", 0, 50, 3000, **card("CARDB")),
    ):
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    first, second = await items(system, station)
    assert (first["id_token"], first["review"], first["details"]) == ("CARDA", "held", {"may_be_two": True})
    assert (second["id_token"], second["doubts"]) == ("CARDB", ["told_again"])


async def test_one_id_at_two_evses_at_once_is_two_sessions(system: System, station: str) -> None:
    """2.0.1 E §1.2 forbids it, and stations that count for each EVSE do it."""
    for one in (
        told("Started", 0, 30, 1000, **card("CARD1", 1)),
        told("Updated", 1, 25, 2000, evse={"id": 1}),
        told("Started", 0, 20, 50_000, **card("CARD2", 2)),
        told("Updated", 2, 15, 3000, evse={"id": 1}),
        told("Updated", 1, 15, 51_000, evse={"id": 2}),
        told("Ended", 3, 10, 4000, evse={"id": 1}),
        told("Ended", 2, 5, 52_000, evse={"id": 2}),
    ):
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    found = [
        [one[name] for name in ("evse_id", "id_token", "energy_wh", "review")] for one in await items(system, station)
    ]
    assert found == [[1, "CARD1", 3000, "none"], [2, "CARD2", 2000, "none"]]


async def test_a_transaction_id_has_no_case(system: System, station: str) -> None:
    """2.0.1 part 2, identifierString; it is shown, and asked for, as the station wrote it first."""
    await system.ask(station, "TransactionEvent", told("Started", 0, 30, 1000, "AbC-1"), "2.0.1")
    await system.ask(station, "TransactionEvent", told("Ended", 1, 0, 3000, "abc-1"), "2.0.1")
    item = await the_one(system, station)
    assert (item["transaction_id"], item["status"], item["energy_wh"]) == ("AbC-1", "ended", 2000)


async def test_a_transaction_that_goes_on_after_a_boot_is_the_same(system: System, station: str) -> None:
    """E17.FR.14, which stations of 2.0.1 say in their way."""
    await system.ask(station, "TransactionEvent", transaction_event("Started", 0), "2.0.1")
    await system.ask(
        station, "TransactionEvent", transaction_event("Updated", 1, triggerReason="ResetCommand"), "2.0.1"
    )
    await system.ask(station, "TransactionEvent", transaction_event("Updated", 2, triggerReason="Trigger"), "2.0.1")
    assert (await the_one(system, station))["status"] == "active"
