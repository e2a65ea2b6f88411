"""Operators decide of what is held: once, on the record, and told as revisions."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.integration.transactions.running import System, bearer, token
from tests.integration.transactions.test_closing import close, revisions
from tests.integration.transactions.test_edges import settled, the_one
from tests.integration.transactions.test_identity import card, items, told
from tests.integration.transactions.test_rest import get, start
from tests.integration.transactions.test_session import stop
from voltbus.v1 import events_pb2 as pb

WHY = "read from the meter"


async def held(system: System, station: str) -> int:
    """A session whose register fell; its id."""
    number = await start(system, station, meterStart=5000)
    await system.ask(station, "StopTransaction", stop(number, meterStop=100))
    return number


async def review(system: System, number: int, status: int = 200, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"reason": WHY} | body
    response = await system.client.post(f"/v1/transactions/{number}/review", json=body, headers=headers)
    assert response.status_code == status, response.text
    return response.json()


async def test_a_correction(system: System, station: str) -> None:
    number = await held(system, station)
    [waiting] = (await get(system, "/v1/transactions", station_id=station, review="held"))["items"]
    assert (waiting["id"], waiting["energy_wh"], waiting["review"]) == (number, None, "held")
    corrected = await review(system, number, action="correct", energy_wh=7500)
    assert (corrected["energy_wh"], corrected["energy_source"]) == (7500, "operator")
    assert (corrected["review"], corrected["revision"]) == ("released", 2)
    assert corrected == await get(system, f"/v1/transactions/{number}")
    *_, ended, revised = await settled(system, station, 3)
    assert (ended.transaction.review, revised.transaction.review) == (pb.REVIEW_HELD, pb.REVIEW_RELEASED)
    assert isinstance(revised, pb.TransactionRevised)
    assert (revised.reason, revised.transaction.energy_source) == (
        pb.REVISION_REASON_REVIEWED,
        pb.ENERGY_SOURCE_OPERATOR,
    )
    first, second = await revisions(system, number)
    assert (second["reason"], second["author"], second["note"]) == ("reviewed", "tests", WHY)
    assert (revised.author, revised.note) == ("tests", WHY)
    assert (first["author"], ended.author, ended.note) == (None, "", "")
    assert not (await get(system, "/v1/transactions", station_id=station, review="held"))["items"]


async def test_the_own_word_of_the_station_takes_it_back_into_review_where_it_contradicts(
    system: System, station: str
) -> None:
    number = await held(system, station)
    await review(system, number, action="correct", energy_wh=7500)
    await system.ask(station, "StopTransaction", stop(number, meterStop=12_500, timestamp="2026-03-01T11:00:05Z"))
    assert (await the_one(system, station))["review"] == "released"
    await system.ask(station, "StopTransaction", stop(number, meterStop=9000, timestamp="2026-03-01T11:00:09Z"))
    item = await the_one(system, station)
    assert (item["energy_wh"], item["review"], item["doubts"]) == (
        7500,
        "held",
        ["register_fell", "review_contradicted"],
    )
    assert (await review(system, number, action="release"))["review"] == "released"
    await system.ask(station, "StopTransaction", stop(number, meterStop=9000, timestamp="2026-03-01T11:00:09Z"))
    assert (await the_one(system, station))["review"] == "released"


async def test_what_turns_out_to_be_doubtful_after_a_decision_is_held_again(system: System, station: str) -> None:
    """2.0.1: what ended it may be of the next session, whose Started comes last; a correction is released as it is."""
    late = told("Started", 0, 30, 3500, **card("CARD2"))
    for one in (told("Started", 0, 60, 1000, **card("CARD1")), told("Ended", 3, 10, 5500)):
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    number = (await the_one(system, station))["id"]
    await review(system, number, action="correct", energy_wh=2500)
    await system.ask(station, "TransactionEvent", late, "2.0.1")
    held, _ = await items(system, station)
    assert (held["energy_wh"], held["review"], held["doubts"]) == (2500, "held", ["told_again"])
    changes = (await revisions(system, number))[-1]["changes"]
    assert {change["field"] for change in changes} == {"doubts", "review", "details"}
    released = await review(system, number, action="release")
    assert (released["energy_wh"], released["energy_source"], released["review"]) == (2500, "operator", "released")
    await system.ask(station, "TransactionEvent", late, "2.0.1", connection="after a boot")
    assert (await items(system, station))[0] == released


async def test_another_payer_than_it_was_decided_of_holds_it_again(system: System, station: str) -> None:
    """2.0.1: CARDA's Started comes after somebody corrected what was CARDB's; what was decided counts for the next."""
    for one in (told("Updated", 2, 50, 1000, **card("CARDB")), told("Ended", 3, 10, 5500)):
        await system.ask(station, "TransactionEvent", one, "2.0.1")
    number = (await the_one(system, station))["id"]
    await review(system, number, action="correct", energy_wh=6000)
    late = told("Started", 0, 60, 1000, **card("CARDA"))
    for n in range(2):
        await system.ask(station, "TransactionEvent", late, "2.0.1", connection=f"after boot {n}")
        [one] = await items(system, station)
        assert [one[name] for name in ("id_token", "energy_wh")] == ["CARDA", 6000]
        if n == 0:
            assert (one["review"], one["doubts"]) == ("held", ["review_contradicted"])
            one = await review(system, number, action="release")
        assert (one["review"], one["energy_source"]) == ("released", "operator")


async def test_who_polls_sees_what_was_billed_turn_out_not_to_be(system: System, station: str) -> None:
    """And what was released, which is billed."""
    await system.bus.publish([token("cafe01")])
    number = await held(system, station)
    polled = await get(system, "/v1/transactions", updated_after="2026-01-01T00:00:00Z", station_id=station)
    assert [one["billable"] for one in polled["items"]] == [False]
    correct = {"action": "correct", "energy_wh": 7500}
    for decision, billable in ((correct, True), ({"action": "void"}, False), (correct, True)):
        await review(system, number, **decision)
        found = await get(system, "/v1/transactions", updated_after=polled["updated_until"], station_id=station)
        assert [(one["id"], one["billable"]) for one in found["items"]] == [(number, billable)]
        of_those = await get(system, "/v1/transactions", billable=True, station_id=station)
        assert [one["id"] for one in of_those["items"]] == [number] * billable
        query = {"station_id": station, "review": ["released", "void"]}
        assert [one["id"] for one in (await get(system, "/v1/transactions", **query))["items"]] == [number]
        file = (await system.client.get("/v1/transactions/export", params={"station_id": station})).text.splitlines()
        assert [line.rpartition(",")[2] for line in file] == ["billable", str(billable).lower()]
        polled = found


async def test_what_is_void_is_told_and_stays_void(system: System, station: str) -> None:
    number = await held(system, station)
    assert (await review(system, number, action="void"))["review"] == "void"
    refused = await review(system, number, 409, action="void")
    assert refused["detail"] == "the transaction is already void"


async def test_the_same_request_again_is_the_same_review(system: System, station: str) -> None:
    """Another request may not have the key, nor may a close."""
    key = uuid4().hex
    number, other = await held(system, station), await start(system, station, connectorId=2)
    tries = [review(system, number, key=key, action="correct", energy_wh=7500) for _ in range(5)]
    first, *others = await asyncio.gather(*tries)
    assert others == [first] * 4
    for body in ({"action": "void"}, {"action": "correct", "energy_wh": 7501}):
        refused = await review(system, number, 409, key, **body)
        assert refused["errors"][0]["field"] == "header.idempotency-key"
    await close(system, other, 409, key, reason=WHY)
    assert len(await revisions(system, number)) == 2


async def test_what_cannot_be_reviewed(system: System, station: str) -> None:
    going_on = await start(system, station)
    await review(system, going_on, 409, action="void")
    await review(system, 2**31 - 1, 404, action="void")
    for body in (
        {"action": "correct"},
        {"action": "release", "energy_wh": 5},
        {"action": "correct", "energy_wh": -1},
        {"action": "forget"},
        {"action": "void", "reason": ""},
    ):
        await review(system, going_on, 422, **body)


async def test_who_may_only_read_reviews_nothing(system: System, station: str) -> None:
    number = await held(system, station)
    path, headers = f"/v1/transactions/{number}/review", bearer("transactions:read")
    body = {"action": "void", "reason": WHY}
    assert (await system.client.post(path, json=body, headers=headers)).status_code == 403
