"""A connection of a station is ended by hand: the one that was meant, once, with who and why on record."""

from typing import Any

from redis.asyncio import Redis

from services.firmware.settings import Settings
from tests.integration.common.running import GATEWAY, SLOT, Running, connected
from tests.integration.firmware.configuration.stations import Field
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED, Outbound

WHY = {"reason": "asked for by support"}
HERE = f"{GATEWAY}-CP1"


async def disconnect(world: Running, body: Any = None, station_id: str = "CP1", **headers: str) -> Any:
    return await world.http.post(f"/v1/stations/{station_id}/disconnect", json=body or WHY, headers=headers)


def closes(world: Running) -> list[Outbound]:
    return [outbound for outbound in world.replies() if outbound.WhichOneof("body") == "close"]


async def here(field: Field, settings: Settings, connection_id: str = HERE) -> Running:
    """A station that is on a connection."""
    world = field.world
    async with Redis.from_url(settings.redis_url) as redis:
        await connected(redis, "CP1", "1.6")
    await world.put(world.change(CONNECTION_STATE_CONNECTED, connection_id=connection_id))
    return world


async def test_the_gateway_is_told_to_close_the_connection(field: Field, settings: Settings) -> None:
    world = await here(field, settings)
    answer = await disconnect(world, WHY | {"code": 1008})
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert (said["connection_id"], said["author"], said["ended"]) == (HERE, "test", False)
    await world.settled()
    [close] = closes(world)
    assert (close.station_id, close.connection_id) == ("CP1", HERE)
    assert (close.close.code, close.close.reason) == (1008, "asked for by support")
    [record] = [one for one in world.bus.all("ocpp.outbound") if Outbound.FromString(one.value or b"") == close]
    assert record.partition == SLOT
    world.time.passes(1)
    await world.put(world.change(CONNECTION_STATE_DISCONNECTED, connection_id=HERE))
    [kept] = (await world.get("/v1/stations/CP1/disconnects"))["items"]
    assert kept == said | {"ended": True}


async def test_a_station_that_is_away_is_not_waited_for(field: Field) -> None:
    world = field.world
    answer = await disconnect(world, station_id="nobody")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:voltbus:problem:unknown-station")
    await world.put(world.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}, "CP7"))
    answer = await disconnect(world, station_id="CP7")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:voltbus:problem:station-away")
    assert not closes(world)


async def test_a_station_that_has_reconnected_meanwhile_is_left_alone(field: Field, settings: Settings) -> None:
    world = await here(field, settings)
    answer = await disconnect(world, WHY | {"connection_id": f"{GATEWAY}-before"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:voltbus:problem:conflict")
    await world.settled()
    assert not closes(world)


async def test_the_same_request_again_ends_no_later_connection(field: Field, settings: Settings) -> None:
    world = await here(field, settings)
    key = {"Idempotency-Key": "k1"}
    first = await disconnect(world, **key)
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.delete("route:CP1")
    again = await disconnect(world, **key)
    assert (again.status_code, again.json()) == (202, first.json())
    other = await disconnect(world, {"reason": "another"}, **key)
    assert (other.status_code, other.json()["type"]) == (409, "urn:voltbus:problem:key-reused")
    await world.settled()
    assert len(closes(world)) == 1


async def test_what_no_close_frame_can_hold_is_refused(field: Field, settings: Settings) -> None:
    world = await here(field, settings)
    for body in ({"reason": ""}, {"reason": "ü" * 100}, WHY | {"code": 1006}, {"code": 1000}):
        assert (await disconnect(world, body)).status_code == 422
    assert not closes(world)
