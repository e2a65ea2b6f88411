"""Statuses of connectors, EVSEs and stations, by StatusNotification or NotifyEvent; and connectors that are none."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres.announcer import Announcer
from services.common.testing.assignments import unassigned
from services.firmware.domain.connectors import MOST_PLACES
from services.firmware.listing.keeper import ListKeeper
from services.firmware.settings import Settings
from services.ocpp.topics import Topics
from tests.integration.common.running import START, Running
from tests.integration.firmware.configuration.stations import BOOTS, Field, New, Old, read
from tests.integration.firmware.test_history import DAY, MIGRATIONS, go, measured, moment, say
from tests.integration.firmware.test_listing import registration


def clock(second: float) -> str:
    return moment(second).isoformat().replace("+00:00", "Z")


async def notify(world: Running, status: str, at: float, evse: int = 1, connector: int | None = 1, **more: Any) -> None:
    """A NotifyEvent, made now, of a change at a time. evse 0: of the station; connector None: of the EVSE."""
    where = {"id": evse} | ({} if connector is None else {"connectorId": connector})
    name = "ChargingStation" if not evse else "EVSE" if connector is None else "Connector"
    event = {
        "eventId": 1,
        "timestamp": clock(at),
        "trigger": "Delta",
        "actualValue": status,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": name} | ({"evse": where} if evse else {}),
        "variable": {"name": "AvailabilityState"},
    }
    made = (world.time() - START).total_seconds()
    payload = {"generatedAt": clock(made), "seqNo": 0, "eventData": [event]}
    await world.put(world.call("NotifyEvent", payload, version="2.0.1", **more))


async def status(world: Running, word: str, at: float, evse: int = 1, connector: int = 1) -> None:
    payload = {"timestamp": clock(at), "connectorStatus": word, "evseId": evse, "connectorId": connector}
    await world.put(world.call("StatusNotification", payload, version="2.0.1"))


async def evses(world: Running) -> Any:
    """Statuses by EVSE: its own, and those of its connectors."""
    return {
        one["evse_id"]: (
            one["evse_status"] and one["evse_status"]["status"],
            {each["connector_id"]: each["status"] for each in one["connectors"]},
        )
        for one in (await world.get("/v1/stations/CP1"))["evses"]
    }


async def history(world: Running) -> list[tuple[str, int]]:
    items = (await world.get("/v1/stations/CP1/status-history"))["items"]
    return [
        (item["status"], int((datetime.fromisoformat(item["happened_at"]) - START).total_seconds())) for item in items
    ]


async def test_either_message_tells_the_status_and_the_newer_counts(firmware: Running) -> None:
    """G01.FR.03; told twice it is no news, and told late history."""
    await notify(firmware, "Available", 0)
    await go(firmware, 100)
    await status(firmware, "Occupied", 100)
    await notify(firmware, "Occupied", 100)
    await go(firmware, 200)
    await notify(firmware, "Faulted", 50)
    assert await evses(firmware) == {1: (None, {1: "Occupied"})}
    assert await history(firmware) == [("Occupied", 100), ("Faulted", 50), ("Available", 0)]
    await go(firmware, DAY)
    [one] = await measured(firmware)
    assert one["faulted_minutes"] == round(50 / 60, 3)
    # Each of them is kept as it came.
    assert len((await firmware.get("/v1/stations/CP1/messages", query={"action": "NotifyEvent"}))["items"]) == 3


async def test_an_evse_and_the_station_take_their_connectors_with_them(firmware: Running) -> None:
    """2.0.1: connector 0 is the EVSE, EVSE 0 the station; neither is a place to charge."""
    await status(firmware, "Available", 0)
    await status(firmware, "Available", 0, evse=2)
    for second, word in ((3600, "Faulted"), (7200, "Available")):
        await go(firmware, second)
        await notify(firmware, word, second, connector=None)
    for second, word in ((10800, "Unavailable"), (18000, "Available")):
        await go(firmware, second)
        await status(firmware, word, second, evse=0, connector=1)
    assert await evses(firmware) == {1: ("Available", {1: "Available"}), 2: (None, {1: "Available"})}
    counts = await firmware.get("/v1/stations/summary", query={"by": "connector_status"})
    assert [(one["value"], one["count"]) for one in counts["items"]] == [("Available", 2)]
    await go(firmware, DAY)
    one, two = await measured(firmware)
    assert (one["evse_id"], one["connector_id"], one["faulted_minutes"], one["unavailable_minutes"]) == (1, 1, 60, 120)
    assert (two["evse_id"], two["faulted_minutes"], two["unavailable_minutes"]) == (2, 0, 120)


async def test_an_evse_that_tells_only_of_itself_is_measured(firmware: Running) -> None:
    await status(firmware, "Faulted", 0, evse=3, connector=0)
    await go(firmware, 3600)
    await status(firmware, "Available", 3600, evse=3, connector=0)
    await go(firmware, DAY)
    [one] = await measured(firmware)
    assert (one["evse_id"], one["connector_id"], one["faulted_minutes"]) == (3, 0, 60)


async def test_a_station_cannot_invent_connectors_without_end(firmware: Running) -> None:
    """What is too much is counted, kept as it came, and is no connector; those that are known go on."""
    name = "voltbus_refused_connector_statuses_total"
    before = REGISTRY.get_sample_value(name) or 0
    for number in range(1, MOST_PLACES + 4):
        await say(firmware, "Available", number)
    await say(firmware, "Charging", 1)
    assert REGISTRY.get_sample_value(name) == before + 3
    shown = await evses(firmware)
    assert (len(shown), shown[1]) == (MOST_PLACES, (None, {1: "Charging"}))
    kept = (await firmware.get("/v1/stations/CP1/messages", query={"action": "StatusNotification"}))["items"]
    assert [one["payload"]["connectorId"] for one in kept] == [MOST_PLACES + n for n in (3, 2, 1)]


async def test_a_connector_that_is_none_is_taken_out_by_hand(firmware: Running) -> None:
    for number in (1, 2, 3):
        await say(firmware, "Faulted", number)
    await go(firmware, 6 * 3600)
    assert (await firmware.http.delete("/v1/stations/CP1/connectors/2/2")).status_code == 204
    assert (await firmware.http.delete("/v1/stations/CP1/connectors/2/2")).status_code == 404
    assert (await firmware.http.delete("/v1/stations/CP1/connectors/3/3?existed=false")).status_code == 204
    assert list(await evses(firmware)) == [1]
    listed = await firmware.get("/v1/stations", query={"connector_status": "Faulted"})
    assert [one["station_id"] for one in listed["items"]] == ["CP1"]
    await go(firmware, DAY)
    one, two = await measured(firmware)
    assert (one["period_minutes"], one["unknown_minutes"]) == (1440, 0)
    assert (two["evse_id"], two["period_minutes"], two["unknown_minutes"], two["faulted_minutes"]) == (
        2,
        360,
        1080,
        360,
    )
    # What was held up on its way brings nobody back, what is told again does.
    await say(firmware, "Available", 2, received_at=moment(3600))
    assert list(await evses(firmware)) == [1]
    await say(firmware, "Available", 2)
    assert list(await evses(firmware)) == [1, 2]
    assert (await measured(firmware))[1]["period_minutes"] == 1440


async def test_a_16_station_says_how_many_connectors_it_has(field: Field) -> None:
    """1.6 §9.1.19 NumberOfConnectors."""
    world = field.world
    for number in (0, 1, 2, 3):
        await say(world, "Available", number)
    world.time.passes(60)
    await read(field, Old("CP1", {"NumberOfConnectors": "2"}))
    assert list(await evses(world)) == [1, 2]


async def test_a_full_inventory_says_which_connectors_there_are(field: Field) -> None:
    """2.0.1 B07."""
    world = field.world
    for evse, connector in ((1, 1), (1, 2), (2, 1), (2, 0)):
        await status(world, "Available", 0, evse, connector)
    world.time.passes(60)
    await read(field, New("CP1", {"Connector@1.1.AvailabilityState": "Available"}))
    assert await evses(world) == {1: (None, {1: "Available"})}


async def test_a_station_that_is_not_registered_collects_no_minutes(firmware: Running, settings: Settings) -> None:
    """Told late, twice, and of before."""
    topics = Topics.of(settings, "firmware")
    announcer = Announcer(Events(settings, "firmware", unassigned), lambda: None)
    keeper = ListKeeper.of(firmware.database, topics, firmware.time, announcer)
    seconds = int(START.timestamp())

    def removal(second: int) -> Record:
        return Record("registrations", b"CP1", None, written_ms=(seconds + second) * 1000)

    def registered(second: int) -> Record:
        return registration("CP1", "vienna", at=seconds + second)

    await say(firmware, "Faulted")
    await go(firmware, DAY)
    await keeper.handle([registered(0), removal(3600), removal(3600), registered(7200)])
    await keeper.handle([removal(3600)])
    await keeper.handle([registered(0), registered(7200)])
    [one] = await measured(firmware)
    assert (one["period_minutes"], one["unknown_minutes"], one["faulted_minutes"]) == (1380, 60, 1380)
    await keeper.handle([removal(6 * 3600)])
    [one] = await measured(firmware)
    assert (one["period_minutes"], one["unknown_minutes"]) == (300, 1140)


async def test_whoever_was_never_registered_is_measured(firmware: Running) -> None:
    await say(firmware, "Faulted")
    await go(firmware, DAY)
    [one] = await measured(firmware)
    assert one["faulted_minutes"] == 1440


async def test_an_order_hides_no_fault_from_before_it_and_before_the_period(field: Field) -> None:
    world, station = field.world, Old("CP1", {})
    station.ChangeAvailability = lambda _: {"status": "Accepted"}  # type: ignore[attr-defined]
    await field.boot(station)
    await say(world, "Faulted")
    await say(world, "Available", 2)
    world.time.passes(3600)
    for number in (1, 2):
        order = {"connectorId": number, "type": "Inoperative"}
        answer = await world.http.post("/v1/stations/CP1/commands/ChangeAvailability?wait=60", json=order)
        assert answer.status_code == 200, answer.text
        await say(world, "Unavailable", number)
    world.time.passes(3600)
    began = world.time()
    world.time.passes(3600)
    period = {"from": began.isoformat(), "to": (began + timedelta(hours=1)).isoformat()}
    one, two = (await world.get("/v1/uptime", query=period))["items"]
    assert (one["excluded_minutes"], one["unavailable_minutes"]) == (0, 60)
    assert (two["excluded_minutes"], two["unavailable_minutes"]) == (60, 0)


async def minutes(world: Running, began: datetime) -> list[tuple[float, float]]:
    """Unavailable and excluded, of each connector."""
    period = {"from": began.isoformat(), "to": world.time().isoformat()}
    items = (await world.get("/v1/uptime", query=period))["items"]
    return [(one["unavailable_minutes"], one["excluded_minutes"]) for one in items]


async def boots(world: Running) -> None:
    await world.put(world.call("BootNotification", BOOTS["1.6"]("1")))


async def test_a_boot_ends_what_a_16_station_said_of_connector_0(firmware: Running) -> None:
    """1.6 4.9. By hand: a minute of Unavailable, then in use; told again by connector 0, two minutes more."""
    world, began = firmware, firmware.time()
    for number in (0, 1, 2):
        await say(world, "Unavailable", number)
    world.time.passes(60)
    await boots(world)
    assert (await world.get("/v1/stations/CP1"))["station_status"] is None
    for word in ("Available", "Charging"):
        await say(world, word)
        world.time.passes(60)
    assert await minutes(world, began) == [(1, 0), (3, 0)]
    await say(world, "Unavailable", 0)
    assert (await world.get("/v1/stations/CP1"))["station_status"]["status"] == "Unavailable"
    world.time.passes(120)
    await say(world, "Charging")
    world.time.passes(60)
    assert await minutes(world, began) == [(3, 0), (6, 0)]


async def test_a_connector_that_is_in_use_is_not_out_of_order_with_its_station(firmware: Running) -> None:
    """2.0.1 G01: the station by NotifyEvent; then one EVSE is Occupied, as it was, and the other says nothing."""
    await status(firmware, "Occupied", 0)
    await status(firmware, "Available", 0, evse=2)
    await go(firmware, 3600)
    await notify(firmware, "Unavailable", 3600, evse=0, connector=None)
    await go(firmware, 7200)
    await status(firmware, "Occupied", 7200)
    await go(firmware, DAY)
    one, two = await measured(firmware)
    assert (one["unavailable_minutes"], two["unavailable_minutes"]) == (60, 23 * 60)


@pytest.mark.parametrize(("existed", "lost"), [("true", 60), ("false", 0)])
@pytest.mark.parametrize("evse", [0, 1])
async def test_what_a_station_or_an_evse_said_of_itself_is_taken_out_by_hand(
    firmware: Running, evse: int, existed: str, lost: float
) -> None:
    await status(firmware, "Available", 0)
    await go(firmware, 1)
    await notify(firmware, "Unavailable", 0, evse=evse, connector=None)
    await go(firmware, 3600)
    path = f"/v1/stations/CP1/connectors/{evse}/0"
    assert (await firmware.http.delete(f"{path}?existed={existed}")).status_code == 204
    assert (await firmware.http.delete(path)).status_code == 404
    await go(firmware, DAY - 1800)
    [one] = await measured(firmware)
    assert one["unavailable_minutes"] == lost
    # Told again, it counts from then on.
    await notify(firmware, "Unavailable", DAY - 1800, evse=evse, connector=None)
    await go(firmware, DAY)
    [one] = await measured(firmware)
    assert one["unavailable_minutes"] == lost + 30


async def test_an_order_is_spent_once_the_connector_works_again(field: Field) -> None:
    """By hand: 20 seconds by order, 40 in use, a minute of its own. Then a new order, taken back by EVSE."""
    world, station = field.world, Old("CP1", {})
    station.ChangeAvailability = lambda _: {"status": "Accepted"}  # type: ignore[attr-defined]
    await field.boot(station)

    async def order(**of: Any) -> None:
        answer = await world.http.post("/v1/stations/CP1/availability?wait=60", json=of)
        assert answer.status_code == 200, answer.text

    await say(world, "Available")
    world.time.passes(60)
    began = world.time()
    await order(status="inoperative")
    await say(world, "Unavailable", 0)
    await say(world, "Unavailable")
    world.time.passes(20)
    await boots(world)
    for word in ("Available", "Charging"):
        await say(world, word)
        world.time.passes(20)
    await say(world, "Unavailable")
    world.time.passes(60)
    assert await minutes(world, began) == [(1, round(20 / 60, 3))]
    await order(status="inoperative")
    await say(world, "Unavailable", 0)
    world.time.passes(60)
    await order(status="operative", evse_id=1)
    for word in ("Available", "Charging"):
        await say(world, word)
        world.time.passes(20)
    assert await minutes(world, began) == [(1, round(80 / 60, 3))]


async def test_causes_that_had_ended_before_that_was_written_down_have_ended(firmware: Running) -> None:
    """Rows of the version before. By hand: half an hour until connector 1 is in use, an hour until the boot."""
    for number in (1, 2):
        await say(firmware, "Available", number)
    await go(firmware, 1)
    await say(firmware, "Unavailable", 0)
    await go(firmware, 1801)
    await say(firmware, "Charging", 1)
    await go(firmware, 3601)
    async with firmware.database.transaction() as db:
        await db.execute("update status_change set matters = false where status = 'Charging'")
        await db.execute("update station set booted_at = $1", moment(3601))
        for _ in range(2):
            await db.execute((MIGRATIONS / "0022_end_causes.sql").read_text())
    await go(firmware, DAY)
    one, two = await measured(firmware)
    assert (one["unavailable_minutes"], two["unavailable_minutes"]) == (30, 60)
    assert (await firmware.get("/v1/stations/CP1"))["station_status"] is None
