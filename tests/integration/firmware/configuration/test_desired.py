"""What is desired of a group: applied when its stations boot, and shown where it differs."""

from functools import partial
from typing import Any

import pytest

from services.common.desired.reconciler import DEFAULT_TIMING
from services.common.kafka.bus import Record
from tests.integration.common.running import Running
from tests.integration.firmware.configuration.stations import Field, Station, has_sent, new, old, put, read, states
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED
from voltbus.v1.state_pb2 import Registration

GROUP = "/v1/groups/vienna/configuration"
DESIRED = {"heartbeat_interval": "60", "ConnectionTimeOut": "90", "OCPPCommCtrlr.OfflineThreshold": "120"}


async def register(
    field: Field, *names: str, group: str = "vienna", before: tuple[str, ...] = (), after: tuple[str, ...] = ()
) -> None:
    """As auth publishes it, and this service has read it."""
    world = field.world
    for name in names:
        state = Registration(station_id=name, groups=[*before, group, *after])
        await world.bus.publish([Record("registrations", name.encode(), state.SerializeToString())])
    path = f"/v1/stations/{names[-1]}/configuration"
    if (await world.http.get(path)).status_code == 200:
        await field.shown(path, lambda view: view["group"] == group)


async def desire(world: Running, settings: dict[str, str], path: str = GROUP, **versions: dict[str, str]) -> Any:
    named = {version.removeprefix("v").replace("_", "."): own for version, own in versions.items()}
    answer = await world.http.put(path, json={"settings": settings, "versions": named})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def differing(field: Field, station: Station) -> dict[str, str | None]:
    return states(await field.view(station, differing=True))


async def test_it_is_applied_when_stations_boot(field: Field) -> None:
    """Each in its own words, and only what differs."""
    await register(field, "CP1", "CP2")
    assert (await desire(field.world, DESIRED))["stations"] == 2
    one, other = old("CP1"), new("CP2")
    one.values["ConnectionTimeOut"] = "90"
    await read(field, one)
    await read(field, other)
    await field.view(one, lambda view: states(view)["HeartbeatInterval"] == "in_sync")
    await field.view(other, lambda view: states(view)["OCPPCommCtrlr.OfflineThreshold"] == "in_sync")
    assert one.sent("ChangeConfiguration") == [{"key": "HeartbeatInterval", "value": "60"}]
    assert (other.values["OCPPCommCtrlr.HeartbeatInterval"], other.values["OCPPCommCtrlr.OfflineThreshold"]) == (
        "60",
        "120",
    )
    shown = await field.shown(f"{GROUP}/differences", lambda page: all(one["in_sync"] for one in page["items"]))
    assert [(one["station_id"], one["settings"]) for one in shown["items"]] == [("CP1", []), ("CP2", [])]
    every = await field.world.get(f"{GROUP}/differences", query={"all": True})
    assert [setting["name"] for setting in every["items"][0]["settings"]] == ["HeartbeatInterval", "ConnectionTimeOut"]


async def test_the_first_group_of_which_something_is_desired_holds(field: Field) -> None:
    await desire(field.world, {"heartbeat_interval": "60"})
    await register(field, "CP1", before=("level 2",))
    station = old("CP1")
    await read(field, station)
    view = await field.view(station, lambda view: states(view)["HeartbeatInterval"] == "in_sync")
    assert view["group"] == "vienna"


async def test_stations_that_are_here_are_set_when_it_changes(field: Field) -> None:
    """The others when they are back."""
    one, away = old("CP1"), old("CP2")
    await read(field, one)
    await read(field, away)
    await field.leave(away)
    await register(field, "CP1", "CP2")
    await desire(field.world, {"heartbeat_interval": "60"})
    await field.view(one, lambda view: states(view)["HeartbeatInterval"] == "in_sync")
    # What is set is what the station says, not what was known of it before.
    assert one.asked[1:] == [
        ("GetConfiguration", {"key": ["HeartbeatInterval"]}),
        ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}),
    ]
    assert await differing(field, away) == {"HeartbeatInterval": "differs"}
    await field.boot(away)
    await field.view(away, lambda view: states(view)["HeartbeatInterval"] == "in_sync")


async def test_a_station_that_was_away_is_set_as_soon_as_it_is_back(field: Field) -> None:
    """It need not boot for that; until then nobody looks for it."""
    station, world = old(), field.world
    await register(field, "CP1")
    await read(field, station)
    await world.put(world.change(CONNECTION_STATE_DISCONNECTED))
    await desire(world, {"heartbeat_interval": "60"})

    async def parked() -> bool:
        async with world.database.connection() as db:
            due_at = await db.fetchval("select due_at from configuration where station_id = 'CP1'")
        return bool(due_at == world.time() + DEFAULT_TIMING.away)

    while not await parked():
        await world.bus.wait()
    world.time.passes(1)
    await world.put(world.change(CONNECTION_STATE_CONNECTED, connection_id="CP1-b"))
    await field.view(station, lambda view: states(view)["HeartbeatInterval"] == "in_sync")


async def test_differences_say_what_stands_in_the_way(field: Field) -> None:
    station = old(reboots=frozenset({"ConnectionTimeOut"}), rejects=frozenset({"Strange"}))
    station.values |= {"Strange": "1", "WebSocketPingInterval": "10"}
    await register(field, "CP1", "NEVER")
    wanted = {
        "heartbeat_interval": "60",
        "NumberOfConnectors": "4",
        "ConnectionTimeOut": "90",
        "Strange": "2",
        "Nonsense": "1",
        "WebSocketPingInterval": " 10.0 ",
    }
    await desire(field.world, wanted)
    await read(field, station)
    expected = {
        "NumberOfConnectors": "read_only",
        "ConnectionTimeOut": "pending_reboot",
        "Strange": "rejected",
        "Nonsense": "unknown",
    }
    view = await field.view(station, lambda view: states(view) == expected, differing=True)
    assert len(view["items"]) == 4
    page = await field.world.get(f"{GROUP}/differences")
    one, never = page["items"]
    assert {setting["name"]: setting["state"] for setting in one["settings"]} == expected
    assert {setting["name"]: setting["reason"] for setting in one["settings"]} == {
        "NumberOfConnectors": None,
        "ConnectionTimeOut": "RebootRequired",
        "Strange": "Rejected",
        "Nonsense": "NotSupported",
    }
    assert (never["station_id"], never["version"], never["online"], never["in_sync"]) == ("NEVER", None, False, False)
    first = await field.world.get(f"{GROUP}/differences", limit=1)
    rest = await field.world.get(f"{GROUP}/differences", cursor=first["next"])
    assert [item["station_id"] for item in (*first["items"], *rest["items"])] == ["CP1", "NEVER"]
    assert len((await field.world.get(f"{GROUP}/differences", in_sync=False))["items"]) == 2
    assert (await field.world.get(f"{GROUP}/differences", in_sync=True))["items"] == []
    assert rest["next"] is None


async def test_what_is_refused_is_tried_once_a_boot(field: Field) -> None:
    """Neither again and again, nor never again."""
    station = old(rejects=frozenset({"HeartbeatInterval"}))
    await register(field, "CP1")
    await desire(field.world, {"heartbeat_interval": "60"})
    for boots in (1, 2):
        await field.boot(station)
        await field.world.until(partial(has_sent, station, "ChangeConfiguration", boots))
        await field.view(
            station, lambda view: states(view)["HeartbeatInterval"] == "rejected" and view["step"] == "idle"
        )
    station.rejects = frozenset()
    await field.boot(station)
    await field.view(station, lambda view: states(view)["HeartbeatInterval"] == "in_sync")
    assert len(station.sent("ChangeConfiguration")) == 3


async def test_what_was_changed_at_the_station_is_set_right_at_its_next_boot(field: Field) -> None:
    station = old()
    await register(field, "CP1")
    await desire(field.world, {"heartbeat_interval": "60"})
    await read(field, station)
    await field.view(station, lambda view: states(view)["HeartbeatInterval"] == "in_sync")
    station.values["HeartbeatInterval"] = "7"
    await field.boot(station)
    await field.world.until(lambda: len(station.sent("ChangeConfiguration")) == 2)
    await field.view(station, lambda view: states(view)["HeartbeatInterval"] == "in_sync")


async def test_a_version_may_be_named(field: Field) -> None:
    """And comes before what is not."""
    one, other = old("CP1"), new("CP2")
    one.values["Vendor.Key"] = "1"
    await register(field, "CP1", "CP2")
    shared = {"heartbeat_interval": "60"}
    await desire(field.world, shared, v1_6={"HeartbeatInterval": "30", "Vendor.Key": "2"})
    await read(field, one)
    await read(field, other)
    await field.view(one, lambda view: states(view)["Vendor.Key"] == "in_sync")
    await field.view(other, lambda view: states(view)["OCPPCommCtrlr.HeartbeatInterval"] == "in_sync")
    assert (one.values["HeartbeatInterval"], one.values["Vendor.Key"]) == ("30", "2")
    assert other.values["OCPPCommCtrlr.HeartbeatInterval"] == "60"


async def test_the_first_of_its_groups_that_says_something_counts(field: Field) -> None:
    """The others are shown to be in conflict."""
    station, region = old(), "/v1/groups/austria/configuration"
    await register(field, "CP1", after=("austria",))
    await desire(field.world, {"heartbeat_interval": "60"})
    await desire(field.world, {"heartbeat_interval": "10", "ConnectionTimeOut": "90"}, region)
    await read(field, station)
    await field.view(station, lambda view: states(view)["ConnectionTimeOut"] == "in_sync")
    assert (station.values["HeartbeatInterval"], station.values["ConnectionTimeOut"]) == ("60", "90")
    assert await differing(field, station) == {}
    [first] = (await field.world.get(f"{GROUP}/differences"))["items"]
    [second] = (await field.world.get(f"{region}/differences"))["items"]
    assert (first["in_sync"], second["in_sync"]) == (True, False)
    assert [(one["name"], one["desired"], one["actual"], one["state"]) for one in second["settings"]] == [
        ("HeartbeatInterval", "10", "60", "conflict")
    ]


async def test_it_is_kept_shown_and_taken_back(field: Field) -> None:
    world = field.world
    await world.get(GROUP, status=404)
    await world.get(f"{GROUP}/differences", status=404)
    assert (await world.http.delete(GROUP)).status_code == 404
    kept = await desire(world, {"heartbeat_interval": "60"})
    assert await world.get(GROUP) == kept
    station = old()
    await register(field, "CP1")
    await read(field, station)
    await field.view(station, lambda view: states(view)["HeartbeatInterval"] == "in_sync")
    assert (await world.http.delete(GROUP)).status_code == 204
    assert set(states(await field.view(station)).values()) == {None}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"settings": {"AuthorizationKey": "00"}}, "body.settings.AuthorizationKey"),
        ({"settings": {"SecurityCtrlr.BasicAuthPassword": "x"}}, "body.settings.SecurityCtrlr.BasicAuthPassword"),
        ({"settings": {"x" * 51: "1"}}, f"body.settings.{'x' * 51}"),
        ({"settings": {"heartbeat_interval": "x" * 501}}, "body.settings.heartbeat_interval"),
        ({"versions": {"1.7": {"A": "1"}}}, "body.versions.1.7"),
        ({"versions": {"2.0.1": {"HeartbeatInterval": "1"}}}, "body.versions.2.0.1.HeartbeatInterval"),
    ],
)
async def test_what_cannot_be_desired_is_refused(field: Field, body: Any, named: str) -> None:
    answer = await field.world.http.put(GROUP, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, named)
    await field.world.get(GROUP, status=404)


async def test_a_setting_of_the_operators_is_not_undone_before_the_next_boot(field: Field) -> None:
    """It is shown as differing, though."""
    station = old()
    await register(field, "CP1")
    await desire(field.world, {"heartbeat_interval": "60"})
    await read(field, station)
    await field.view(station, lambda view: states(view)["HeartbeatInterval"] == "in_sync")
    await put(field, station, {"heartbeat_interval": "10"})
    assert await differing(field, station) == {"HeartbeatInterval": "differs"}
    await field.boot(station)
    await field.view(station, lambda view: states(view)["HeartbeatInterval"] == "in_sync")
