"""The history of connectors, maintenance windows, and uptime, from messages to REST."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest

import services.firmware
from services.firmware import history_store
from services.firmware.api import uptime as uptime_api
from services.firmware.history_expiry import HistoryExpiry
from tests.integration.common.running import START, Running
from tests.integration.firmware.configuration.stations import Field, Old
from tests.integration.firmware.test_listing import registration
from tests.integration.firmware.test_service import status
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED

DAY = 24 * 3600
MIGRATIONS = Path(services.firmware.__file__).parent / "migrations"
PERIOD = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-02T12:00:00Z"}


def moment(second: float) -> datetime:
    return START + timedelta(seconds=second)


async def say(
    world: Running, word: str, connector: int = 1, at: float | None = None, station_id: str = "CP1", **more: Any
) -> None:
    """A status, received now. at: by the station's clock."""
    payload = status(connector, word)
    if at is not None:
        payload["timestamp"] = moment(at).isoformat().replace("+00:00", "Z")
    await world.put(world.call("StatusNotification", payload, station_id, **more))


async def go(world: Running, second: float) -> None:
    world.time.now = moment(second)


async def history(world: Running, **query: Any) -> list[tuple[str, int]]:
    """Statuses and the seconds at which they happened, newest first."""
    items = (await world.get("/v1/stations/CP1/status-history", query=query))["items"]
    return [
        (item["status"], int((datetime.fromisoformat(item["happened_at"]) - START).total_seconds())) for item in items
    ]


async def measured(world: Running, **query: Any) -> list[Any]:
    items: list[Any] = (await world.get("/v1/uptime", query=PERIOD | query))["items"]
    return items


async def test_statuses_are_kept_by_connector_newest_first(firmware: Running) -> None:
    for second, (word, connector) in enumerate((("Available", 1), ("Charging", 1), ("Charging", 1), ("Faulted", 2))):
        await go(firmware, second)
        await say(firmware, word, connector)
    assert await history(firmware) == [("Faulted", 3), ("Charging", 1), ("Available", 0)]
    assert await history(firmware, evse_id=2) == [("Faulted", 3)]
    assert await history(firmware, since=moment(1).isoformat(), until=moment(3).isoformat()) == [("Charging", 1)]
    first = await firmware.get("/v1/stations/CP1/status-history", query={"limit": 2})
    second_page = await firmware.get("/v1/stations/CP1/status-history", query={"limit": 2, "cursor": first["next"]})
    assert [item["status"] for item in second_page["items"]] == ["Available"]
    assert second_page["next"] is None


async def test_what_is_read_again_is_kept_once(firmware: Running) -> None:
    for second, word in enumerate(("Available", "Faulted", "Available")):
        await go(firmware, second)
        await say(firmware, word)
    before = await history(firmware)
    await firmware.restart(commit=False)
    await firmware.settled()
    assert await history(firmware) == before


async def test_a_fault_of_an_offline_time_is_told_late_and_counts_where_it_was(firmware: Running) -> None:
    """Queued while the station was away; the gateway then held one of them up."""
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED))
    await say(firmware, "Available")
    await go(firmware, 3600)
    await firmware.put(firmware.change(CONNECTION_STATE_DISCONNECTED))
    await go(firmware, 7200)
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, connection_id="CP1-b"))
    await say(firmware, "Preparing", at=7000, connection_id="CP1-b")
    await go(firmware, 7300)
    await say(firmware, "Charging", connection_id="CP1-b")
    await say(firmware, "Faulted", at=6000, connection_id="CP1-b", received_at=moment(7201))
    assert await history(firmware) == [("Charging", 7300), ("Preparing", 7000), ("Faulted", 6000), ("Available", 0)]
    assert (await firmware.get("/v1/stations/CP1"))["evses"][0]["connectors"][0]["status"] == "Charging"
    await go(firmware, DAY)
    [one] = await measured(firmware)
    # It was over before the station was back.
    assert (one["offline_minutes"], one["faulted_minutes"], one["outage_minutes"]) == (60, 0, 60)


async def test_uptime_of_a_day(firmware: Running) -> None:
    await firmware.put(registration("CP1", "vienna"), registration("CP2", "graz"))
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED))
    await say(firmware, "Available", 1)
    await say(firmware, "Available", 2)
    await say(firmware, "Available", 0)
    for second, word, connector in ((3600, "Faulted", 1), (7200, "Available", 1), (7200, "Unavailable", 2)):
        await go(firmware, second)
        await say(firmware, word, connector)
    await go(firmware, 9000)
    await say(firmware, "Charging", 2)
    await go(firmware, 36000)
    await firmware.put(firmware.change(CONNECTION_STATE_DISCONNECTED))
    await go(firmware, 36060)
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, connection_id="CP1-b"))
    await go(firmware, DAY - 600)
    await firmware.put(firmware.change(CONNECTION_STATE_DISCONNECTED, connection_id="CP1-b"))
    await go(firmware, DAY)
    one, two = await measured(firmware, group="vienna")
    assert (one["evse_id"], one["period_minutes"], one["faulted_minutes"], one["offline_minutes"]) == (1, 1440, 60, 10)
    assert one["uptime_percent"] == round(100 * (1440 - 70) / 1440, 4)
    assert (two["unavailable_minutes"], two["offline_minutes"], two["meets"]) == (30, 10, None)
    assert await measured(firmware, group="graz") == []
    assert len(await measured(firmware, station_id="CP1")) == 2


async def test_maintenance_windows_of_stations_groups_and_locations(firmware: Running) -> None:
    await firmware.put(registration("CP1", "vienna", location_id="garage"))
    await say(firmware, "Faulted")
    await go(firmware, 6 * 3600)
    await say(firmware, "Available")
    await go(firmware, DAY)
    for begin, of in ((0, {"station_id": "CP1"}), (1, {"group": "vienna"}), (2, {"location_id": "garage"})):
        window = {"begin_at": moment(begin * 3600).isoformat(), "end_at": moment((begin + 1) * 3600).isoformat()}
        answer = await firmware.http.put(f"/v1/maintenance-windows/w{begin}", json=of | window | {"reason": "works"})
        assert (answer.status_code, answer.json()["author"]) == (201, "test")
        again = await firmware.http.put(
            f"/v1/maintenance-windows/w{begin}", json=of | window | {"reason": "more works"}
        )
        assert again.status_code == 200
    [one] = await measured(firmware)
    assert (one["outage_minutes"], one["excluded_minutes"], one["faulted_minutes"]) == (360, 180, 180)
    assert [item["id"] for item in (await firmware.get("/v1/maintenance-windows", group="vienna"))["items"]] == ["w1"]
    assert (await firmware.get("/v1/maintenance-windows/w1"))["reason"] == "more works"
    assert (await firmware.http.delete("/v1/maintenance-windows/w1")).status_code == 204
    await firmware.get("/v1/maintenance-windows/w1", status=404)
    [one] = await measured(firmware)
    assert one["excluded_minutes"] == 120


async def test_a_window_of_what_nobody_knows_is_refused(firmware: Running) -> None:
    await firmware.put(registration("CP1", "vienna", location_id="garage"))
    window = {"begin_at": "2026-03-01T12:00:00Z", "end_at": "2026-03-01T13:00:00Z", "reason": "works"}
    for name in ("station_id", "group", "location_id"):
        answer = await firmware.http.put("/v1/maintenance-windows/w", json=window | {name: "nobody"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{name}")
    of = {"group": "vienna"}
    answer = await firmware.http.put("/v1/maintenance-windows/%2E%2E", json=window | of)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "path.window_id")
    assert (await firmware.http.put("/v1/maintenance-windows/w", json=window | of)).status_code == 201
    await firmware.put(registration("CP1", "graz", at=2))
    # It can still be changed.
    answer = await firmware.http.put("/v1/maintenance-windows/w", json=window | of | {"reason": "more works"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"station_id": "CP1", "group": "vienna"},
        {"group": "vienna", "end_at": "2026-03-01T12:00:00Z"},
        {"group": "vienna", "reason": ""},
    ],
)
async def test_a_window_of_nobody_or_no_time_is_refused(firmware: Running, body: dict[str, Any]) -> None:
    window = {"begin_at": "2026-03-01T12:00:00Z", "end_at": "2026-03-01T13:00:00Z", "reason": "works"}
    answer = await firmware.http.put("/v1/maintenance-windows/w", json=window | body)
    assert answer.status_code == 422


async def test_what_an_operator_ordered_out_of_use_is_no_outage(field: Field) -> None:
    world, station = field.world, Old("CP1", {})
    station.ChangeAvailability = lambda _: {"status": "Accepted"}  # type: ignore[attr-defined]
    await field.boot(station)
    began = world.time()
    order = {"connectorId": 1, "type": "Inoperative"}
    answer = await world.http.post("/v1/stations/CP1/commands/ChangeAvailability?wait=60", json=order)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "answered"), answer.text
    await say(world, "Unavailable")
    await say(world, "Unavailable", 2)
    world.time.passes(3600)
    period = {"from": began.isoformat(), "to": world.time().isoformat()}
    one, two = (await world.get("/v1/uptime", query=period))["items"]
    assert (one["excluded_minutes"], one["unavailable_minutes"], one["uptime_percent"]) == (60, 0, 100)
    assert (two["excluded_minutes"], two["unavailable_minutes"], two["uptime_percent"]) == (0, 60, 0)


async def test_the_year_of_a_programme(firmware: Running) -> None:
    await say(firmware, "Available")
    await go(firmware, 366 * DAY)
    [one] = (await firmware.get("/v1/uptime", query={"preset": "nevi"}))["items"]
    assert (one["begin_at"], one["end_at"]) == ("2026-03-01T00:00:00Z", "2027-03-01T00:00:00Z")
    assert (one["unknown_minutes"], one["period_minutes"], one["meets"]) == (720, 525600 - 720, True)


async def test_periods_that_are_none(firmware: Running) -> None:
    for query in (
        {"from": PERIOD["to"], "to": PERIOD["from"]},
        {"from": "2027-01-01T00:00:00Z"},
        {"from": "2020-01-01T00:00:00Z"},
        {"from": "yesterday"},
        {"preset": "nobody"},
    ):
        await firmware.get("/v1/uptime", status=422, query=query)


async def test_what_was_out_of_order_before_there_was_a_history_is_an_outage(firmware: Running) -> None:
    """A row of the version before: nothing tells of its changes."""
    await say(firmware, "Available", 2)
    async with firmware.database.transaction() as db:
        await db.execute(
            "insert into connector"
            " (station_id, evse_id, connector_id, status, received_at, since, first_at, connection_id)"
            " values ('CP1', 1, 1, 'Faulted', $1, $1, $1, 'a')",
            START,
        )
        await db.execute((MIGRATIONS / "0019_seed_outages.sql").read_text())
    await go(firmware, 3600)
    await say(firmware, "Available", 1)
    assert await history(firmware, evse_id=1) == [("Available", 3600), ("Faulted", 0)]
    await go(firmware, DAY)
    one, two = await measured(firmware)
    assert (one["faulted_minutes"], one["outage_minutes"], two["outage_minutes"]) == (60, 60, 0)


async def test_uptime_as_a_file(firmware: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uptime_api, "AT_ONCE", 2)
    for n in range(5):
        await say(firmware, "Faulted" if n == 3 else "Available", station_id=f"CP{n}")
    await go(firmware, DAY)
    listed = await measured(firmware)
    answer = await firmware.http.get("/v1/uptime/export", params=PERIOD, headers={"Accept": "application/x-ndjson"})
    assert [orjson.loads(line) for line in answer.content.splitlines()] == listed
    answer = await firmware.http.get("/v1/uptime/export", params=PERIOD)
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert [(row["station_id"], float(row["uptime_percent"])) for row in rows[2:4]] == [("CP2", 100), ("CP3", 0)]
    first = await firmware.get("/v1/uptime", query=PERIOD | {"limit": 2})
    assert [item["station_id"] for item in first["items"]] == ["CP0", "CP1"]
    second = await firmware.get("/v1/uptime", query=PERIOD | {"limit": 2, "cursor": first["next"]})
    assert [item["station_id"] for item in second["items"]] == ["CP2", "CP3"]


async def test_old_statuses_go_and_outages_stay(firmware: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_store, "AT_ONCE", 1)
    for second, word in enumerate(("Available", "Faulted", "Available", "Charging", "Available")):
        await go(firmware, second)
        await say(firmware, word)
    expiry = HistoryExpiry(database=firmware.database, clock=firmware.time, kept=timedelta(days=90))
    await go(firmware, 90 * DAY - 60)
    assert not await expiry.once()
    assert len(await history(firmware)) == 5
    await go(firmware, 91 * DAY)
    while await expiry.once():
        pass
    assert await history(firmware) == [("Available", 2), ("Faulted", 1)]
    await go(firmware, 801 * DAY)
    while await expiry.once():
        pass
    assert await history(firmware) == []
