"""A blocked idToken ends its running session, where the policy says so."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from services.transactions.settings import Settings
from tests.integration.common.running import connected, registered
from tests.integration.transactions.running import System, token
from tests.integration.transactions.test_remote import commands, conclude
from tests.integration.transactions.test_session import START, stop
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    async with Redis.from_url(settings.redis_url) as found:
        yield found


@pytest.fixture(autouse=True)
async def _registered(system: System, station: str) -> None:
    await system.bus.publish(registered(station))


async def begun(system: System, station: str, card: str) -> int:
    """A session of a card that is accepted."""
    await system.bus.publish([token(card)])
    told = await system.ask(station, "StartTransaction", START | {"idTag": card})
    assert told["idTagInfo"]["status"] == "Accepted"
    number: int = told["transactionId"]
    return number


async def block(system: System, card: str, on_block: str = "end") -> None:
    await system.bus.publish([token(card, "Blocked", on_block=on_block)])


async def look(system: System) -> None:
    """At all sessions, as is done each minute."""
    task: Any = system.service.tasks["blocked"]
    await task.__self__.tokens.catch_up()
    await task.__self__.look()


async def given(system: System, station: str) -> list[Any]:
    """The stops that were asked for, the first at first."""
    query = {"station_id": station, "action": "RemoteStop"}
    items: list[Any] = (await system.client.get("/v1/commands", params=query)).json()["items"]
    return items[::-1]


async def test_its_session_is_stopped_once_however_often_that_is_told(
    system: System, station: str, redis: Redis
) -> None:
    await connected(redis, station, "1.6")
    number, card = await begun(system, station, f"{station}-A"), f"{station}-A"
    other = await begun(system, f"{station}-b", f"{station}-B")
    await block(system, card.upper())
    [command] = await system.until(lambda: commands(system, station))
    assert (command.action, orjson.loads(command.payload)) == ("RemoteStopTransaction", {"transactionId": number})
    await block(system, card)
    await look(system)
    await conclude(system, station, command, OUTCOME_ANSWERED, payload=b'{"status":"Rejected"}')
    await block(system, card)
    await look(system)
    assert [one["payload"]["id"] for one in await given(system, station)] == [number]
    assert await given(system, f"{station}-b") == []
    assert other != number


async def test_a_station_that_is_away_is_told_when_it_is_back_unless_it_is_over_by_then(
    system: System, station: str, redis: Redis
) -> None:
    card = f"{station}-A"
    number = await begun(system, station, card)
    await block(system, card)

    async def waiting() -> list[Any]:
        return await given(system, station)

    [one] = await system.until(waiting)
    assert one["status"] == "accepted"
    await system.bus.publish([token(card, on_block="end")])
    await system.until(lambda: has_status(system, station, "cancelled"))
    await block(system, card)
    await look(system)
    assert len(await given(system, station)) == 1
    await system.ask(station, "StopTransaction", stop(number) | {"idTag": card})
    await connected(redis, station, "1.6")
    await look(system)
    assert commands(system, station) == []


async def has_status(system: System, station: str, status: str) -> bool:
    return [one["status"] for one in await given(system, station)] == [status]


async def test_a_stop_that_waits_is_taken_back_when_the_session_has_ended(system: System, station: str) -> None:
    card = f"{station}-A"
    number = await begun(system, station, card)
    await block(system, card)
    await system.until(lambda: has_status(system, station, "accepted"))
    await system.ask(station, "StopTransaction", stop(number) | {"idTag": card})
    await look(system)
    assert await has_status(system, station, "cancelled")


async def test_where_it_may_finish_nothing_is_sent(system: System, station: str, redis: Redis) -> None:
    await connected(redis, station, "1.6")
    await begun(system, station, f"{station}-A")
    await block(system, f"{station}-A", "finish")
    await look(system)
    await block(system, f"{station}-A", "")
    await look(system)
    assert await given(system, station) == []


async def block_group(system: System, group_id: str, status: str = "Blocked", **more: Any) -> None:
    await system.bus.publish([token(group_id, status, "Central", **more)])


@pytest.mark.parametrize(
    ("own", "of_group", "ends"),
    [("end", "", True), ("", "end", True), ("finish", "end", False), ("end", "finish", True), ("", "", False)],
)
async def test_a_blocked_group_ends_the_sessions_of_its_cards(
    system: System, station: str, redis: Redis, own: str, of_group: str, ends: bool
) -> None:
    """The word of the card counts before that of its group, and both before the setting, which is `finish`."""
    await connected(redis, station, "1.6")
    card, group_id = f"{station}-A", f"{station}-FLEET"
    await system.bus.publish([token(card, group_id=group_id, on_block=own)])
    number = (await system.ask(station, "StartTransaction", START | {"idTag": card}))["transactionId"]
    await block_group(system, group_id.lower(), on_block=of_group)
    if ends:
        [command] = await system.until(lambda: commands(system, station))
        assert orjson.loads(command.payload) == {"transactionId": number}
    await look(system)
    assert [one["payload"]["id"] for one in await given(system, station)] == ([number] if ends else [])


async def test_a_card_of_a_blocked_group_is_refused(system: System, station: str) -> None:
    """As Authorize refuses it; of its group it stays (1.6 §4.8, C09.FR.12)."""
    card, group_id = f"{station}-A", f"{station}-F"
    await system.bus.publish([token(card, group_id=group_id)])
    await block_group(system, group_id)
    told = await system.ask(station, "StartTransaction", START | {"idTag": card})
    assert told["idTagInfo"] == {"status": "Blocked", "parentIdTag": group_id}


async def test_a_group_that_is_blocked_no_more_takes_its_stops_back(system: System, station: str) -> None:
    """Those that wait for a station that is away."""
    card, group_id = f"{station}-A", f"{station}-FLEET"
    await system.bus.publish([token(card, group_id=group_id, on_block="end")])
    await system.ask(station, "StartTransaction", START | {"idTag": card})
    await block_group(system, group_id)
    await system.until(lambda: has_status(system, station, "accepted"))
    await block_group(system, group_id, "Accepted")
    await system.until(lambda: has_status(system, station, "cancelled"))


async def test_a_card_that_has_the_text_of_a_group_is_no_group(system: System, station: str, redis: Redis) -> None:
    await connected(redis, station, "1.6")
    group_id = f"{station}-P"
    await system.bus.publish([token(f"{station}-A", group_id=group_id, on_block="end")])
    await system.ask(station, "StartTransaction", START | {"idTag": f"{station}-A"})
    await block(system, group_id)
    await look(system)
    assert await given(system, station) == []
