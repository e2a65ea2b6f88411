"""Operators close transactions whose end is lost: once, on the record, and corrected by the station's own word."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.integration.transactions.running import System, bearer
from tests.integration.transactions.test_rest import get, start
from tests.integration.transactions.test_session import metered, stop
from voltbus.v1 import events_pb2 as pb


async def close(system: System, number: int, status: int = 200, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    response = await system.client.post(f"/v1/transactions/{number}/close", json=body, headers=headers)
    assert response.status_code == status, response.text
    return response.json()


async def revisions(system: System, number: int) -> Any:
    return (await get(system, f"/v1/transactions/{number}/revisions"))["items"]


async def test_an_operator_closes_a_transaction(system: System, station: str) -> None:
    """Who, when and why is kept; the energy is that of the last register."""
    number = await start(system, station, meterStart=1000)
    await system.tell(station, "MeterValues", metered(number, "4000"))
    await system.until(lambda: len(system.events(station)) == 2)
    closed = await close(system, number, reason="the vehicle left on Tuesday")
    assert (closed["status"], closed["ended_by"], closed["energy_wh"]) == ("ended", "operator", 3000)
    assert (closed["stop_reason"], closed["complete"], closed["revision"]) == (None, False, 1)
    [first] = await revisions(system, number)
    assert (first["author"], first["note"]) == ("tests", "the vehicle left on Tuesday")
    assert first["at"] == closed["stopped_received_at"]
    ended = await system.until(lambda: len(e := system.events(station)) == 3 and e[-1])
    assert isinstance(ended, pb.TransactionEnded)
    assert (ended.transaction.ended_by, ended.transaction.energy_wh) == (pb.ENDED_BY_OPERATOR, 3000)
    assert (ended.author, ended.note) == (first["author"], first["note"])
    assert closed == await get(system, f"/v1/transactions/{number}")


async def test_what_has_ended_is_not_closed(system: System, station: str) -> None:
    number = await start(system, station)
    await system.ask(station, "StopTransaction", stop(number))
    assert (await close(system, number, 409))["detail"] == "the transaction has ended"
    assert len(await revisions(system, number)) == 1
    await close(system, 2**31 - 1, 404)


async def test_the_same_request_again_is_the_same_close(system: System, station: str) -> None:
    """Also after the station has corrected it; another request may not have the key."""
    key = uuid4().hex
    number, other = await start(system, station), await start(system, station, connectorId=2)
    tries = [close(system, number, key=key, reason="gone") for _ in range(5)]
    first, *others = await asyncio.gather(*tries)
    assert others == [first] * 4
    await system.ask(station, "StopTransaction", stop(number))
    assert (await close(system, number, key=key, reason="gone"))["ended_by"] == "station"
    for elsewhere, reason in ((other, "gone"), (number, "other")):
        refused = await close(system, elsewhere, 409, key, reason=reason)
        assert refused["errors"][0]["field"] == "header.idempotency-key"
    assert len(await revisions(system, number)) == 2


async def test_a_key_is_of_its_caller(system: System, station: str) -> None:
    """Two callers with the same key meet neither each other's close nor a 409."""
    key = uuid4().hex
    one, two, three = [await start(system, station, connectorId=n) for n in (1, 2, 3)]

    async def closed(who: str, number: int) -> tuple[int, Any]:
        headers = bearer("transactions:write", sub=who) | {"Idempotency-Key": key}
        answer = await system.client.post(f"/v1/transactions/{number}/close", json={}, headers=headers)
        return answer.status_code, answer.json()

    first, second = await asyncio.gather(closed("anna", one), closed("bert", two))
    assert (first[0], second[0]) == (200, 200)
    assert (await closed("bert", two), await closed("anna", one)) == (second, first)
    assert (await closed("bert", one))[0] == (await closed("anna", three))[0] == 409
    found = [(await revisions(system, number))[0]["author"] for number in (one, two)]
    assert found == ["anna", "bert"]


async def test_the_own_word_of_the_station_is_a_revision(system: System, station: str) -> None:
    number = await start(system, station, meterStart=1000)
    await close(system, number)
    await system.ask(station, "StopTransaction", stop(number))
    found = await get(system, f"/v1/transactions/{number}")
    assert (found["ended_by"], found["energy_wh"], found["revision"]) == ("station", 7500, 2)
    assert [one["reason"] for one in await revisions(system, number)] == ["ended", "late_end"]
    await system.until(lambda: len(system.events(station)) == 3)
    kinds = [type(event) for event in system.events(station)]
    assert kinds == [pb.TransactionStarted, pb.TransactionEnded, pb.TransactionRevised]
    _, ended, revised = system.events(station)
    assert (ended.author, revised.author, revised.note) == ("tests", "", "")


async def test_who_may_only_read_closes_nothing(system: System, station: str) -> None:
    number = await start(system, station)
    path = f"/v1/transactions/{number}/close"
    refused = await system.client.post(path, json={}, headers=bearer("transactions:read"))
    assert refused.status_code == 403
    unknown = await system.client.post(path, json={"why": "x"})
    assert unknown.status_code == 422
    assert (await get(system, f"/v1/transactions/{number}"))["status"] == "active"
